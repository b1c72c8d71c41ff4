"""Which times can be offered: looked for day by day among the nearest technicians, until every time is settled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched, groupby
from zoneinfo import ZoneInfo

from tracker.actions.booking.crew import closed_between, diaries
from tracker.actions.booking.farther import Asked, Farther
from tracker.actions.booking.needs import Need, Place, Wanted, rules, wanted, wanted_again
from tracker.actions.booking.travel import Ways
from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.domain.cells import epoch_s, moment
from tracker.domain.diaries import Diary
from tracker.domain.grid import times_of_day
from tracker.domain.openings import bits
from tracker.domain.slots import look
from tracker.errors import BadInput, NotFound, SlotTaken, TimeOver, TooFarAhead, TooSoon
from tracker.records import appointments, holds
from tracker.records.crew import Person
from tracker.records.database import Transaction
from tracker.records.holds import Hold

NEAREST = 156
"""So many of the nearest have their diaries read; of all others only of those who may be free at a time that is still open."""
READ_TOGETHER = 108
"""Diaries of those others that are read together."""
MOST_DAYS = 31
NEXT_DAYS = 14
"""Days looked at together when the next free day is searched."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An arrival that can be booked. ``source``: travel was found on roads, or by distance only."""

    arrival_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class DayTimes:
    """A local day and what is offered on it, in order."""

    day: date
    offers: list[Offer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What is offered from ``first`` on, in the zone of the place. ``next_free``: the first day with any, if these have none."""

    place: Place
    zone: str
    first: date
    days: list[DayTimes]
    next_free: date | None
    source: str


async def times(
    house: House, actor: Actor, need: Need, first: date | None = None, days: int = 7, *, moving: str | None = None
) -> Times:
    """The arrivals that can be booked on some days. ``moving``: an appointment whose own time counts as free.

    What is to be done is then what that says, at its own place: moving it asks for the same, whatever became of the need since.
    Errors: those of `needs.wanted`; `BadInput` for too many days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"Ask for at most {MOST_DAYS} days at once.")
    async with house.db.reading() as tx:
        free = await own(tx, actor, moving)
        visit = await appointments.by_id(tx, moving) if moving in free[0] else None
        what = await wanted_again(tx, house, actor, visit) if visit else await wanted(tx, house, actor, need)
        search = Search(house, what, *free)
    first = max(first or search.today, search.today)
    offers = await search.offered(search.grid(first, days))
    return Times(
        place=search.wanted.place,
        zone=search.zone,
        first=first,
        days=[DayTimes(day, found) for day, found in _by_day(offers, search.zone, first, days)],
        next_free=None if offers else await search.next_free(first + timedelta(days=days)),
        source="distance" if any(source != "road" for source in offers.values()) else "road",
    )


def _by_day(offers: dict[int, str], zone: str, first: date, days: int) -> list[tuple[date, list[Offer]]]:
    there = ZoneInfo(zone)
    found: dict[date, list[Offer]] = {first + timedelta(days=each): [] for each in range(days)}
    for seconds in sorted(offers):
        arrival = moment(seconds)
        found[arrival.astimezone(there).date()].append(Offer(arrival, offers[seconds]))
    return list(found.items())


async def own(tx: Transaction, actor: Actor, moving: str | None = None) -> tuple[frozenset[str], Hold | None]:
    """What counts as free for this person: the session's hold (answered, too) and the appointment that is to be moved."""
    hold = await holds.of_session(tx, actor.session) if actor.session else None
    if moving is not None:
        found = await appointments.by_id(tx, moving)
        if found is None or not (actor.staff or found.account_id in actor.accounts):
            raise NotFound
        if found.state is not State.SCHEDULED:
            moving = None
    return frozenset(one for one in (hold.id if hold else None, moving) if one is not None), hold


