"""The technicians who may be sent to a place, the nearest first, and their diaries."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import cos, radians
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry import shape

from tracker.domain.cells import moment
from tracker.domain.diaries import Diary
from tracker.domain.duty import WeekHours
from tracker.domain.geo import Point, distance_m
from tracker.domain.shifts import Shift, shifts_without, weekly_shifts
from tracker.records import crew, promises, stories
from tracker.records.crew import Box, Needed, Person, Week
from tracker.records.database import Transaction

BATCH, GROWS = 12, 3
"""Technicians whose diaries are read together: the nearest few, then three times as many, and so on."""
ALL_AT_ONCE = 300
"""A company of so many is looked at as a whole; in a larger one the surroundings of the place are searched in rings."""
MOST_WEEKS, MOST_LATELY = 20_000, 2_000
FIRST_RING_M = 1_000.0
LAST_RING_M = 1_024_000.0
"""Rings double up to this; then everybody is looked at."""
WEEK_LASTS_S = 2.0
"""Hours, absences and closed days are read again after this: as fast as settings, a change reaches everybody."""
BOUND_LASTS_S = 1.5
"""When anybody works; less, because those who come while one reads it again go on with what was known."""


@dataclass
class Company:
    """What a process remembers of the company between requests: bounds and geometry, never who is free."""

    clock: Callable[[], float] = time.monotonic
    size: int = 0
    hours: frozenset[WeekHours] = frozenset()
    zones: frozenset[str] = frozenset()
    _until: float = -1.0
    _areas: dict[tuple[str, int], Any] = field(default_factory=dict)
    _weeks: dict[str, tuple[float, Week]] = field(default_factory=dict)
    _closed: tuple[float, frozenset[date]] = (-1.0, frozenset())
    _lately: dict[Hashable, tuple[float, Any]] = field(default_factory=dict)

    async def refresh(self, tx: Transaction) -> None:
        """Read again how many technicians there are and when anybody works, if that is a while ago."""
        now = self.clock()
        if now < self._until:
            return
        if self.zones:
            self._until = now + BOUND_LASTS_S  # one reads for all: thousands of rows
        try:
            self.size = await crew.how_many(tx)
            self.hours, self.zones = await crew.patterns(tx)
        except BaseException:
            self._until = -1.0
            raise
        self._until = now + BOUND_LASTS_S

    async def weeks(self, tx: Transaction, people: Sequence[Person], now: datetime) -> dict[str, Week]:
        """Hours, breaks and absences (not long past ones) of these technicians."""
        moment_s = self.clock()
        if len(self._weeks) > MOST_WEEKS:
            self._weeks.clear()
        known = {one.id: kept[1] for one in people if (kept := self._weeks.get(one.id)) and moment_s < kept[0]}
        missing = [one for one in people if one.id not in known]
        if missing:
            read = await crew.weeks(tx, missing, now - promises.REACH)
            self._weeks |= {technician: (moment_s + WEEK_LASTS_S, week) for technician, week in read.items()}
            known |= read
        return known

    def forget(self) -> None:
        """Staff of this process changed something: read all of it again (other processes do within two seconds)."""
        self._until, self._closed = -1.0, (-1.0, frozenset())
        self._weeks.clear()
        self._lately.clear()

    async def lately[T](self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What was read within the last two seconds, else what ``ask`` reads: for what staff edit, never for who is free."""
        moment_s = self.clock()
        kept = self._lately.get(key)
        if kept is None or moment_s >= kept[0]:
            if len(self._lately) > MOST_LATELY:
                self._lately.clear()
            kept = self._lately[key] = (moment_s + WEEK_LASTS_S, await ask())
        answer: T = kept[1]
        return answer

    async def closed(self, tx: Transaction, now: datetime) -> frozenset[date]:
        """The company's own closed days from now on."""
        if self.clock() >= self._closed[0]:
            today = (now - promises.REACH).date()
            self._closed = self.clock() + WEEK_LASTS_S, await crew.closed(tx, today, today + timedelta(days=800))
        return self._closed[1]

    async def territories_at(self, tx: Transaction, place: Point, near: Iterable[tuple[str, int]]) -> tuple[str, ...]:
        """Those of some territories (id and version) whose area holds a place, the border included."""
        point = shapely.Point(place.lon, place.lat)
        return tuple([territory for territory, version in near if (await self._area(tx, territory, version)).covers(point)])

    async def _area(self, tx: Transaction, territory: str, version: int) -> Any:
        if (territory, version) not in self._areas:
            area = shape(await crew.area_of(tx, territory) or {"type": "Polygon", "coordinates": []})
            shapely.prepare(area)
            self._areas = {key: kept for key, kept in self._areas.items() if key[0] != territory} | {(territory, version): area}
        return self._areas[territory, version]

    def anybody_works(self, times: Sequence[int], duration_s: int, closed: frozenset[date]) -> list[int]:
        """Those times at which somebody's weekly hours would allow the work, but for closed days: no other need be looked at."""
        if not times:
            return []
        worked = [
            Diary("", None, weekly_shifts(tuple(sorted(self.hours)), (), zone, *days_round(times[0], times[-1], zone), closed))
            for zone in self.zones
        ]
        return [
            each
            for each in times
            if any((shift := diary.shift_at(each)) and shift.window(each, each + duration_s) for diary in worked)
        ]


