"""Promised time inside a transaction: taken, given back, and the travel to the next visit promised anew.

Whoever calls this holds the technician's row locked (`technicians.locked`), and learned the travels before: the router is
never asked here.
"""

from collections.abc import Collection
from datetime import datetime

from tracker.actions.booking.crew import closed_between, diaries, shifts_of
from tracker.actions.booking.travel import Ways
from tracker.actions.house import House
from tracker.domain.cells import cells, epoch_s, first_cell
from tracker.domain.diaries import Diary, Promise, Travel
from tracker.domain.geo import Point
from tracker.domain.slots import Fit, way_to
from tracker.records import crew, holds, plans, promises, stories
from tracker.records.database import Transaction
from tracker.records.promises import Owner, owner_of


async def diary_of(tx: Transaction, house: House, technician: str, start: int, end: int, now: datetime) -> Diary | None:
    """A technician's diary between two moments, whoever may send them; None for nobody of that id."""
    person = await crew.person(tx, technician)
    if person is None:
        return None
    return (await diaries(tx, house.company, [person], start, end, now, house.settings.now.holidays))[0]


async def reread(tx: Transaction, diary: Diary, start: int, end: int, now: datetime, but: Collection[str] = ()) -> Diary:
    """The diary as it is promised now, in this transaction; the shifts stay as they were known."""
    promised = await stories.of_technicians(tx, [diary.technician], start, end, now, but=but)
    return diary.with_promises(promised[diary.technician])


async def reread_cleared(
    tx: Transaction, diary: Diary, start: int, end: int, now: datetime, ways: Ways, but: Collection[str] = ()
) -> Diary:
    """`reread`, after holds that have ended were removed: they are in nobody's way (B11)."""
    who = (diary.technician,)
    rows = await tx.tuples(*stories.asked(who, start, end, now))
    return await _cleared(tx, diary, stories.answered(rows, who, now, but), ways, (start, end, now, but))


async def as_now(
    tx: Transaction, diary: Diary, start: int, end: int, now: datetime, ways: Ways, but: Collection[str] = ()
) -> Diary | None:
    """`reread_cleared`, with the shifts of the plan as it is in this transaction, too; None: they are not in use any more.

    Whoever changes a plan has its technicians locked: so a change has seen what was promised before it, and what is
    promised after it has seen the change, in whatever process.
    """
    who = (diary.technician,)
    told, planned = await tx.together(stories.asked(who, start, end, now), plans.asked(diary.technician, start, end))
    plan = plans.answered(planned)
    if plan is None:
        return None
    shifts = shifts_of(plan.week, start, end, closed_between(plan.region, plan.closed, start, end))
    diary = Diary(diary.technician, plan.week.home, shifts, diary.promises)
    return await _cleared(tx, diary, stories.answered(told, who, now, but), ways, (start, end, now, but))


async def _cleared(
    tx: Transaction,
    diary: Diary,
    found: tuple[dict[str, list[Promise]], list[str]],
    ways: Ways,
    again: tuple[int, int, datetime, Collection[str]],
) -> Diary:
    promised, ended = found
    if not ended:
        return diary.with_promises(promised[diary.technician])
    await clear_expired(tx, diary, again[2], ways)
    return await reread(tx, diary, *again)


async def clear_expired(tx: Transaction, diary: Diary, now: datetime, ways: Ways) -> None:
    """Holds of this technician that have ended are in nobody's way (B11)."""
    for hold in await holds.expired(tx, now, diary.technician):
        await holds.remove(tx, hold.id)
        await mend_after(tx, diary, epoch_s(hold.arrival_at), now, ways)


async def take(tx: Transaction, fit: Fit, owner: Owner) -> None:
    """Promise the stretch of a fit, and the travel from it to the next visit; `ConstraintViolated` if it is taken.

    The next visit gives the front of its old travel first, and gets that of the new one last.
    """
    if fit.after is not None and fit.mended is not None:
        await promises.free(tx, owner_of(fit.after), before=first_cell(fit.mended))
    await promises.take(tx, fit.technician, fit.cells, owner)
    if fit.after is not None and fit.outward is not None:
        await travel_anew(tx, fit.technician, fit.after, fit.outward)


async def travel_anew(tx: Transaction, technician: str, promise: Promise, travel: Travel) -> None:
    """Promise another travel to a visit or hold. What cannot be had is left, and the visit flagged: nothing is refused here."""
    leaves, owner = promise.arrival - travel.s, owner_of(promise)
    await promises.free(tx, owner, before=first_cell(leaves))
    whole = await promises.take_free(tx, technician, range(first_cell(leaves), first_cell(promise.arrival)), owner)
    await promises.set_travel(tx, promise, travel.s, travel.m, travel.source, flag=None if whole else promises.TRAVEL)


async def mend_after(tx: Transaction, diary: Diary, arrival: int, now: datetime, ways: Ways, *, anyway: bool = False) -> None:
    """After a stretch was given back: promise the next visit the travel from where the technician comes from now.

    ``anyway``: also if it takes as long as before, because cells of it were taken.
    """
    diary = await reread(tx, diary, arrival, arrival, now)
    _, _, after = diary.around(arrival)
    if after is None or not after.mendable:
        return
    origin = way_to(diary, after)
    if origin is None:
        return
    travel = ways.certain(origin, after.place)
    if anyway or travel.s != after.arrival - after.begins:
        await travel_anew(tx, diary.technician, after, travel)


def pairs_after(diary: Diary, arrival: int, gone: str) -> list[tuple[Point, Point]]:
    """The travels that `mend_after` will want when a promise is gone: learn them before the transaction."""
    left = diary.with_promises([promise for promise in diary.promises if promise.id != gone])
    _, _, after = left.around(arrival)
    origin = way_to(left, after) if after is not None and after.mendable else None
    return [(origin, after.place)] if after is not None and origin is not None else []


async def take_what_is_free(tx: Transaction, technician: str, start: int, end: int, owner: Owner) -> set[Owner]:
    """Promise what nobody has of a stretch that cannot be refused (work that began, or overruns); whose the rest is."""
    wanted = cells(start, end)
    if await promises.take_free(tx, technician, wanted, owner):
        return set()
    return await promises.owners(tx, technician, wanted) - {owner}


async def flag(tx: Transaction, endangered: set[Owner]) -> None:
    """Say that these visits are run into; holds are not flagged, they end by themselves."""
    for owner in endangered:
        if owner.appointment is not None:
            await promises.set_flag(tx, owner.appointment, promises.LATE)
