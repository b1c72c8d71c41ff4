"""Territories: areas that technicians serve, drawn as GeoJSON."""

from typing import Any

from msgspec.structs import replace

from tracker.actions.catalog.editing import audited, check_name, check_seen, editing
from tracker.actions.house import House
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.domain import territories as rules
from tracker.domain.accounts import Actor
from tracker.errors import NotFound, StillUsed
from tracker.records import areas
from tracker.records.areas import Territory
from tracker.records.database import new_id
from tracker.records.violations import ConstraintViolated


async def territories(house: House, actor: Actor) -> list[Territory]:
    """Every territory, active or not, by name."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await areas.everything(tx)


async def territory(house: House, actor: Actor, territory: str) -> Territory:
    """One territory; `NotFound`."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return _there(await areas.by_id(tx, territory))


async def add_territory(house: House, actor: Actor, name: str, area: dict[str, Any], *, active: bool = True) -> Territory:
    """A new territory; `BadArea` for an area that is none, `NameTaken`."""
    only_staff(actor)
    made = Territory(id=new_id(), name=text(name, "name"), active=active, **_drawn(area))
    async with editing(house, actor) as tx:
        check_name(made.name, await areas.other_names(tx, made.id))
        await areas.add(tx, made)
        await audited(tx, house, actor, "territory.added", None, made)
    return made


async def change_territory(
    house: House,
    actor: Actor,
    territory: str,
    seen: str | None = None,
    *,
    name: str | None = None,
    area: dict[str, Any] | None = None,
    active: bool | None = None,
) -> Territory:
    """Change what is given. Technicians who serve inactive territories only serve nowhere; visits that stand are kept."""
    only_staff(actor)
    drawn = _drawn(area) if area is not None else {}
    async with editing(house, actor) as tx:
        others = await areas.other_names(tx, territory) if name is not None else []
        before = _there(await areas.by_id(tx, territory, lock=True))
        check_seen(before, seen)
        said: dict[str, Any] = {"name": text(name, "name")} if name is not None else {}
        said |= {"active": active} if active is not None else {}
        if drawn and drawn["area"] != before.area:
            said |= drawn | {"version": before.version + 1}  # processes keep the area they read under its version
        after = replace(before, **said)
        check_name(after.name, others)
        if await audited(tx, house, actor, "territory.changed", before, after):
            await areas.replace(tx, after)
    return after


async def remove_territory(house: House, actor: Actor, territory: str) -> None:
    """It is gone. `StillUsed` while technicians serve it: without any territory they would serve everywhere."""
    try:
        async with editing(house, actor) as tx:
            before = _there(await areas.by_id(tx, territory, lock=True))
            if serving := await areas.serving(tx, territory):
                who = "One technician serves" if serving == 1 else f"{serving} technicians serve"
                raise StillUsed(f"{who} this territory. Give them another one first, or make it inactive.")
            await areas.remove(tx, territory)
            await audited(tx, house, actor, "territory.removed", before, None)
    except ConstraintViolated as violated:  # somebody was given it at this moment
        raise StillUsed from violated


def _drawn(area: dict[str, Any]) -> dict[str, Any]:
    checked = rules.checked(area)
    box = {"south": checked.south, "west": checked.west, "north": checked.north, "east": checked.east}
    return {"area": checked.geojson, **box}


def _there(found: Territory | None) -> Territory:
    if found is None:
        raise NotFound("There is no territory with this id.")
    return found
