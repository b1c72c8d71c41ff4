"""Technicians beyond the nearest: who works and is not promised at a time that nobody nearer can make."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from tracker.actions.booking.crew import Range, days_round
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


@dataclass
class Farther:
    """Everybody who may be sent to a place, read once for all days of a search: a booking judges anew by what is so then.

    Thousands are sifted by the database, for a few searches at once: the others wait here, everybody else's requests do not.
    """

    house: House
    around: Range
    _people: list[Person] | None = None
    _hours: dict[frozenset[WeekHours], dict[str, list[WeekHours]]] = field(default_factory=dict)

    async def perhaps_free(self, asked: Asked, seen: Collection[str]) -> AsyncIterator[list[Perhaps]]:
        """Those who are not among ``seen`` and may be free at any of the times, roughly the nearest first."""
        house = self.house
        async with house.sifting, house.db.reading() as tx:
            if self._people is None:
                self._people = await self.around.everybody(tx, house.company)
            works = await self._working(tx, self._people, asked)
        people = [one for one in self._people if works.get(one.id) and one.id not in seen]
        for first in range(0, len(people), SIFTED_TOGETHER):
            some = people[first : first + SIFTED_TOGETHER]
            async with house.sifting, house.db.reading() as tx:
                some = await _with_room(tx, some, works, asked)
                taken = await openings.taken(tx, [one.id for one in some], *_span(asked), asked.now, asked.but) if some else {}
            free = [Perhaps(one, works[one.id] & ~upon(asked.times, taken.get(one.id, ()), asked.duration_s)) for one in some]
            yield [one for one in free if one.times]

    async def _working(self, tx: Transaction, people: Sequence[Person], asked: Asked) -> dict[str, int]:
        """The times that lie in the weekly hours of each of these technicians."""
        pattern: dict[tuple[str, WeekHours], int] = {}
        for zone in {one.zone for one in people}:
            days = days_round(asked.times[0], asked.times[-1], zone)
            for hours in self.house.company.hours:
                shifts = weekly_shifts((hours,), (), zone, *days, asked.closed)
                if found := within(asked.times, [span for shift in shifts for span in shift.work]):
                    pattern[zone, hours] = found
        wanted = frozenset(hours for _, hours in pattern)
        if wanted not in self._hours:
            self._hours[wanted] = await openings.working(tx, wanted)
        rows, works = self._hours[wanted], dict[str, int]()
        for one in people:
            for hours in rows.get(one.id, ()):
                works[one.id] = works.get(one.id, 0) | pattern.get((one.zone, hours), 0)
        return works


def _span(asked: Asked) -> tuple[int, int]:
    return asked.times[0], asked.times[-1] + asked.duration_s


async def _with_room(tx: Transaction, people: list[Person], works: dict[str, int], asked: Asked) -> list[Person]:
    """Those who have a gap that is long enough while they work: of the others nothing more is read."""
    together: dict[int, list[str]] = {}
    for one in people:
        together.setdefault(works[one.id], []).append(one.id)
    full = set[str]()
    for times, ids in together.items():
        first, last = asked.times[(times & -times).bit_length() - 1], asked.times[times.bit_length() - 1]
        full |= await openings.full(tx, ids, first, last + asked.duration_s, asked.duration_s, asked.but)
    return [one for one in people if one.id not in full]