def days_round(start: int, end: int, zone: str) -> tuple[date, date]:
    """The local days of two moments, and one more on both sides."""
    first, last = (moment(each).astimezone(ZoneInfo(zone)).date() for each in (start, end))
    return first - timedelta(days=1), last + timedelta(days=1)


@lru_cache(maxsize=64)
def public_holidays(region: str, year: int) -> frozenset[date]:
    """The public holidays of a country ("FI") or a part of one ("DE-BY") in one year."""
    if not region:
        return frozenset()
    import holidays  # only where a region is set: importing it takes a while

    country, _, part = region.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def closed_between(region: str, own: frozenset[date], start: int, end: int) -> frozenset[date]:
    """Days on which nobody begins to work: public holidays and the company's own."""
    first, last = moment(start).date() - timedelta(days=2), moment(end).date() + timedelta(days=2)
    public = [public_holidays(region, year) for year in range(first.year, last.year + 1)]
    return frozenset(day for days in (*public, own) for day in days if first <= day <= last)


async def diaries(
    tx: Transaction,
    company: Company,
    people: Sequence[Person],
    start: int,
    end: int,
    now: datetime,
    region: str,
    but: Collection[str] = (),
) -> list[Diary]:
    """The diaries of technicians between two moments (seconds since the epoch), in the same order."""
    if not people:
        return []
    closed = closed_between(region, await company.closed(tx, now), start, end)
    weeks = await company.weeks(tx, people, now)
    promised = await stories.of_technicians(tx, [person.id for person in people], start, end, now, but=but)
    return [Diary(each.id, each.home, shifts_of(weeks[each.id], start, end, closed), promised[each.id]) for each in people]


def shifts_of(week: Week, start: int, end: int, closed: frozenset[date]) -> Sequence[Shift]:
    """A technician's shifts between two moments."""
    plain = weekly_shifts(week.hours, week.breaks, week.zone, *days_round(start, end, week.zone), closed)
    return shifts_without(plain, week.away)


@dataclass(frozen=True, slots=True)
class Range:
    """Who is looked for: what is needed, round which place, how far from home at most (0: any distance)."""

    needed: Needed
    place: Point
    radius_m: float

    def serves(self, person: Person) -> bool:
        """Whether the place lies within the radius of the technician's home."""
        return not self.radius_m or person.home is None or distance_m(person.home, self.place) <= self.radius_m

    def away_m(self, person: Person) -> float:
        """How far the home base is; infinitely if it is not known."""
        return float("inf") if person.home is None else distance_m(person.home, self.place)

    async def everybody(self, tx: Transaction, company: Company) -> list[Person]:
        """All who may be sent, the nearest first."""
        return await company.lately(self, lambda: self._everybody(tx, company))

    async def _everybody(self, tx: Transaction, company: Company) -> list[Person]:
        qualified = await company.lately(self.needed, lambda: crew.qualified(tx, self.needed))
        found = [(self.away_m(person), person.id, person) for person in qualified if self.serves(person)]
        return [person for _, _, person in sorted(found, key=lambda one: one[:2])]

    async def within(self, tx: Transaction, metres: float, but: Collection[str] = ()) -> list[Person]:
        """Those with their home base within so many metres, the nearest first, without some."""
        found = await crew.qualified(tx, self.needed, box=box_round(self.place, metres))
        away = [(self.away_m(person), person) for person in found if person.id not in but]
        reach = min(metres, self.radius_m or metres)
        return [person for far, person in sorted(away, key=lambda one: (one[0], one[1].id)) if far <= reach]

    async def rings(self, tx: Callable[[], Any], company: Company) -> AsyncIterator[list[Person]]:
        """Batches of technicians, roughly the nearest first; each reading is a short transaction of its own."""
        seen: set[str] = set()
        batch = BATCH
        metres, waiting = FIRST_RING_M, list[Person]()
        while True:
            everybody = company.size <= ALL_AT_ONCE or metres > LAST_RING_M
            async with tx() as reading:
                found = await (self.everybody(reading, company) if everybody else self.within(reading, metres, seen))
            waiting += [person for person in found if person.id not in seen]
            seen.update(person.id for person in waiting)
            while len(waiting) >= batch or (waiting and everybody):
                yield waiting[:batch]
                waiting, batch = waiting[batch:], batch * GROWS
            if everybody:
                return
            metres *= 2


def box_round(place: Point, metres: float) -> Box:
    """A box that holds every place within so many metres (great circle)."""
    dlat = metres / crew.METRES_PER_DEGREE
    south, north = place.lat - dlat, place.lat + dlat
    narrow = cos(radians(min(89.9, max(abs(south), abs(north)))))
    dlon = dlat / narrow
    if dlon >= 180 or south <= -90 or north >= 90:
        return Box(max(-90.0, south), -180.0, min(90.0, north), 180.0)
    return Box(south, (place.lon - dlon + 540) % 360 - 180, north, (place.lon + dlon + 540) % 360 - 180)
