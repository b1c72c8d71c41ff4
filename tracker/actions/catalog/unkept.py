"""Visits that a change of the plan leaves without their technician: marked with the change, unmarked when it is mended.

What stood outside the plan before (staff may hand a visit over to anybody) is not marked: only what the change itself breaks.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

from tracker.actions.booking.crew import closed_between, public_holidays
from tracker.domain.attention import Reason, unkept
from tracker.domain.cells import epoch_s
from tracker.domain.shifts import Span
from tracker.records import attention, crew, settings
from tracker.records.attention import Promised
from tracker.records.database import Transaction

NEAR = timedelta(days=2)
"""Visits of a closed day arrive so near to its midnight in UTC, whatever the zone, nights included."""
FARTHEST = timedelta(days=366)
"""Beyond the longest horizon."""


@asynccontextmanager
async def marking(
    tx: Transaction, now: datetime, technicians: Collection[str] | None = None, days: Collection[date] = ()
) -> AsyncIterator[None]:
    """Mark what the change within breaks: of some technicians, or of everybody with a visit round some ``days``.

    Their rows are locked, in id order, so that no booking comes between the two looks; for days everybody's are, so that
    none begins to be promised one.
    """
    await attention.lock(tx, technicians)
    visits = await _round(tx, now, days) if technicians is None else await attention.promised(tx, technicians, now, None)
    before = await _reasons(tx, now, visits)
    yield
    after = await _reasons(tx, now, visits)
    for visit in visits:
        if before[visit.id] != after[visit.id]:
            await attention.mark(tx, visit.id, after[visit.id])


async def holidays_that_differ(tx: Transaction, now: datetime, old: str, new: str) -> set[date]:
    """The days up to the last visit to come, and as far as anybody may book, that are holidays of one region only."""
    last = max(await attention.last(tx, now) or now, now + FARTHEST)
    years = range((now - NEAR).year, (last + NEAR).year + 1)
    return {day for year in years for day in public_holidays(old, year) ^ public_holidays(new, year)}


async def _round(tx: Transaction, now: datetime, days: Collection[date]) -> list[Promised]:
    """Everybody's visits to come round some days, by arrival."""
    found: dict[str, Promised] = {}
    for day in sorted(days):
        span = max(attention.midnight(day) - NEAR, now), attention.midnight(day) + NEAR
        if span[0] < span[1]:
            who = await attention.with_promises(tx, *span)
            found |= {one.id: one for one in await attention.promised(tx, who, *span)}
    return sorted(found.values(), key=lambda one: (one.arrival_at, one.id))


async def _reasons(tx: Transaction, now: datetime, visits: list[Promised]) -> dict[str, Reason | None]:
    if not visits:
        return {}
    region = (await settings.read(tx)).holidays
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