@dataclass(slots=True)
class Search:
    """One search: what is wanted, what counts as free, and the travels learned on the way."""

    house: House
    wanted: Wanted
    but: Collection[str] = ()
    hold: Hold | None = None  # the session's own
    ways: Ways = field(init=False)
    now: datetime = field(init=False)
    farther: Farther = field(init=False)

    def __post_init__(self) -> None:
        self.farther = Farther(self.house, self.wanted.range)
        self.ways = Ways(self.house.router, self.house.travels)
        self.now = self.house.clock()

    @property
    def zone(self) -> str:
        """That of the service address."""
        return self.wanted.place.zone

    @property
    def today(self) -> date:
        """The local day at the service address."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def grid(self, first: date, days: int) -> list[int]:
        """The times of these local days that lie between lead time and horizon."""
        settings = self.house.settings.now
        earliest = epoch_s(self.now + timedelta(minutes=settings.lead_time_min))
        last = min(first + timedelta(days=days - 1), self.today + timedelta(days=settings.horizon_days))
        found: list[int] = []
        for each in range((last - first).days + 1):
            found += times_of_day(self.zone, first + timedelta(days=each), settings.slot_grid_min)
        return [time for time in found if time >= earliest]

    def refusal(self, arrival: int, *, staff: bool) -> type[SlotTaken] | None:
        """Why an arrival cannot be had whoever is free: it is over, or (but for staff) not between lead time and horizon."""
        settings = self.house.settings.now
        day = moment(arrival).astimezone(ZoneInfo(self.zone)).date()
        if arrival <= epoch_s(self.now):
            return TimeOver
        if not staff and arrival < epoch_s(self.now + timedelta(minutes=settings.lead_time_min)):
            return TooSoon
        return TooFarAhead if not staff and day > self.today + timedelta(days=settings.horizon_days) else None

    async def offered(self, times: Sequence[int]) -> dict[int, str]:
        """Those of the times (in order) at which somebody can come, each with the source of its travel."""
        found: dict[int, str] = {}
        if not times:
            return found
        closed = await self._closed(times)
        left = self.house.company.anybody_works(times, self.wanted.work.duration_s, closed)
        seen: set[str] = set()
        async for batch in self.wanted.range.rings(self.house.db.reading, self.house.company):
            if not left or len(seen) >= NEAREST:
                break
            seen.update(person.id for person in batch)
            found |= await self._settled(await self._diaries(batch, left), left)
            left = [time for time in left if time not in found]
        for _, day in groupby(left, key=lambda time: moment(time).astimezone(ZoneInfo(self.zone)).date()):
            async with self.house.turns.turn(("farther", self.wanted.account.id)):  # an account's searches are one at a time
                found |= await self._by_farther(list(day), closed, seen)
        return found

    async def _by_farther(self, times: list[int], closed: frozenset[date], seen: Collection[str]) -> dict[int, str]:
        """What those allow who live farther than the nearest: only who may be free is looked at, until every time is settled."""
        found: dict[int, str] = {}
        asked = Asked(times, self.wanted.work.duration_s, closed, self.now, self.but)
        async for some in self.farther.perhaps_free(asked, seen):
            for batch in batched(some, READ_TOGETHER):
                left = [time for time in times if time not in found]
                still = bits(times, left)
                if people := [one.person for one in batch if one.times & still]:
                    found |= await self._settled(await self._diaries(people, left), left)
            if len(found) == len(times):
                break
        return found

    async def _diaries(self, people: Sequence[Person], times: Sequence[int]) -> list[Diary]:
        async with self.house.db.reading() as tx:
            company, region = self.house.company, self.house.settings.now.holidays
            end = times[-1] + self.wanted.work.duration_s
            return await diaries(tx, company, people, times[0], end, self.now, region, self.but)

    async def _closed(self, times: Sequence[int]) -> frozenset[date]:
        """The days round these times on which nobody begins to work."""
        async with self.house.db.reading() as tx:
            own = await self.house.company.closed(tx, self.now)
        return closed_between(self.house.settings.now.holidays, own, times[0], times[-1] + self.wanted.work.duration_s)

    async def _settled(self, read: list[Diary], times: list[int]) -> dict[int, str]:
        """What these diaries allow: bounds first, then real travel where it could decide."""
        found: dict[int, str] = {}
        left, enough = times, 2
        while left:
            seen = look(read, left, self.wanted.work, self.ways.at_least, rules(self.house), enough)
            enough *= 2  # where the nearest cannot, the next ones are asked about together
            found |= seen.offered
            if not seen.wanted:
                break
            left = [time for time in left if time not in seen.offered]
            await self.ways.learn(seen.wanted)
        return found

    async def next_free(self, first: date) -> date | None:
        """The first day from ``first`` on with anything to offer, up to the horizon."""
        last = self.today + timedelta(days=self.house.settings.now.horizon_days)
        while first <= last:
            offers = await self.offered(self.grid(first, NEXT_DAYS))
            if offers:
                return moment(min(offers)).astimezone(ZoneInfo(self.zone)).date()
            first += timedelta(days=NEXT_DAYS)
        return None

    async def nearest(self, arrival: int, most: int = 3) -> list[datetime]:
        """The free times nearest to one that cannot be had; those who lose the same one together get one answer."""
        key = (self.wanted.range, self.wanted.work, self.zone, frozenset(self.but), arrival, most)
        return await self.house.turns.together(key, lambda: self._nearest(arrival, most))

    async def _nearest(self, arrival: int, most: int) -> list[datetime]:
        day = moment(arrival).astimezone(ZoneInfo(self.zone)).date()
        for around in (1, 4, 14):
            first = max(self.today, day - timedelta(days=around))
            offers = await self.offered(self.grid(first, (day - first).days + around + 1))
            if len(offers) >= most or around == 14:
                return [moment(each) for each in sorted(sorted(offers, key=lambda each: (abs(each - arrival), each))[:most])]
        return []
