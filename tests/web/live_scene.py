"""Two web processes on one Redis and one database, real sockets to them, and a technician who drives: what live tests play in."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import websockets
from sqlalchemy import update
from websockets.asyncio.client import ClientConnection

from tests.live.hubs import rising, text
from tests.ports import reserved_port
from tests.serving import PLAIN
from tests.world import PLACE, World, process, settle
from tracker.actions.house import House, the_clock
from tracker.actions.people.accounts import hashed
from tracker.actions.trip import visits
from tracker.actions.trip.visits import Wish
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.domain.geo import Point, moved
from tracker.live import keys
from tracker.live.keep import Answer, Item, Keeper
from tracker.records import appointments, schema, sessions
from tracker.records.database import Database, new_id
from tracker.records.migrations import migrate
from tracker.records.people import Person
from tracker.records.sessions import Session

DEADLINE_S = 60.0


@dataclass
class Server:
    """One web process."""

    port: int
    process: asyncio.subprocess.Process

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def end(self, *, kill: bool = False) -> None:
        if self.process.returncode is None:
            (self.process.kill if kill else self.process.terminate)()
        await asyncio.wait_for(self.process.wait(), 60)


@dataclass
class Viewer:
    """A page: keeps every frame, answers ``seen`` unless it is slow."""

    socket: ClientConnection
    slow: bool = False
    frames: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str | bytes] = field(default_factory=list)
    code: int | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def read(self) -> None:
        try:
            async for message in self.socket:
                frame = json.loads(message)
                if isinstance(frame, list):
                    frame = {"type": "update", "offset": frame[0], "short": frame}
                self.raw.append(message)
                self.frames.append(frame)
                self._news.set()
                if frame["type"] == "update" and not self.slow:
                    await self.socket.send(json.dumps({"type": "seen", "offset": frame["offset"]}))
        except websockets.ConnectionClosed:
            pass
        self.code = self.socket.close_code
        self._news.set()

    async def until(self, true: Callable[["Viewer"], bool]) -> None:
        """Wait until what was received makes it true."""
        async with asyncio.timeout(DEADLINE_S):
            while not true(self):
                self._news.clear()
                await self._news.wait()

    async def until_state(self, state: str) -> None:
        await self.until(lambda v: any(f.get("state") == state and f["type"] != "snapshot" for f in v.frames))

    async def until_closed(self) -> int | None:
        await self.until(lambda v: v.code is not None)
        return self.code

    async def seen(self, offset: int) -> None:
        await self.socket.send(json.dumps({"type": "seen", "offset": offset}))

    async def end(self) -> None:
        await self.socket.close()
        if self._task is not None:
            await self._task

    @property
    def places(self) -> list[tuple[float, float]]:
        """Every position this page was ever sent."""
        return [(f["position"]["lat"], f["position"]["lon"]) for f in self.frames if f.get("position")]

    @property
    def snapshots(self) -> list[dict[str, Any]]:
        return [f for f in self.frames if f["type"] == "snapshot"]

    def rising(self) -> bool:
        return rising(self.frames)

    @property
    def states(self) -> list[str]:
        return [f["state"] for f in self.frames if f["type"] in ("state", "ended")]


class Scene:
    """Everything a test needs; made by `scene`."""

    def __init__(self, house: House, world: World, redis_url: str, database_url: str, data: Path) -> None:
        self.house, self.world, self.redis_url, self.database_url, self.data = house, world, redis_url, database_url, data
        self.keeper = Keeper(house.positions.client)
        self.servers: list[Server] = []
        self.viewers: list[Viewer] = []
        self.versions: dict[str, str] = {}
        self.fix = 0
        self.technician = Actor(Role.TECHNICIAN, world.technician.id, "Maya", technician=world.maya)
        self.staff = Actor(Role.DISPATCHER, world.dispatcher.id, "Desk")

    # -- processes and sessions ----------------------------------------------------------------------------------------

    async def start(self, *, direct: bool = True) -> Server:
        """One more web process."""
        port = reserved_port()
        how = "direct" if direct else "asgi"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.web.live_process", self.database_url, self.redis_url, str(port), how),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"TRACKER_DATA": str(self.data)},
        )
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line.startswith(b"ready"), line
        server = Server(port, process)
        self.servers.append(server)
        return server

    async def cookie(self, person: Person, *, lasts: timedelta = timedelta(days=1)) -> tuple[str, str]:
        """A new session: its id and the cookie's token."""
        now, token, session = self.house.clock(), new_id() * 4, new_id()
        row = Session(id=session, person_id=person.id, user_agent=None, created_at=now, seen_at=now, expires_at=now + lasts)
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, row, hashed(token))
        return session, token

    async def connect(self, server: Server, token: str | None, *, origin: str | None = None) -> ClientConnection:
        headers = {"Cookie": f"tt={token}"} if token else {}
        return await websockets.connect(
            f"ws://127.0.0.1:{server.port}/ws/live",
            origin=websockets.Origin(origin or server.origin),
            additional_headers=headers,
            compression=None,
            open_timeout=DEADLINE_S,
        )

    async def watch(
        self, appointment: str, person: Person | None = None, *, at: int = 0, slow: bool = False, **said: Any
    ) -> Viewer:
        """A page that watches; returns when it has its first frame or was closed."""
        _, token = await self.cookie(person or self.world.customer)
        return await self.watch_with(token, appointment, at=at, slow=slow, **said)

    async def watch_with(self, token: str, appointment: str | None, *, at: int = 0, slow: bool = False, **said: Any) -> Viewer:
        viewer = Viewer(await self.connect(self.servers[at], token), slow)
        watch = {"type": "watch"} | ({"appointment": appointment} if appointment else {}) | said
        await viewer.socket.send(json.dumps(watch))
        viewer._task = asyncio.create_task(viewer.read())
        self.viewers.append(viewer)
        await viewer.until(lambda v: bool(v.frames) or v.code is not None)
        return viewer

    async def get(self, appointment: str, token: str, *, at: int = 0, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=DEADLINE_S, cookies={"tt": token}, verify=PLAIN) as client:
            return await client.get(f"{self.servers[at].origin}/api/v1/appointments/{appointment}/live", headers=headers)

    # -- the trip ------------------------------------------------------------------------------------------------------

    async def appointment(self, technician: str | None = None) -> str:
        return await self.world.appointment(technician, arrival_at=self.house.clock() + timedelta(minutes=30))

    async def step(self, appointment: str, step: Step, **more: Any) -> None:
        if step is Step.START_TRAVEL:
            more.setdefault("device", self.world.phone)
        await visits.take_step(self.house, more.pop("actor", self.technician), appointment, Wish(step=step, **more))

    async def travel(self) -> str:
        """An appointment whose technician is on the way."""
        appointment = await self.appointment()
        await self.step(appointment, Step.START_TRAVEL)
        return appointment

    async def ping(
        self, point: Point | None = None, *, technician: str | None = None, device: str | None = None, at: datetime | None = None
    ) -> Answer:
        """One ping of a phone, kept as ingest does; somewhere visible if no place is named."""
        who, phone = technician or self.world.maya, device or self.world.phone
        now = datetime.now(UTC)
        moment, (lat, lon) = at or now, point or VISIBLE
        fix = round(moment.timestamp() * 1000)
        if at is None:  # two pings within a millisecond would be one fix
            self.fix = fix = max(fix, self.fix + 1)
        head = json.dumps({"lat": lat, "lon": lon, "acc": 6, "fix_at": text(moment)})[:-1]
        version = new_id()
        one = Item(who, keys.tag(who), phone, self.versions.get(who, ""), version, fix, lat, lon, head, "[]", "", "", [], "", "")
        [answer] = await self.keeper.keep([one], now)
        if answer.moved:
            self.versions[who] = version
        return answer

    async def shown(self, viewer: Viewer, point: Point) -> None:
        """A ping that the viewer gets to see."""
        assert (await self.ping(point)).moved
        await viewer.until(lambda v: tuple(point) in v.places)

    async def begin(self) -> None:
        """A fresh start for the next test: nobody travels, every process runs."""
        async with self.house.db.reading() as tx:
            traveling = await appointments.traveling_of(tx, self.world.maya)
        if traveling is not None:
            await self.step(traveling.id, Step.UNDO, actor=self.staff)
        async with self.house.db.transaction() as tx:  # nor was she anywhere: her next trip begins at home, far away
            await tx.change(update(schema.appointments).values(started_at=None))
        await self.house.positions.client.flushall()
        self.versions.clear()
        self.servers = [server for server in self.servers if server.process.returncode is None]
        while len(self.servers) < 2:
            await self.start()

    async def forget_place(self) -> None:
        """As if her phone had been silent for long: the next trip begins where the plan says."""
        await self.house.positions.client.delete(f"{keys.tag(self.world.maya)}last:{self.world.maya}")
        self.versions.clear()

    async def finish(self) -> None:
        """Close what the test opened."""
        await asyncio.gather(*(viewer.end() for viewer in self.viewers), return_exceptions=True)
        self.viewers.clear()


VISIBLE = PLACE
"""Far outside the cloak round the technician's home."""


def somewhere(step: int) -> Point:
    """A place that is visible, another for each number."""
    found = moved(PLACE, 90, 20.0 * step)
    return Point(round(found.lat, 6), round(found.lon, 6))


@asynccontextmanager
async def scene(database_url: str, redis_url: str, data: Path) -> AsyncIterator[Scene]:
    """The small company with two web processes and nobody on the way yet."""
    db = Database(database_url)
    await migrate(db)
    async with process(db, redis_url, the_clock) as house:
        played = Scene(house, await settle(db, house.clock()), redis_url, database_url, data)
        try:
            await asyncio.gather(played.start(), played.start())
            yield played
        finally:
            await played.finish()
            await asyncio.gather(*(server.end() for server in played.servers))
            await played.keeper.close()
            await db.close()


__all__ = ["Scene", "Server", "Viewer", "scene", "somewhere"]
