"""A technician who does the whole story through a phone: start travel, drive, arrive, work, complete (R4)."""

import asyncio
import random
import time
from dataclasses import dataclass

from simulator.day import Job
from simulator.driving import Drive, Moment, Way, straight_way
from simulator.phones.base import utc_now
from simulator.phones.socket import SocketPhone
from simulator.receiver import Receiver
from simulator.routing import Planner
from simulator.tracks import Fix
from tracker.domain.geo import Point, distance_m, moved

MET_M = 60.0
"""Nearer than this no drive is worth the name."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take that are not driving, in seconds; ranges to draw from."""

    before_s: tuple[float, float] = (5.0, 25.0)
    """Between the end of one visit and the next *Start travel*."""
    at_door_s: tuple[float, float] = (4.0, 12.0)
    """Between standing at the door and *Arrived*."""
    work_s: tuple[float, float] = (60.0, 180.0)


class Technician:
    """One person with one phone and one van. All times are real: nobody drives faster than the model allows."""

    def __init__(self, phone: SocketPhone, home: Point, planner: Planner, *, seed: int = 0, pace: Pace | None = None) -> None:
        self.phone, self.planner = phone, planner
        self.pace = pace or Pace()
        self._standing = Moment(home, 0.0, 0.0)
        self._drive: tuple[Drive, float] | None = None
        self._random = random.Random(f"{seed}/{phone.target.device}/person")
        self._receiver = Receiver(random.Random(f"{seed}/{phone.target.device}/receiver"))
        self._changed = asyncio.Event()

    @property
    def where(self) -> Moment:
        """Where the van is at this moment, in truth."""
        if self._drive is None:
            return self._standing
        drive, began = self._drive
        return drive.at(time.monotonic() - began)

    async def keep_telling(self) -> None:
        """Says the place again and again at the server's interval, until cancelled. Run beside the story."""
        while True:
            self.tell()
            self._changed.clear()
            waited = asyncio.create_task(self._changed.wait())
            await asyncio.wait([waited], timeout=self.phone.policy.interval_s)
            waited.cancel()

    def tell(self) -> Fix:
        """One reading of the receiver, now."""
        fix = self._receiver.read(utc_now(), self.where)
        self.phone.say(fix)
        return fix

    async def do(self, job: Job) -> str:
        """What is left of one appointment; the state in the end. Raises StepRefused, GivenUp, NoWay."""
        state = job.state
        if state == "scheduled":
            await self._pause(self.pace.before_s)
            state = await self.phone.step(job.id, "start_travel", state)
            self._changed.set()
        if state == "traveling":
            await self.drive(Drive(await self._way_to(job.place), self._random, haste=self._random.uniform(1.05, 1.3)))
            await self._pause(self.pace.at_door_s)
            state = await self.phone.step(job.id, "arrive", state)
            self._changed.set()
        if state == "in_progress":
            await self._pause(self.pace.work_s)
            state = await self.phone.step(job.id, "complete", state)
        return state

    async def drive(self, drive: Drive) -> None:
        """Drives in real time; the phone tells as often as the server asked, wherever the van is then."""
        self._drive = (drive, time.monotonic())
        try:
            await asyncio.sleep(drive.duration_s)
        finally:
            end = self.where
            self._standing, self._drive = Moment(end.point, 0.0, end.course), None

    async def _way_to(self, place: Point) -> Way:
        if distance_m(self.where.point, place) < MET_M:
            return straight_way(self.where.point, moved(place, 45, 15), 3.0)
        return await self.planner.way(self.where.point, place)

    async def _pause(self, between_s: tuple[float, float]) -> None:
        await asyncio.sleep(self._random.uniform(*between_s))
