"""Keeps the city living: every technician has a next appointment, and the demo's customer always somebody on the way."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from tracker.actions.promising import adopt, adopt_again
from tracker.demo import cast
from tracker.demo.seed import Demo, Driver, appointment
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
        async with self.db.transaction() as tx:
            for number, driver in enumerate(self.demo.drivers):
                await self._fill(tx, driver, number, now)
            await self._for_the_customer(tx, now)

    async def _fill(self, tx: Transaction, driver: Driver, number: int, now: datetime) -> None:
        """Overdue visits (the demo slept) are moved to now, and one more is added while there are fewer than two ahead."""
        day = await self._day(tx, driver, now)
        ahead = [visit for visit in day if visit.state is State.SCHEDULED]
        under_way = any(visit.state in (State.TRAVELING, State.IN_PROGRESS) for visit in day)
        if ahead and ahead[0].arrival_at < now - timedelta(minutes=3) and not under_way:
            await self._shift(tx, ahead, now + SOON - ahead[0].arrival_at)
        elif len(ahead) < 2:
            first = now + timedelta(minutes=3) + EVERY * (number / len(self.demo.drivers))
            arrival = max(first, ahead[-1].arrival_at + EVERY) if ahead else max(first, now + SOON) if under_way else first
            await self._add(tx, driver, day, _rounded(arrival), now)

    async def _add(self, tx: Transaction, driver: Driver, day: list[Appointment], arrival: datetime, now: datetime) -> None:
        place = self._far_from(day[-1].place if day else Point(*driver.home))
        household = self._random.choice(self.demo.households)
        service = self._random.choice(self.demo.services)
        visit = appointment(household, service, place, arrival, technician_id=driver.id, created_at=now - timedelta(days=1))
        await appointments.add(tx, visit)
        await adopt(tx, visit)

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
        free = [(self._visible_m(last, home.point), driver, ahead) async for driver, last, ahead in self._free(tx, now)]
        if not free:
            return
        _, driver, ahead = max(free, key=lambda one: one[0])
        await self._shift(tx, ahead, EVERY)
        arrival = _rounded(now + SOON)
        service = self._random.choice(self.demo.services)
        visit = appointment(self.demo.account, service, home, arrival, technician_id=driver.id, contact_id=self.demo.contact)
        await appointments.add(tx, visit)
        await adopt(tx, visit)
        log.info("demo_visit_planned", customer=cast.CUSTOMER[0], technician=driver.name)

    async def _free(self, tx: Transaction, now: datetime):  # type: ignore[no-untyped-def]
        for driver in self.demo.drivers:
            day = await self._day(tx, driver, now)
            if any(visit.state in (State.TRAVELING, State.IN_PROGRESS) for visit in day):
                continue
            done = [visit for visit in day if visit.state is State.COMPLETED]
            last = done[-1].place if done else Point(*driver.home)
            yield driver, last, [visit for visit in day if visit.state is State.SCHEDULED]

    async def _day(self, tx: Transaction, driver: Driver, now: datetime) -> list[Appointment]:
        return await appointments.of_technician(tx, driver.id, now - timedelta(days=1), now + timedelta(hours=6))

    async def _shift(self, tx: Transaction, visits: list[Appointment], by: timedelta) -> None:
        for visit in visits:
            arrival = _rounded(visit.arrival_at + by)
            await appointments.change(tx, visit, arrival_at=arrival, ends_at=arrival + timedelta(minutes=visit.duration_min))
            await adopt_again(tx, visit.id)


def _rounded(moment: datetime) -> datetime:
    """Up to the full minute."""
    return (moment + timedelta(seconds=59)).replace(second=0, microsecond=0)
