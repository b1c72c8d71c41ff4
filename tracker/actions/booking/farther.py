"""Technicians beyond the nearest: who works and is not promised at a time that nobody nearer can make."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from tracker.actions.booking.crew import Company, Range, days_round
from tracker.actions.house import House
from tracker.domain.duty import WeekHours
from tracker.domain.openings import upon, within
from tracker.domain.shifts import weekly_shifts
from tracker.records import openings
from tracker.records.crew import Person
from tracker.records.database import Transaction

SIFTED_TOGETHER = 1000
"""Technicians whose promised stretches are read together."""


class Perhaps(NamedTuple):
    """Somebody who works and is not promised at some of the times (bits): travel and breaks are not looked at yet."""

    person: Person
    times: int


class Asked(NamedTuple):
    """Which times (in order) of how much work, the days on which nobody begins to work, and what counts as free."""

    times: Sequence[int]
    duration_s: int
    closed: frozenset[date]
    now: datetime
    but: Collection[str] = ()


async def perhaps_free(house: House, around: Range, asked: Asked, seen: Collection[str]) -> AsyncIterator[list[Perhaps]]:
    """Those who may be sent, are not among ``seen`` and may be free at any of the times, roughly the nearest first."""
    async with house.db.reading() as tx:
        people = [one for one in await around.everybody(tx, house.company) if one.id not in seen]
        works = await _working(tx, house.company, people, asked)
    people = [one for one in people if works.get(one.id)]
    for first in range(0, len(people), SIFTED_TOGETHER):
        some = people[first : first + SIFTED_TOGETHER]
        async with house.db.reading() as tx:
            end = asked.times[-1] + asked.duration_s
            taken = await openings.taken(tx, [one.id for one in some], asked.times[0], end, asked.now, asked.but)
        free = [Perhaps(one, works[one.id] & ~upon(asked.times, taken.get(one.id, ()), asked.duration_s)) for one in some]
        yield [one for one in free if one.times]


async def _working(tx: Transaction, company: Company, people: Sequence[Person], asked: Asked) -> dict[str, int]:
    """The times that lie in the weekly hours of each of these technicians."""
    pattern: dict[tuple[str, WeekHours], int] = {}
    for zone in {one.zone for one in people}:
        days = days_round(asked.times[0], asked.times[-1], zone)
        for hours in company.hours:
            shifts = weekly_shifts((hours,), (), zone, *days, asked.closed)
            if found := within(asked.times, [span for shift in shifts for span in shift.work]):
                pattern[zone, hours] = found
    rows = await openings.working(tx, {hours for _, hours in pattern})
    works: dict[str, int] = {}
    for one in people:
        for hours in rows.get(one.id, ()):
            works[one.id] = works.get(one.id, 0) | pattern.get((one.zone, hours), 0)
    return works
