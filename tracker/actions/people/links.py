"""Holding a link: what its token opens, and for how long still. Unknown, ended, blocked and outlived are one refusal."""

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from tracker.actions.house import House
from tracker.domain import links as rules
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.links import Kind
from tracker.domain.visibility import may_watch
from tracker.errors import LinkInactive, TooManyRequests
from tracker.records import appointments, links
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.links import Link

WINDOW_S, TRIES_ADDRESS = 900, 120
"""Openings within a quarter of an hour from one network address; many people may stand behind one."""
A_DAY = timedelta(days=1)
NOWHERE = "-"
"""No appointment has this id: for a token that opens none the same rows are looked for."""

log = structlog.get_logger()


async def open_link(house: House, token: str, *, address: str) -> Actor:
    """Who holds this token's link from now on. ``address`` is the network address asked from.

    Errors: `LinkInactive`, the same after the same work whatever is wrong with it; `TooManyRequests`, whether it is right or not.
    """
    now = house.clock()
    if not await house.limits.within("link", address, TRIES_ADDRESS, WINDOW_S, now):
        raise TooManyRequests(retry_after_s=WINDOW_S)
    async with house.db.reading() as tx:
        found = await _open(tx, house.secret, token, now)
    if found is None:
        log.info("link_refused")
        raise LinkInactive
    async with house.db.transaction() as tx:
        await links.opened(tx, found[0].id, now)
    return _holder(*found)


async def holder_of(house: House, token: str, appointment: str) -> Actor | None:
    """Who holds a link to this appointment with this token; None if it opens nothing (any more), or another one."""
    async with house.db.reading() as tx:
        found = await _open(tx, house.secret, token, house.clock())
    return _holder(*found) if found and found[1].id == appointment else None


async def holds_any(house: House, tokens: Collection[str]) -> bool:
    """True if one of these tokens may open something: so a socket may be opened before it says what it wants."""
    async with house.db.reading() as tx:
        return await links.any_living(tx, [rules.fingerprint(house.secret, token) for token in tokens])


async def again(house: House, actor: Actor) -> tuple[Actor, datetime] | None:
    """Who a link's holder is by now, and when to ask again: when its page closes, in a day at most, for that moves with the
    visit. None if it is closed already."""
    now = house.clock()
    async with house.db.reading() as tx:
        link = await links.by_id(tx, actor.link) if actor.link else None
        visit = await appointments.by_id(tx, link.appointment_id) if link else None
    if link is None or visit is None or not rules.opens(link, visit, now):
        return None
    until = rules.lasts_until(visit, link.until)
    return _holder(link, visit), min(until, now + A_DAY) if until > now else now + A_DAY  # under way beyond its promised end


async def sees(house: House, actor: Actor, appointment: str) -> bool:
    """True if somebody signed in may watch this appointment without a link."""
    async with house.db.reading() as tx:
        found = await appointments.by_id(tx, appointment)
    return found is not None and may_watch(actor, found)


async def _open(tx: Transaction, secret: bytes, token: str, now: datetime) -> tuple[Link, Appointment] | None:
    link = await links.by_hash(tx, rules.fingerprint(secret, token))
    visit = await appointments.by_id(tx, link.appointment_id if link else NOWHERE)
    return (link, visit) if link and visit and rules.opens(link, visit, now) else None


def _holder(link: Link, visit: Appointment) -> Actor:
    only = link.kind is Kind.FAMILY
    return Actor(Role.LINK_HOLDER, appointment=visit.id, link=link.id, session=link.id, view_only=only)
