"""Runs put together from phones, viewers and stories; what the commands and the tests call."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from simulator.day import NoPlan, todays_jobs
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.phones import App, Phone, SocketPhone, Target, make_phone
from simulator.replay import replay
from simulator.report import Report, Spread, merged, score_etas
from simulator.routing import Planner
from simulator.site import Site
from simulator.technician import Pace, Technician
from simulator.tracks import Track
from simulator.viewers import PollingViewer, Viewer
from simulator.witness import Witness
from tracker.domain.geo import Point


@dataclass(slots=True)
class Audience:
    """Viewers of appointments, and the journals by which their latency is measured."""

    journals: dict[str, Journal] = field(default_factory=dict)
    viewers: list[Viewer | PollingViewer] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def journal(self, appointment: str) -> Journal:
        """The journal of one appointment; made when first asked for."""
        return self.journals.setdefault(appointment, Journal())

    def invite(self, site: Site, appointment: str, *, sockets: int = 1, polling: int = 0, seed: int = 0) -> None:
        """So many viewers of an appointment come in."""
        journal = self.journal(appointment)
        first = len(self.viewers)
        fresh: list[Viewer | PollingViewer] = [
            Viewer(site, appointment, f"viewer {first + i}", journal=journal, seed=seed) for i in range(sockets)
        ]
        fresh += [PollingViewer(site, appointment, f"poller {first + i}", journal=journal) for i in range(polling)]
        self.viewers += fresh
        self._tasks += [asyncio.create_task(viewer.run()) for viewer in fresh]

    async def seated(self, within_s: float = 30.0) -> bool:
        """Waits until every viewer has a first snapshot."""
        waits = [asyncio.create_task(viewer.watching.wait()) for viewer in self.viewers]
        if not waits:
            return True
        _, late = await asyncio.wait(waits, timeout=within_s)
        for task in late:
            task.cancel()
        return not late

    async def leave(self, linger_s: float = 1.0) -> None:
        """Lets last frames come in, then everyone goes; who polls hears the last only when they ask the next time."""
        polls = [viewer.every_s + linger_s for viewer in self.viewers if isinstance(viewer, PollingViewer)]
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max([linger_s, *polls]))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _one_of_each_trip(self) -> list[Witness]:
        """All viewers of a trip are shown the same arrivals: a trip counts once, however many watch it."""
        return list({viewer.appointment: viewer.witness for viewer in reversed(self.viewers)}.values())

    def report(self, phones: Sequence[Phone], settled: bool) -> Report:
        """The figures of the run."""
        witnesses = [viewer.witness for viewer in self.viewers]
        frames: Counter[str] = Counter()
        for witness in witnesses:
            frames.update(witness.frames)
        return Report(
            phones=merged(phone.counts for phone in phones),
            settled=settled,
            latency=Spread.of([seconds for journal in self.journals.values() for seconds in journal.latencies_s]),
            polled=Spread.of([seconds for journal in self.journals.values() for seconds in journal.polled_s]),
            viewers=len(self.viewers),
            connections=sum(viewer.connections for viewer in self.viewers if isinstance(viewer, Viewer)),
            frames=dict(frames),
            broken=tuple(f"{viewer.name}: {text}" for viewer in self.viewers for text in viewer.witness.broken),
            etas=score_etas(self._one_of_each_trip()),
        )


@dataclass(frozen=True, slots=True)
class Ride:
    """One recorded track on one phone; with an appointment, travel is started before and arrived after (own protocol only)."""

    track: Track
    target: Target
    app: App = App.SOCKET
    appointment: str | None = None


async def run_rides(
    rides: Sequence[Ride],
    audience: Audience | None = None,
    *,
    faults: Faults | None = None,
    backlog: bool = False,
    seed: int = 0,
    haste: float = 1.0,
    patience_s: float = 60.0,
) -> Report:
    """Replays all rides at once; the report when the last is done."""
    watched = audience or Audience()
    async with httpx.AsyncClient(verify=all(ride.target.verify for ride in rides), timeout=15) as client:
        phones = [_phone(ride, client, watched, seed, haste) for ride in rides]
        pairs = zip(rides, phones, strict=True)
        done = await asyncio.gather(*(_ride(ride, phone, faults or Faults(), backlog, seed, patience_s) for ride, phone in pairs))
    await watched.leave()
    return watched.report(phones, all(done))


def _phone(ride: Ride, client: httpx.AsyncClient, audience: Audience, seed: int, haste: float) -> Phone:
    heard = audience.journal(ride.appointment).sent if ride.appointment else None
    return make_phone(ride.app, ride.target, client, seed=seed, heard=heard, haste=haste)


async def _ride(ride: Ride, phone: Phone, faults: Faults, backlog: bool, seed: int, patience_s: float) -> bool:
    async with phone:
        story = ride.appointment if isinstance(phone, SocketPhone) else None
        if story and isinstance(phone, SocketPhone):
            await phone.step(story, "start_travel", "scheduled")
        settled = await replay(ride.track, phone, faults=faults, seed=seed, backlog=backlog, patience_s=patience_s)
        if story and isinstance(phone, SocketPhone) and settled:
            await phone.step(story, "arrive", "traveling")
    return settled


async def run_story(
    target: Target,
    home: Point,
    planner: Planner,
    client: httpx.AsyncClient,
    audience: Audience,
    *,
    pace: Pace,
    seed: int,
    visits: int,
) -> tuple[SocketPhone, bool]:
    """One technician does the next ``visits`` appointments of the day from beginning to end; the phone, and if all was acked.

    Raises NoPlan if there are fewer, StepRefused, GivenUp or NoWay.
    """
    now: list[str] = []
    phone = SocketPhone(target, seed=seed, heard=lambda fix: audience.journal(now[-1]).sent(fix) if now else None)
    technician = Technician(phone, home, planner, seed=seed, pace=pace)
    async with phone:
        telling = asyncio.create_task(technician.keep_telling(only_on_the_way=True))
        try:
            for _ in range(visits):
                jobs = await todays_jobs(client, target)
                if not jobs:
                    raise NoPlan("nothing is left to do today")
                now.append(jobs[0].id)
                await technician.do(jobs[0])
        finally:
            telling.cancel()
        return phone, await phone.settled(15)
