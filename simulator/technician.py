"""A technician who does the whole story through a phone: start travel, drive, arrive, work, complete (R4)."""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.day import Job
from simulator.driving import Drive, Moment, Way, straight_way
from simulator.phones.base import utc_now
from simulator.phones.socket import SocketPhone
from simulator.receiver import Receiver
from simulator.routing import Planner
from simulator.tracks import Fix
from simulator.traffic import drive, fullness, usual_s
from tracker.domain.geo import Point, distance_m, moved

MET_M = 60.0
"""Nearer than this no drive is worth the name."""


class Diverted(Exception):
    """The server says on the way that this visit is not this technician's any more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take that are not driving, in seconds; ranges to draw from."""

    before_s: tuple[float, float] = (5.0, 25.0)
    """Between the end of one visit and the next *Start travel*."""
    at_door_s: tuple[float, float] = (4.0, 12.0)
    """Between standing at the door and *Arrived*."""
    work_s: tuple[float, float] = (60.0, 180.0)
    haste: tuple[float, float] = (0.9, 1.1)
    """The driver's speed on a free road over what people usually drive there."""
    early_s: tuple[float, float] | None = (-60.0, 120.0)
    """How much before the promised arrival one means to be there (negative: late); None: leave at once, whatever was promised."""


class Technician:
    """One person with one phone and one van. All times are real: nobody drives faster than the model allows."""

    def __init__(self, phone: SocketPhone, home: Point, planner: Planner, *, seed: int = 0, pace: Pace | None = None) -> None:
        self.phone, self.planner = phone, planner
        self.pace = pace or Pace()
        self.on_the_way = False
        self._standing = Moment(home, 0.0, 0.0)
        self._drive: tuple[Drive, float] | None = None
        self._known_way: tuple[tuple[Point, Point], Way] | None = None
        self._random = random.Random(f"{seed}/{phone.target.device}/person")
        self._receiver = Receiver(random.Random(f"{seed}/{phone.target.device}/receiver"))

    @property
    def where(self) -> Moment:
        """Where the van is at this moment, in truth."""
        if self._drive is None:
            return self._standing
        drive, began = self._drive
        return drive.at(time.monotonic() - began)

    async def keep_telling(self, *, only_on_the_way: bool = False) -> None:
        """Says the place again and again at the server's interval, until cancelled. Run beside the story.

        ``only_on_the_way``: as our own web app does, which is silent while no visit is under way.
        """
        while True:
            if self.on_the_way or not only_on_the_way:
                self.tell()
            self.phone.asked_anew.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.phone.asked_anew.wait(), self.phone.policy.interval_s)

    def tell(self) -> Fix:
        """One reading of the receiver, now."""
        fix = self._receiver.read(utc_now(), self.where)
        self.phone.say(fix)
        return fix

    async def do(self, job: Job) -> str:
        """What is left of one appointment; the state in the end. Raises StepRefused, GivenUp, NoWay, Diverted."""
        state = job.state
        if state == "scheduled":
            await self._pause(self.pace.before_s)
            state = await self.phone.step(job.id, "start_travel", state)
        if state == "traveling":
            self.on_the_way = True
            self.phone.asked_anew.set()
            await self.drive(self._drive_along(await self._way_to(job.place)), job.id)
            await self._pause(self.pace.at_door_s)
            state = await self.phone.step(job.id, "arrive", state)
            self.on_the_way = False
            self.phone.asked_anew.set()
        if state == "in_progress":
            await self._pause(self.pace.work_s)
            state = await self.phone.step(job.id, "complete", state)
        return state

    async def leaves_in_s(self, job: Job, now: datetime) -> float:
        """Seconds until this technician should leave for a scheduled visit; 0 if now or late. Raises NoWay."""
        if job.state != "scheduled" or self.pace.early_s is None:
            return 0.0
        way = await self._way_to(job.place)
        early_s = random.Random(f"{job.id}/{self.phone.target.device}").uniform(*self.pace.early_s)
        takes_s = usual_s(way, fullness(job.place, now))
        wanted = job.arrival_at - timedelta(seconds=takes_s + early_s)
        return max(0.0, (wanted - now).total_seconds())

    def _drive_along(self, way: Way) -> Drive:
        haste = self._random.uniform(*self.pace.haste)
        if self.planner.by_road:
            return drive(way, self._random, utc_now(), haste=haste)
        return Drive(way, self._random, haste=haste, full=fullness(way.line[-1], utc_now()))

    async def drive(self, drive: Drive, appointment: str) -> None:
        """Drives in real time; the phone tells as often as the server asked. Raises Diverted if the visit is taken away."""
        self._drive = (drive, time.monotonic())
        told = False
        try:
            while (left := self._drive[1] + drive.duration_s - time.monotonic()) > 0:
                await asyncio.sleep(min(left, 1.0))
                theirs = self.phone.policy.appointment == appointment
                if told and not theirs:
                    raise Diverted(f"appointment {appointment} was taken away on the way")
                told = theirs
        finally:
            end = self.where
            self._standing, self._drive = Moment(end.point, 0.0, end.course), None

    async def _way_to(self, place: Point) -> Way:
        here = self.where.point
        if self._known_way is None or self._known_way[0] != (here, place):
            near = distance_m(here, place) < MET_M
            way = straight_way(here, moved(place, 45, 15), 3.0) if near else await self.planner.way(here, place)
            self._known_way = ((here, place), way)
        return self._known_way[1]

    async def _pause(self, between_s: tuple[float, float]) -> None:
        await asyncio.sleep(self._random.uniform(*between_s))
