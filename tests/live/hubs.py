"""Hubs on a real Redis with doors that keep what was written: for tests of everything between Redis and the socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.appointments import Role, State
from tracker.domain.geo import Point
from tracker.domain.visibility import Watcher
from tracker.live import keys
from tracker.live.channels import Hub
from tracker.live.connect import connect, subscriber
from tracker.live.control import Control
from tracker.live.frames import payload_of
from tracker.live.gate import Gate
from tracker.live.keep import Answer, Item, Keeper
from tracker.live.positions import Positions
from tracker.live.subscription import Subscription
from tracker.live.viewers import Watch

TECHNICIAN, VISIT, LEG = "tech", "visit1", "leg1"
HERE = Point(60.1699, 24.9384)


def utc() -> datetime:
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition, looking often; a deadline instead of a hang."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - conditions of other processes have no event
            await asyncio.sleep(0.005)


class Shelf:
    """A door that keeps what was written; it can be shut (``open`` False) as a socket is whose reader stalls."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.open = True
        self.waiting: list[Callable[[], None]] = []
        self.code: int | None = None

    def ready(self) -> bool:
        return self.open and self.code is None

    def write(self, wire: bytes) -> None:
        self.frames.append(json.loads(payload_of(wire)))

    def when_ready(self, go_on: Callable[[], None]) -> None:
        self.waiting.append(go_on)

    def unblock(self) -> None:
        """The reader goes on."""
        self.open, waiting, self.waiting = True, self.waiting, []
        for go_on in waiting:
            go_on()

    async def settled(self) -> None:
        return None

    async def close(self, code: int) -> None:
        self.code = code

    def kinds(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    def offsets(self) -> list[int]:
        return [frame["offset"] for frame in self.frames if "offset" in frame]

    def rising(self) -> bool:
        return rising(self.frames)


def rising(frames: list[dict[str, Any]]) -> bool:
    """Offsets of events strictly rise within an epoch; a snapshot says how far things stood, so it may repeat the last."""
    last, epoch = -1, None
    for frame in frames:
        if frame["type"] == "snapshot":
            if frame["epoch"] == epoch and frame["offset"] < last:
                return False
            epoch, last = frame["epoch"], frame["offset"]
        elif "offset" in frame:
            if frame["offset"] <= last:
                return False
            last = frame["offset"]
    return True


@dataclass(frozen=True)
class Someone:
    role: Role = Role.DISPATCHER
    accounts: frozenset[str] = frozenset()
    technician: str | None = None
    appointment: str | None = None


@dataclass(frozen=True)
class Glance:
    """What a look saw: SQL's part is ``facts``, changed by the tests."""

    epoch: str
    offset: int
    technician: str | None
    leg: str | None
    state: str
    position: dict[str, Any] | None

    @property
    def shows(self) -> bool:
        return self.position is not None

    def allows(self, who: Watcher) -> bool:
        return who.role is Role.DISPATCHER

    def snapshot(self, now: datetime, offset: int, *, recovered: bool) -> bytes:
        said = {"type": "snapshot", "epoch": self.epoch, "offset": offset, "recovered": recovered}
        return json.dumps(said | {"state": self.state, "position": self.position}).encode()


class Process:
    """What one web process has of it."""

    def __init__(self, url: str) -> None:
        self.client, self.subscriber = connect(url), subscriber(url)
        self.subscription = Subscription(self.subscriber)
        self.control = Control(self.client, self.subscription)
        self.positions = Positions(self.client, self.control.ask)
        self.keeper = Keeper(self.client)
        self.hub = Hub(self.subscription, self.control, utc)
        self.technician, self.leg, self.state = TECHNICIAN, LEG, "traveling"
        self.looks = 0
        self.before_sql: Callable[[], Any] | None = None
        self.versions: dict[str, str] = {}

    async def look(self, appointment: str, technician: str | None) -> Glance:
        self.looks += 1
        assert technician is not None
        visit = await self.positions.visit(technician, appointment)
        if self.before_sql is not None:
            await self.before_sql()
        shown = visit.position if self.state == "traveling" and visit.leg == self.leg else None
        leg = self.leg if self.state == "traveling" else None
        return Glance(visit.epoch, visit.offset, self.technician, leg, self.state, shown)

    def watch(self, resume: tuple[str, int] | None = None, session: str = "s") -> tuple[Watch, Shelf]:
        shelf = Shelf()
        viewer = Watch(shelf, VISIT, Someone(), session, utc() + timedelta(hours=1))
        viewer.resume = resume
        self.hub.expect(viewer)
        self.hub.join(viewer, TECHNICIAN)
        return viewer, shelf

    async def watching(self, resume: tuple[str, int] | None = None, session: str = "s") -> tuple[Watch, Shelf]:
        """A viewer that has its snapshot."""
        viewer, shelf = self.watch(resume, session)
        await until(lambda: bool(shelf.frames))
        return viewer, shelf

    async def open_gate(self, gen: int = 1, *, leg: str = LEG, technician: str = TECHNICIAN) -> None:
        now = utc()
        gate = Gate(
            technician,
            gen,
            duty_end=now + timedelta(hours=8),
            device="phone",
            leg=leg,
            appointment=VISIT,
            since=now - timedelta(minutes=5),
            interval_s=5,
        )
        assert await self.positions.set_gate(gate)

    async def ping(self, *, technician: str = TECHNICIAN, lat: float = HERE.lat) -> Answer:
        """One ping of the phone, fixed now."""
        now = utc()
        fix = round(now.timestamp() * 1000)
        head = json.dumps({"lat": lat, "lon": HERE.lon, "fix_at": text(now)})[:-1]
        tag, version = keys.tag(technician), f"v{fix}-{lat}"
        one = Item(
            technician,
            tag,
            "phone",
            self.versions.get(technician, ""),
            version,
            fix,
            lat,
            HERE.lon,
            head,
            "[]",
            "",
            "",
            [],
            "",
            "",
        )
        [answer] = await self.keeper.keep([one], now)
        if answer.moved:
            self.versions[technician] = version
        return answer

    async def told(self, state: State) -> int:
        return await self.positions.publish_state(TECHNICIAN, VISIT, state, utc(), ended=state is State.COMPLETED)


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Process]:
    """A process that listens."""
    one = Process(url)
    await one.hub.start(one.look, one.positions.events_after)
    await asyncio.wait_for(one.subscription.connected.wait(), 60)
    try:
        yield one
    finally:
        await one.hub.stop()
        await one.keeper.close()
        await one.subscriber.aclose()
        await one.client.aclose()
