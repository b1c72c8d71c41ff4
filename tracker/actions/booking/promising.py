"""What a step of an appointment does to promised time: given back, moved to now, or given to another technician.

Nothing here refuses a step because of travel: what cannot be reached in time is flagged for a dispatcher (B10).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tracker.actions.booking import keeping
from tracker.actions.booking.travel import Ways
from tracker.actions.house import House
from tracker.domain.appointments import State
from tracker.domain.cells import after_cell, cells, epoch_s, first_cell
from tracker.domain.diaries import HERE, Diary, Promise
from tracker.domain.slots import way_to
from tracker.errors import SlotTaken
from tracker.records import appointments, promises
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.promises import Owner, owner_of
from tracker.records.violations import ConstraintViolated

WORKS_ELSEWHERE = "This technician works elsewhere at that time. Choose another technician or another time."
PATIENCE_S = 2.0
"""Nobody waits longer for the router to give a visit up; then distance counts."""


@dataclass(slots=True)
class Promising:
    """The days that a change of one appointment concerns, read before its transaction; `know` learns the travels."""

    house: House
    diaries: dict[str, Diary] = field(default_factory=dict)
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        self.ways = Ways(self.house.router, self.house.travels)

    async def know(self, visit: Appointment, technicians: Iterable[str | None]) -> None:
        """Read the days of these technicians round the visit, and ask for the travels that mending them will want."""
        now = self.house.clock()
        start, end = epoch_s(visit.arrival_at), epoch_s(max(visit.ends_at, visit.arrival_at))
        async with self.house.db.reading() as tx:
            for technician in technicians:
                if technician is None or technician in self.diaries:
                    continue
                diary = await keeping.diary_of(tx, self.house, technician, start, end, now)
                if diary is not None:
                    self.diaries[technician] = diary
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.ways.learn(pair for diary in self.diaries.values() for pair in self._wanted(diary, visit, start))
        except TimeoutError:
            return

    def _wanted(self, diary: Diary, visit: Appointment, start: int) -> Iterable[tuple[Any, Any]]:
        yield from keeping.pairs_after(diary, start, visit.id)
        before, _, after = diary.around(start)
        yield from ((before.place, visit.place),) if before is not None else ()
        yield from ((visit.place, after.place),) if after is not None else ()
        yield from ((diary.home, visit.place),) if diary.home is not None else ()

    async def given_back(self, tx: Transaction, visit: Appointment, now: datetime, *, freed: bool = False) -> None:
        """The technician's time is free again; the next visit is reached from somewhere else now. Call it after the change."""
        if not freed:
            await promises.free(tx, Owner(visit.id))
        diary = self.diaries.get(visit.technician_id or "")
        if diary is not None:
            await keeping.mend_after(tx, diary, epoch_s(visit.arrival_at), now, self.ways)

    async def given_to(self, tx: Transaction, visit: Appointment, technician: str, now: datetime) -> dict[str, Any]:
        """Another technician's time is taken, as staff say: travel may not fit, but never work upon work (`SlotTaken`).

        The columns that say so. Call it when the old technician's time was given back.
        """
        known = self.diaries.get(technician)
        if known is None:
            return {}
        arrival, ends = epoch_s(visit.arrival_at), epoch_s(visit.arrival_at + timedelta(minutes=visit.duration_min))
        diary = await keeping.reread_cleared(tx, known, arrival, ends, now, self.ways, but={visit.id})
        _refuse_work_upon_work(diary, arrival, ends)
        await self._make_way(tx, diary, arrival, ends)
        mine = Promise(visit.id, arrival, arrival, ends, visit.place)
        origin = way_to(diary.with_promises([*diary.promises, mine]), mine)
        travel = self.ways.certain(origin, visit.place) if origin is not None else HERE
        await _work(tx, technician, cells(arrival, ends), Owner(visit.id))
        leaves = range(first_cell(arrival - travel.s), first_cell(arrival))
        whole = await promises.take_free(tx, technician, leaves, Owner(visit.id))
        reason = {"m": travel.m, "s": travel.s, "next_m": None, "candidates": None, "source": travel.source, "by": "staff"}
        columns = {"travel_s": travel.s, "travel_m": travel.m, "travel_source": travel.source}
        return {**columns, "chosen": reason, "flag": None if whole else promises.TRAVEL}

    async def _make_way(self, tx: Transaction, diary: Diary, arrival: int, ends: int) -> None:
        """The travel of others gives way to work; it is promised anew by `mend_after`."""
        for other in diary.promises:
            if other.arrival >= ends and first_cell(other.begins) < after_cell(ends):
                await promises.free(tx, owner_of(other), before=after_cell(ends))

    async def follow(self, tx: Transaction, visit: Appointment, now: datetime) -> None:
        """After `given_to` and the change of the row: the travel to whatever comes next begins here now."""
        diary = self.diaries.get(visit.technician_id or "")
        if diary is not None:
            await keeping.mend_after(tx, diary, epoch_s(visit.arrival_at) + 1, now, self.ways, anyway=True)

    async def stepped(self, tx: Transaction, before: Appointment, after: Appointment, now: datetime) -> None:
        """A step was taken: what it does to the promised time, for every arrow of the state diagram."""
        if after.technician_id is None:
            return
        match after.state:
            case State.CANCELED:
                await self.given_back(tx, before, now)
            case State.COMPLETED:
                await promises.free(tx, Owner(after.id), since=after_cell(epoch_s(now)))
            case State.TRAVELING | State.IN_PROGRESS:
                await occupy(tx, after, epoch_s(now), epoch_s(max(after.ends_at, now)))
            case State.SCHEDULED:
                await occupy(tx, after, epoch_s(after.arrival_at) - (after.travel_s or 0), epoch_s(after.ends_at))


async def occupy(tx: Transaction, visit: Appointment, start: int, end: int) -> None:
    """A visit's stretch is this from now on, as far as it is free; whoever is in its way is flagged."""
    await promises.free(tx, Owner(visit.id))
    if visit.technician_id is not None:
        endangered = await keeping.take_what_is_free(tx, visit.technician_id, start, end, Owner(visit.id))
        waits = visit.state is State.SCHEDULED and bool(endangered)  # its time was another's by then
        await keeping.flag(tx, endangered | ({Owner(visit.id)} if waits else set()))


async def adopt(tx: Transaction, visit: Appointment) -> None:
    """Promise the time of an appointment that was put there by hand, as far as it is free."""
    if visit.state is State.SCHEDULED:
        await occupy(tx, visit, epoch_s(visit.arrival_at) - (visit.travel_s or 0), epoch_s(visit.ends_at))
    elif visit.state in (State.TRAVELING, State.IN_PROGRESS):
        await occupy(tx, visit, epoch_s(visit.since), epoch_s(visit.ends_at))


async def adopt_again(tx: Transaction, visit: str) -> None:
    """`adopt` for an appointment that was changed in this transaction."""
    found = await appointments.by_id(tx, visit)
    if found is not None:
        await adopt(tx, found)


async def _work(tx: Transaction, technician: str, wanted: range, owner: Owner) -> None:
    try:
        await promises.take(tx, technician, wanted, owner, at_once=True)
    except ConstraintViolated as violated:
        if violated.name != promises.KEY:
            raise
        raise SlotTaken(WORKS_ELSEWHERE) from violated


def _refuse_work_upon_work(diary: Diary, arrival: int, ends: int) -> None:
    wanted = cells(arrival, ends)
    for other in diary.promises:
        work = cells(other.arrival, other.ends)
        if work.start < wanted.stop and wanted.start < work.stop:
            raise SlotTaken(WORKS_ELSEWHERE)
