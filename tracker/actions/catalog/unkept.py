"""Visits that a change of the plan leaves without their technician: marked with the change, unmarked when it is mended.

What stood outside the plan before (staff may hand a visit over to anybody) is not marked: only what the change itself breaks.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import date, timedelta

from tracker.actions.booking.crew import closed_between
from tracker.actions.house import House
from tracker.domain.attention import Reason, unkept
from tracker.domain.cells import epoch_s
from tracker.domain.shifts import Span
from tracker.records import attention, crew
from tracker.records.attention import Promised
from tracker.records.database import Transaction

NEAR = timedelta(days=2)
"""Visits of a closed day arrive so near to its midnight in UTC, whatever the zone, nights included."""


@asynccontextmanager
async def marking(
    tx: Transaction, house: House, technicians: Collection[str] | None = None, day: date | None = None
) -> AsyncIterator[None]:
    """Mark what the change within breaks: of some technicians, or of everybody with a visit round a ``day``.

    Their rows are locked, in id order, so that no booking comes between the two looks.
    """
    now = house.clock()
    start = attention.midnight(day) - NEAR if day else None
    span = (max(start, now), attention.midnight(day) + NEAR) if start and day else (now, None)
    who = await attention.with_promises(tx, *span) if technicians is None else technicians
    await attention.lock(tx, who)
    visits = await attention.promised(tx, who, *span)
    before = await _reasons(tx, house, visits)
    yield
    after = await _reasons(tx, house, visits)
    for visit in visits:
        if before[visit.id] != after[visit.id]:
            await attention.mark(tx, visit.id, after[visit.id])


async def _reasons(tx: Transaction, house: House, visits: list[Promised]) -> dict[str, Reason | None]:
    if not visits:
        return {}
    now, region = house.clock(), house.settings.now.holidays
    people = await attention.people(tx, {one.technician_id for one in visits})
    weeks = await crew.weeks(tx, list(people), now)
    works = {one.id: Span(epoch_s(one.arrival_at), epoch_s(one.ends_at)) for one in visits}
    first, last = min(work.start for work in works.values()), max(work.end for work in works.values())
    days = visits[0].arrival_at.date() - NEAR, max(one.ends_at for one in visits).date() + NEAR
    closed = closed_between(region, await crew.closed(tx, *days), first, last)
    active = {person.id for person, active in people.items() if active}

    def reason(one: Promised) -> Reason | None:
        if one.technician_id not in active:
            return Reason.INACTIVE
        week = weeks[one.technician_id]
        work = works[one.id]
        near = frozenset(day for day in closed if abs(day - one.arrival_at.date()) <= NEAR)
        return unkept(week.hours, week.breaks, week.away, week.zone, near, work)

    return {one.id: reason(one) for one in visits}
