"""Holds: a chosen time kept for a few minutes while a person fills in the form (B11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracker.actions.booking import keeping
from tracker.actions.booking.booking import check_offered, promised
from tracker.actions.booking.needs import Need, wanted
from tracker.actions.booking.searching import Search, own
from tracker.actions.booking.taking import Taking
from tracker.actions.booking.travel import Ways
from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.domain.cells import epoch_s
from tracker.domain.slots import Fit
from tracker.errors import HoldExtended, HoldOver, NotAllowed, NotBookable
from tracker.records import customers, holds, technicians
from tracker.records.database import Transaction, new_id
from tracker.records.holds import Hold
from tracker.records.promises import Owner
from tracker.records.violations import ConstraintViolated, Retry

MOST_HELD = 5
"""Times that are held for one account at once, from any number of browsers: nobody keeps a day from everybody else."""


async def hold(house: House, actor: Actor, need: Need, arrival_at: datetime) -> Hold:
    """Hold a time for this session; what it held before is given back in the same transaction.

    Errors: as `booking.book`; `NotAllowed` without a session (a token of a program holds nothing); `NotBookable` while
    other browsers hold as many times for a customer's account as may be held.
    """
    session = _session(actor)
    async with house.db.reading() as tx:
        search = Search(house, await wanted(tx, house, actor, need), *await own(tx, actor))
    check_offered(search, actor, arrival_at)
    holding = _Holding(house, session, search, limited=not actor.staff)
    holding.taking = Taking(search, epoch_s(arrival_at), holding.write)
    if search.hold is not None and search.hold.arrival_at == arrival_at:
        holding.taking.first = search.hold.technician_id
    return await holding.taking.done(refused=search.refusal(epoch_s(arrival_at), staff=actor.staff))


async def held(house: House, actor: Actor) -> Hold | None:
    """The session's hold, if it has not ended."""
    if actor.session is None:
        return None
    async with house.db.reading() as tx:
        found = await holds.of_session(tx, actor.session)
    return found if found is not None and found.expires_at > house.clock() else None


async def extend_hold(house: House, actor: Actor) -> Hold:
    """Keep the session's hold for the same time again, once; `HoldOver` if it has ended, `HoldExtended` if it was before."""
    session = _session(actor)

    async def work(tx: Transaction) -> Hold:
        now, before = house.clock(), await holds.of_session(tx, session)
        if before is not None:
            await technicians.locked(tx, before.technician_id)
        found = await holds.of_session(tx, session)  # as it is now: it may have been extended or given up meanwhile
        if found is None or found.expires_at <= now or not (actor.staff or found.account_id in actor.accounts):
            raise HoldOver  # over, or for an account that is theirs no more
        if found.extended:
            raise HoldExtended
        await holds.extend(tx, found, found.expires_at + timedelta(minutes=house.settings.now.hold_min))
        after = await holds.of_session(tx, session)
        if after is None:  # it was given up meanwhile
            raise HoldOver
        return after

    return await house.db.retrying(work)


async def drop_hold(house: House, actor: Actor) -> None:
    """Give the session's hold back; nothing if there is none."""
    if actor.session is None:
        return
    async with house.db.reading() as tx:
        found = await holds.of_session(tx, actor.session)
    if found is not None:
        await give_back(house, found)


async def give_back(house: House, found: Hold) -> None:
    """Remove a hold and promise the next visit its travel anew."""
    now, ways = house.clock(), Ways(house.router, house.travels)
    start, end = epoch_s(found.arrival_at), epoch_s(found.ends_at)
    async with house.db.reading() as tx:
        diary = await keeping.diary_of(tx, house, found.technician_id, start, end, now)
    if diary is not None:
        await ways.learn(keeping.pairs_after(diary, start, found.id))

    async def work(tx: Transaction) -> None:
        await technicians.locked(tx, found.technician_id)
        await holds.remove(tx, found.id)
        if diary is not None:
            await keeping.mend_after(tx, diary, start, house.clock(), ways)

    await house.db.retrying(work)


async def sweep_holds(house: House) -> int:
    """Remove the holds that have ended; how many."""
    async with house.db.reading() as tx:
        ended = await holds.expired(tx, house.clock())
    for each in ended:
        await give_back(house, each)
    return len(ended)


def _session(actor: Actor) -> str:
    if actor.session is None:
        raise NotAllowed
    return actor.session


@dataclass(slots=True)
class _Holding:
    house: House
    session: str
    search: Search
    limited: bool
    taking: "Taking[Hold]" = None  # type: ignore[assignment]  # made of `write`

    async def write(self, tx: Transaction, fit: Fit, reason: dict[str, Any], now: datetime) -> Hold:
        """The old hold away, the new one there, with its cells."""
        made = self._hold(fit, reason, now)
        if self.limited:
            await customers.locked_account(tx, made.account_id)  # two of them at once are counted one after the other
            if await holds.others_of(tx, made.account_id, self.session, now) >= MOST_HELD:
                raise NotBookable("Other times are being held for this account in other browsers. Book or wait a few minutes.")
        await self.taking.drop_hold(tx)
        try:
            await holds.add(tx, made)
        except ConstraintViolated as violated:
            if violated.name == "uq_holds_session_id":  # the same session, twice at once
                raise Retry from violated
            raise
        await keeping.take(tx, fit, Owner(hold=made.id))
        await self.taking.mend_hold(tx, now)
        return made

    def _hold(self, fit: Fit, reason: dict[str, Any], now: datetime) -> Hold:
        wanted = self.search.wanted
        return Hold(
            id=new_id(),
            session_id=self.session,
            account_id=wanted.account.id,
            service_type_id=wanted.service.id,
            lat=wanted.place.point.lat,
            lon=wanted.place.point.lon,
            created_at=now,
            expires_at=now + timedelta(minutes=self.house.settings.now.hold_min),
            **promised(fit, reason),
        )
