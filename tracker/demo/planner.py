"""Keeps the city living: technicians have next appointments, the customer somebody on the way, and two wait for bookings."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import structlog

from tracker.actions.booking.promising import adopt_again
from tracker.demo import cast
from tracker.demo.seed import Demo, Driver, appointment, put
from tracker.domain.appointments import State
from tracker.domain.geo import Point, distance_m
from tracker.domain.visibility import cloak_zone
from tracker.records import appointments
from tracker.records.appointments import Appointment
from tracker.records.database import Database, Transaction

log = structlog.get_logger()

EVERY = timedelta(minutes=15)
"""Between two appointments of a technician: six minutes of driving, five of work, a breath."""

SOON = timedelta(minutes=7)
"""From the planning of a visit for "now" to its promised arrival."""

AHEAD = timedelta(hours=1)
"""How far the planner looks: what was booked for later is none of its business."""

NEAR_M = 1_000.0
"""A technician who stands by nearer to the customer than this would be there before anybody saw the van."""

TURN_S = 5.0


class Planner:
    """Adds appointments as a dispatcher would. It knows the demo's database only; the vans learn of it by asking the service."""

    def __init__(self, db: Database, demo: Demo, secret: bytes, seed: int = 1) -> None:
        self.db, self.demo, self._secret = db, demo, secret
        self._random = random.Random(f"{seed}/planner")

    async def run(self, stop: asyncio.Event, clock: Callable[[], datetime]) -> None:
        """Plan every few seconds until ``stop``."""
        while not stop.is_set():
            await self.turn(clock())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TURN_S)

    async def turn(self, now: datetime) -> None:
        """One look at everybody's day."""
        standby = {driver.id for driver in self.demo.standby}
        async with self.db.transaction() as tx:
            for number, driver in enumerate(self.demo.drivers):
                day = await self._day(tx, driver, now)
                if await self._catch_up(tx, day, now):
                    continue
                if driver.id in standby:
                    await self._send_away(tx, driver, day, now)
                else:
                    await self._fill(tx, driver, day, number, now)
            await self._for_the_customer(tx, now)

    async def _catch_up(self, tx: Transaction, day: list[Appointment], now: datetime) -> bool:
        """Overdue visits (the demo slept) are moved to now; True if there were any."""
        ahead = _ahead(day, now)
        if not ahead or _under_way(day) or ahead[0].arrival_at >= now - timedelta(minutes=3):
            return False
        await self._line_up(tx, _scheduled(day), _rounded(now + SOON))
        return True

    async def _fill(self, tx: Transaction, driver: Driver, day: list[Appointment], number: int, now: datetime) -> None:
        """One more visit while there are fewer than two ahead, beside what was booked."""
        ahead = _ahead(day, now)
        if len(ahead) >= 2:
            return
        first = now + timedelta(minutes=3) + EVERY * (number / len(self.demo.drivers))
        if ahead:
            first = max(first, ahead[-1].arrival_at + EVERY)
        elif _under_way(day):
            first = max(first, now + SOON)
        arrival = _rounded(first)
        while any(abs(visit.arrival_at - arrival) < EVERY for visit in day if visit.state is State.SCHEDULED):
            arrival += EVERY
        if arrival < now + AHEAD:
            await self._add(tx, driver, self._far_from(_last_place(driver, day)), arrival, now)

    async def _send_away(self, tx: Transaction, driver: Driver, day: list[Appointment], now: datetime) -> None:
        """Who stands by has no visits but those that are booked; after one, the next place is far from the customer."""
        home = cast.place_of(cast.CUSTOMER[2]).point
        if _under_way(day) or _ahead(day, now) or distance_m(_last_place(driver, day), home) >= NEAR_M:
            return
        farthest = sorted(cast.places(), key=lambda place: -self._visible_m(place.point, home))[:4]
        await self._add(tx, driver, self._random.choice(farthest), _rounded(now + SOON), now)

    async def _add(self, tx: Transaction, driver: Driver, place: cast.Place, arrival: datetime, now: datetime) -> None:
        household = self._random.choice(self.demo.households)
        service = self._random.choice(self.demo.services)
        visit = appointment(household, service, place, arrival, technician_id=driver.id, created_at=now - timedelta(days=1))
        await put(tx, visit)

    def _far_from(self, here: Point) -> cast.Place:
        """One of the places with the longest visible way: the city is small beside the zone that hides where a trip began."""
        farthest = sorted(cast.places(), key=lambda place: -self._visible_m(here, place.point))
        return self._random.choice(farthest[: len(farthest) // 4])

    def _visible_m(self, origin: Point, place: Point) -> float:
        return distance_m(cloak_zone(origin, self._secret).center, place)

    async def _for_the_customer(self, tx: Transaction, now: datetime) -> None:
        """Somebody is always on the way to the demo's customer, or will be in a minute or two."""
        theirs = await appointments.of_accounts(tx, frozenset({self.demo.account}))
        if any(visit.state is State.TRAVELING for visit in theirs):
            return
        if any(visit.state is State.SCHEDULED and visit.arrival_at < now + SOON + EVERY for visit in theirs):
            return
        home = cast.place_of(cast.CUSTOMER[2])
        free = [(self._visible_m(last, home.point), driver, ahead) async for last, driver, ahead in self._free(tx, now)]
        if not free:
            return
        _, driver, ahead = max(free, key=lambda one: one[0])
        arrival = _rounded(now + SOON)
        await self._line_up(tx, ahead, arrival + EVERY)
        service = self._random.choice(self.demo.services)
        visit = appointment(self.demo.account, service, home, arrival, technician_id=driver.id, contact_id=self.demo.contact)
        await put(tx, visit)
        log.info("demo_visit_planned", customer=cast.CUSTOMER[0], technician=driver.name)

    async def _free(self, tx: Transaction, now: datetime) -> AsyncIterator[tuple[Point, Driver, list[Appointment]]]:
        """Who may be sent at once: where they are, and what is ahead of them."""
        for driver in self.demo.drivers:
            if driver in self.demo.standby:
                continue
            day = await self._day(tx, driver, now)
            if not _under_way(day):
                done = [visit for visit in day if visit.state is State.COMPLETED]
                yield _last_place(driver, done), driver, _scheduled(day)

    async def _day(self, tx: Transaction, driver: Driver, now: datetime) -> list[Appointment]:
        return await appointments.of_technician(tx, driver.id, now - timedelta(days=1), now + timedelta(hours=6))

    async def _line_up(self, tx: Transaction, visits: list[Appointment], first: datetime) -> None:
        """No visit before ``first``, each its time after the one before: only those are moved that are in the way."""
        for visit in visits:
            if visit.arrival_at >= first:
                return
            await self._move(tx, visit, first)
            first += EVERY

    async def _move(self, tx: Transaction, visit: Appointment, arrival: datetime) -> None:
        """Every appointment that the planner moves is moved here."""
        await appointments.change(tx, visit, arrival_at=arrival, ends_at=arrival + timedelta(minutes=visit.duration_min))
        await adopt_again(tx, visit.id)


def _ahead(day: list[Appointment], now: datetime) -> list[Appointment]:
    """The scheduled visits of the next hour, and those that are overdue."""
    return [visit for visit in _scheduled(day) if visit.arrival_at < now + AHEAD]


def _scheduled(day: list[Appointment]) -> list[Appointment]:
    return [visit for visit in day if visit.state is State.SCHEDULED]


def _under_way(day: list[Appointment]) -> bool:
    return any(visit.state in (State.TRAVELING, State.IN_PROGRESS) for visit in day)


def _last_place(driver: Driver, day: list[Appointment]) -> Point:
    """Where the technician will be when nothing is left: at the last visit that was or will be done, else at home."""
    done = [visit for visit in day if visit.state in (State.COMPLETED, State.SCHEDULED)]
    return done[-1].place if done else Point(*driver.home)


def _rounded(moment: datetime) -> datetime:
    """Up to the full minute."""
    return (moment + timedelta(seconds=59)).replace(second=0, microsecond=0)
