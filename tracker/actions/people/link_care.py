"""Looking after links: staff list, extend, block and end them; a customer makes view-only ones for the family, and ends those."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.actions.house import House
from tracker.actions.people.accounts import close_sockets
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.domain import links as rules
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.links import Kind
from tracker.domain.visibility import may_watch
from tracker.errors import BadInput, Conflict, NotAllowed, NotFound
from tracker.records import appointments, audit, links
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction, new_id
from tracker.records.links import Link

MOST = 10
"""Links for the family that may be open at once for one appointment."""
LONGEST = timedelta(days=366)
"""How far from now a link may be extended."""
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Open:
    """A link with its way in, for the customer who passes it on. ``token`` is made anew from its id; no table has it."""

    link: Link
    until: datetime
    token: str


async def links_of(house: House, actor: Actor, appointment: str) -> list[tuple[Link, datetime]]:
    """The links to an appointment, each with when its page closes: all of them for staff, for a customer the family's open ones.

    `NotFound` for an appointment that is not theirs.
    """
    now = house.clock()
    async with house.db.reading() as tx:
        visit = await _theirs(tx, actor, appointment)
        found = await links.of_appointment(tx, appointment)
    lasting = [(one, rules.lasts_until(visit, one.until)) for one in found]
    if actor.staff:
        return lasting
    return [(one, until) for one, until in lasting if one.kind is Kind.FAMILY and rules.opens(one, visit, now)]


async def family_links(house: House, actor: Actor, appointment: str) -> list[Open]:
    """The family's open links with their tokens, for the customer whose appointment it is; `NotFound`."""
    if actor.role is not Role.CUSTOMER:
        raise NotAllowed
    found = await links_of(house, actor, appointment)
    return [Open(one, until, rules.token_of(house.secret, one.id)) for one, until in found]


async def share(house: House, actor: Actor, appointment: str, name: str = "") -> Open:
    """A further view-only link; ``name`` says for whom, in their own list. `NotFound`, `Conflict` (over, or too many)."""
    if actor.role is not Role.CUSTOMER:
        raise NotAllowed
    now, name = house.clock(), name.strip()
    link = Link(
        id=new_id(),
        appointment_id=appointment,
        kind=Kind.FAMILY,
        created_by=actor.signed,
        created_at=now,
        name=text(name, "name", LONGEST_NAME) if name else None,
    )
    token = rules.token_of(house.secret, link.id)
    async with house.db.transaction() as tx:
        visit = await _theirs(tx, actor, appointment, lock=True)
        open_ = [one for one in await links.of_appointment(tx, appointment) if one.ended_at is None and one.kind is Kind.FAMILY]
        if not rules.opens(link, visit, now):
            raise Conflict("This visit is over: its page cannot be passed on any more.")
        if len(open_) >= MOST:
            raise Conflict(f"There are {MOST} links already. End one that is not needed any more.")
        await links.add(tx, link, rules.fingerprint(house.secret, token))
        await audit.write(tx, now, actor.signed, "link.made", link.id, after={"appointment": appointment})
    return Open(link, rules.lasts_until(visit), token)


async def extend(house: House, actor: Actor, link: str, until: datetime) -> tuple[Link, datetime]:
    """Let its page stay open until then, or as long as it would by itself if that is later; positions stay for the way only.

    Said before, a later moment counts no more: its sockets are closed when this returns, for their end has changed.

    Staff only. `NotFound`; `BadInput` for a moment that has passed or is more than a year away; `Conflict` for an ended link.
    """
    now = house.clock()
    if not now < until <= now + LONGEST:
        raise BadInput(f"Say a moment from now on, at most {LONGEST.days} days away.", field="until")
    return await _changed(house, actor, link, "link.extended", until=until)


async def block(house: House, actor: Actor, link: str) -> tuple[Link, datetime]:
    """Let it open nothing until it is unblocked; letters lead to the sign-in meanwhile. Its sockets are closed by then."""
    return await _changed(house, actor, link, "link.blocked", blocked_at=house.clock())


async def unblock(house: House, actor: Actor, link: str) -> tuple[Link, datetime]:
    """Let it open its appointment again."""
    return await _changed(house, actor, link, "link.unblocked", blocked_at=None)


async def end(house: House, actor: Actor, link: str) -> None:
    """End it for good: the next letter carries a new one. Its sockets are closed when this returns.

    Staff end every link, customers those that were made for the family; `NotFound` for others and if it was ended before.
    """
    now = house.clock()
    async with house.db.transaction() as tx:
        found = await links.by_id(tx, link)
        if found is None or found.ended_at is not None:
            raise NotFound
        await _theirs(tx, actor, found.appointment_id, lock=True)
        if not (actor.staff or (actor.role is Role.CUSTOMER and found.kind is Kind.FAMILY)):
            raise NotFound
        await links.change(tx, link, ended_at=now)
        await audit.write(tx, now, actor.signed, "link.ended", link, before={"appointment": found.appointment_id})
    await close_sockets(house, [link])


async def _changed(house: House, actor: Actor, link: str, what: str, **values: datetime | None) -> tuple[Link, datetime]:
    only_staff(actor)
    now = house.clock()
    async with house.db.transaction() as tx:
        before = await links.by_id(tx, link)
        visit = await appointments.locked(tx, before.appointment_id) if before else None
        if before is None or visit is None:
            raise NotFound
        if before.ended_at is not None:
            raise Conflict("This link was ended for good. The next letter carries a new one.")
        await links.change(tx, link, **values)
        after = {name: value.isoformat() if value else None for name, value in values.items()}
        await audit.write(tx, now, actor.signed, what, link, after=after)
        found = await links.by_id(tx, link)
    assert found is not None  # noqa: S101 - rows of links stay
    until = rules.lasts_until(visit, found.until)
    if found.blocked_at or until < rules.lasts_until(visit, before.until):
        await close_sockets(house, [link])
    return found, until


async def _theirs(tx: Transaction, actor: Actor, appointment: str, *, lock: bool = False) -> Appointment:
    found = await (appointments.locked if lock else appointments.by_id)(tx, appointment)
    if found is None or not may_watch(actor, found) or not (actor.staff or actor.role is Role.CUSTOMER):
        raise NotFound
    return found
