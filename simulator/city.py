"""A living city: technicians who do their day's appointments on real streets in real time, for as long as one lets them."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import structlog

from simulator.day import NoPlan, todays_jobs
from simulator.phones.base import Counts, Target, utc_now
from simulator.phones.frames import GivenUp, StepRefused
from simulator.phones.socket import SocketPhone
from simulator.routing import NoWay, Planner, RouterKind
from simulator.technician import Diverted, Pace, Technician
from tracker.domain.geo import Point

log = structlog.get_logger()


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A technician of the plan: a name for the log, the device's token, where the day begins."""

    name: str
    token: str
    home: tuple[float, float]
    pace: Pace | None = None
    """How this one works; None: as everybody."""


class Router(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public road router."""

    url: str
    kind: RouterKind = RouterKind.VALHALLA


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The city's plan file. ``pace`` gives ranges in seconds; without a ``router`` everyone drives as the crow flies."""

    url: str
    technicians: tuple[Person, ...]
    router: Router | None = None
    seed: int = 1
    pace: Pace = Pace()
    ask_again_s: float = 15.0
    """How long somebody without work waits before asking the server again."""
    verify: bool = True


def read_plan(text: bytes) -> Plan:
    """The plan out of JSON; msgspec.ValidationError or DecodeError says what is wrong and where."""
    return msgspec.json.decode(text, type=Plan)


class City:
    """All technicians of a plan. Where they are is kept in a file, so that a restart does not move anybody."""

    def __init__(self, plan: Plan, client: httpx.AsyncClient, memory: Path | None = None) -> None:
        self.plan, self.memory = plan, memory
        planner = Planner(
            client, plan.router.url if plan.router else None, plan.router.kind if plan.router else RouterKind.VALHALLA
        )
        places = _remembered(memory)
        self._client = client
        self.technicians = [self._technician(person, planner, places) for person in plan.technicians]

    def _technician(self, person: Person, planner: Planner, places: dict[str, tuple[float, float]]) -> Technician:
        target = Target(self.plan.url, person.token, person.name, self.plan.verify)
        start = Point(*places.get(person.name, person.home))
        return Technician(
            SocketPhone(target, seed=self.plan.seed), start, planner, seed=self.plan.seed, pace=person.pace or self.plan.pace
        )

    async def run(self, stop: asyncio.Event) -> Counts:
        """Everyone works until ``stop``; what became of all pings."""
        days = [asyncio.create_task(self._live(technician)) for technician in self.technicians]
        keeper = asyncio.create_task(self._keep_places())
        await stop.wait()
        for task in (*days, keeper):
            task.cancel()
        await asyncio.gather(*days, keeper, return_exceptions=True)
        self._write_places()
        return self.counts()

    def counts(self) -> Counts:
        """What became of everyone's pings so far."""
        total = Counts()
        for technician in self.technicians:
            total.add(technician.phone.counts)
        return total

    async def _live(self, technician: Technician) -> None:
        async with technician.phone as phone:
            telling = asyncio.create_task(technician.keep_telling())
            try:
                while phone.dead is None:
                    await self._next_job(technician)
                log.warning("phone_gave_up", technician=phone.target.device, why=str(phone.dead))
            finally:
                telling.cancel()

    async def _next_job(self, technician: Technician) -> None:
        name = technician.phone.target.device
        try:
            jobs = await todays_jobs(self._client, technician.phone.target)
            wait_s = await technician.leaves_in_s(jobs[0], utc_now()) if jobs else self.plan.ask_again_s
            if wait_s <= 0:
                state = await technician.do(jobs[0])
                log.info("visit_done", technician=name, appointment=jobs[0].id, state=state)
                return
            await asyncio.sleep(min(wait_s, random.uniform(0.8, 1.2) * self.plan.ask_again_s))
            return
        except (NoPlan, NoWay, StepRefused, Diverted) as wrong:
            log.warning("visit_interrupted", technician=name, why=str(wrong))
        except GivenUp:
            return
        await asyncio.sleep(random.uniform(0.8, 1.2) * self.plan.ask_again_s)

    async def _keep_places(self) -> None:
        while True:
            await asyncio.sleep(5)
            await asyncio.to_thread(self._write_places)

    def _write_places(self) -> None:
        if self.memory is None:
            return
        places = {technician.phone.target.device: technician.where.point for technician in self.technicians}
        fresh = self.memory.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(places))
        fresh.replace(self.memory)


def _remembered(memory: Path | None) -> dict[str, tuple[float, float]]:
    with suppress(OSError, msgspec.MsgspecError):
        if memory is not None:
            return msgspec.json.decode(memory.read_bytes(), type=dict[str, tuple[float, float]])
    return {}
