"""Service types and skills: what can be booked, how long it takes, what one must be able to do for it, and for whom it is."""

from typing import Any

from msgspec.structs import replace

from tracker.actions.catalog.editing import audited, check_name, check_seen, check_there, editing, optional
from tracker.actions.house import House
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.errors import BadInput, NotFound, StillUsed
from tracker.records import offerings
from tracker.records.database import Transaction, new_id
from tracker.records.offerings import Offering, Skill
from tracker.records.violations import ConstraintViolated

DURATION_MIN = (5, 1440)
MOST_CREW = 20
MOST_DESCRIPTION = 1000
MOST_NAMED = 500
"""Skills or accounts that one service type names."""


async def services(house: House, actor: Actor) -> list[Offering]:
    """Every service type, active or not, by name."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await offerings.everything(tx)


async def service(house: House, actor: Actor, service: str) -> Offering:
    """One service type; `NotFound`."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return _there(await offerings.by_id(tx, service))


async def add_service(house: House, actor: Actor, **said: Any) -> Offering:
    """A new service type of the fields of `Offering`; `BadInput` for what cannot be."""
    async with editing(house, actor) as tx:
        made = await _checked(tx, Offering(id=new_id(), **said))
        await offerings.add(tx, made)
        await audited(tx, house, actor, "service_type.added", None, made)
    return made


async def change_service(house: House, actor: Actor, service: str, seen: str | None = None, **said: Any) -> Offering:
    """Change the named fields. What was booked keeps the duration and the technician it was booked with.

    A service type is never removed, because appointments point at it: ``active=False`` takes it out of use.
    """
    async with editing(house, actor) as tx:
        before = _there(await offerings.by_id(tx, service, lock=True))
        check_seen(before, seen)
        after = await _checked(tx, replace(before, **said))
        if await audited(tx, house, actor, "service_type.changed", before, after):
            await offerings.replace(tx, after)
    return after


async def _checked(tx: Transaction, one: Offering) -> Offering:
    least, most = DURATION_MIN
    if not least <= one.duration_min <= most:
        raise BadInput(f"A service takes {least} to {most} minutes.")
    if not 1 <= one.crew <= MOST_CREW:
        raise BadInput(f"A service needs 1 to {MOST_CREW} technicians.")
    if one.crew > 1 and one.self_schedulable:
        raise BadInput("A service for more than one technician is planned by staff: it cannot be self-schedulable.")
    if max(len(one.skills), len(one.accounts)) > MOST_NAMED:
        raise BadInput(f"A service type names at most {MOST_NAMED} skills or accounts.")
    await check_there(tx, "skills", one.skills, "skill")
    await check_there(tx, "accounts", one.accounts, "account")
    return replace(
        one,
        name=text(one.name, "name"),
        description=optional(one.description, "description", MOST_DESCRIPTION),
        skills=tuple(sorted(set(one.skills))),
        accounts=tuple(sorted(set(one.accounts))),
    )


def _there(found: Offering | None) -> Offering:
    if found is None:
        raise NotFound("There is no service type with this id.")
    return found


# -- skills ------------------------------------------------------------------------------------------------------------


async def skills(house: House, actor: Actor) -> list[Skill]:
    """Every skill by name."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await offerings.all_skills(tx)


async def add_skill(house: House, actor: Actor, name: str) -> Skill:
    """A new skill; `NameTaken`."""
    made = Skill(id=new_id(), name=text(name, "name"))
    async with editing(house, actor) as tx:
        check_name(made.name, await offerings.other_skills(tx, made.id))
        await offerings.add_skill(tx, made)
        await audited(tx, house, actor, "skill.added", None, made)
    return made


async def rename_skill(house: House, actor: Actor, skill: str, name: str) -> Skill:
    """Call a skill something else; `NameTaken`."""
    async with editing(house, actor) as tx:
        others = await offerings.other_skills(tx, skill)
        before = await _skill(tx, skill)
        after = replace(before, name=text(name, "name"))
        check_name(after.name, others)
        if await audited(tx, house, actor, "skill.changed", before, after):
            await offerings.rename_skill(tx, skill, after.name)
    return after


async def remove_skill(house: House, actor: Actor, skill: str) -> None:
    """Nobody needs to have it any more; `StillUsed` while a service type asks for it."""
    try:
        async with editing(house, actor) as tx:
            before = await _skill(tx, skill)
            if needing := await offerings.needing(tx, skill):
                raise StillUsed(f"{needing[0]} needs this skill. Take it out of there first.")
            await offerings.remove_skill(tx, skill)
            await audited(tx, house, actor, "skill.removed", before, None)
    except ConstraintViolated as violated:  # a service type that was written at this moment
        raise StillUsed from violated


async def _skill(tx: Transaction, skill: str) -> Skill:
    found = await offerings.skill(tx, skill)
    if found is None:
        raise NotFound("There is no skill with this id.")
    return found
