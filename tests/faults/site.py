"""A deployment of real processes that fault tests cut, kill, flood and end: one web process, viewers, a phone with a store."""

import asyncio
import itertools
import json
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import websockets

from tests.machine import Machine
from tests.world import PLACE, World, settle
from tracker.actions.people.accounts import hashed
from tracker.domain.geo import moved
from tracker.records import sessions, technicians
from tracker.records.database import Database, new_id
from tracker.records.migrations import migrate
from tracker.records.sessions import Session

TOKEN = "t0ken-of-mayas-phone"


@dataclass
class Site:
    """What is there; ``web`` is the process under test."""

    machine: Machine
    db: Database
    world: World
    redis_url: str
    web: asyncio.subprocess.Process | None = None
    logs: "itertools.count[int]" = field(default_factory=itertools.count)

    async def start(self) -> None:
        """Start the web process and wait until it is ready."""
        self.web = await self.machine.start("serve", log=self.machine.data / f"serve-{next(self.logs)}.log")
        await self.machine.ready(self.web)

    async def kill(self) -> None:
        """kill -9."""
        assert self.web is not None
        self.web.kill()
        await self.web.wait()

    async def end(self) -> float:
        """SIGTERM; seconds until it was gone with status 0."""
        assert self.web is not None
        began = time.monotonic()
        self.web.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await self.web.wait() == 0
        return time.monotonic() - began

    def said(self) -> str:
        """Everything the web processes wrote down."""
        return "".join(path.read_text() for path in sorted(self.machine.data.glob("serve-*.log")))

    async def cookies(self, count: int) -> list[str]:
        """So many sessions of Anna's."""
        now, tokens = datetime.now(UTC), [new_id() * 2 for _ in range(count)]
        times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=1)}
        async with self.db.transaction() as tx:
            for token in tokens:
                row = Session(id=new_id(), person_id=self.world.customer.id, user_agent=None, **times)
                await sessions.add(tx, row, hashed(token))
        return tokens

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}

    def client(self) -> httpx.AsyncClient:
        """Maya's phone over HTTP."""
        return httpx.AsyncClient(base_url=self.machine.url, headers=self.bearer, timeout=20)

    async def step(self, client: httpx.AsyncClient, visit: str, step: str, **more: Any) -> httpx.Response:
        return await client.post(f"/api/v1/appointments/{visit}/steps", json={"step": step, **more})


@asynccontextmanager
async def site(database_url: str, redis_url: str, data: Path) -> AsyncIterator[Site]:
    """Everything migrated and settled; nothing runs yet."""
    db = Database(database_url)
    await migrate(db)
    world = await settle(db, datetime.now(UTC) - timedelta(days=1))
    async with db.transaction() as tx:
        devices = technicians.devices
        await tx.change(devices.update().where(devices.c.id == world.phone).values(token_hash=hashed(TOKEN)))
    machine = Machine(data, {"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    try:
        yield Site(machine, db, world, redis_url)
    finally:
        await machine.stop()
        await db.close()


class Page:
    """A viewer that comes back whenever it is cut off, and knows whether it missed something."""

    def __init__(self, place: Site, visit: str, cookie: str, dice: random.Random) -> None:
        self._site, self._visit, self._cookie, self._dice = place, visit, cookie, dice
        self.epoch, self.offset = "", 0
        self.codes: list[int | None] = []
        self.snapshots = 0
        self.states: list[str] = []
        self.positions: list[tuple[float, float]] = []
        self.news = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            with suppress(OSError, websockets.WebSocketException, TimeoutError):
                await self._once()
            await asyncio.sleep(self._dice.uniform(0.05, 0.5))

    async def _once(self) -> None:
        machine = self._site.machine
        async with websockets.connect(
            machine.url.replace("http", "ws") + "/ws/live",
            origin=websockets.Origin(machine.url),
            additional_headers={"Cookie": f"tt={self._cookie}"},
            compression=None,
            open_timeout=20,
            close_timeout=1,
        ) as socket:
            resume = {"epoch": self.epoch, "offset": self.offset} if self.epoch else {}
            await socket.send(json.dumps({"type": "watch", "appointment": self._visit, **resume}))
            try:
                async for text in socket:
                    await self._hear(socket, json.loads(text))
            finally:
                self.codes.append(socket.close_code)

    async def _hear(self, socket: websockets.ClientConnection, frame: dict[str, Any]) -> None:
        if frame["type"] == "snapshot":
            assert frame["epoch"] != self.epoch or frame["offset"] >= self.offset, "offsets fell within an epoch"
            self.epoch, self.offset = frame["epoch"], frame["offset"]
            self.snapshots += 1
        elif "offset" in frame:
            assert frame["offset"] > self.offset
            self.offset = frame["offset"]
        if frame["type"] in {"state", "ended"}:
            self.states.append(frame["state"])
        if frame.get("position"):
            self.positions.append((frame["position"]["lat"], frame["position"]["lon"]))
        if frame["type"] == "update":
            await socket.send(json.dumps({"type": "seen", "offset": frame["offset"]}))
        self.news.set()


@asynccontextmanager
async def pages(place: Site, visit: str, count: int, seed: int = 1) -> AsyncIterator[list[Page]]:
    """So many viewers that run, fifty to a session."""
    dice = random.Random(seed)
    tokens = await place.cookies(count // 50 + 1)
    found = [Page(place, visit, tokens[n % len(tokens)], dice) for n in range(count)]
    tasks = [asyncio.create_task(page.run()) for page in found]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in done if isinstance(each, AssertionError)] == []


async def all_of(found: list[Page], true: Any, seconds: float = 60) -> float:
    """Wait until it is true of every page; seconds it took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        for page in found:
            while not true(page):
                page.news.clear()
                await page.news.wait()
    return time.monotonic() - began


def fixes(count: int, every_s: float, until: datetime) -> list[dict[str, Any]]:
    """A long drive that ends now: round and round within a few kilometres, never faster than a van."""
    found = []
    for n in range(count):
        at = until - timedelta(seconds=every_s * (count - 1 - n))
        place = moved(moved(PLACE, 0, 3_000), 3.0 * n % 360, 1_500)
        found.append({"seq": n + 1, "at": at.isoformat(), "lat": round(place.lat, 6), "lon": round(place.lon, 6), "acc": 5.0})
    return found


class StoredPhone:
    """A phone with a store: newest first, then oldest first; a ping is dropped only when it is acknowledged."""

    def __init__(self, place: Site, store: list[dict[str, Any]], dice: random.Random) -> None:
        self._site, self._dice = place, dice
        self.store = {each["seq"]: each for each in store}
        self.connections = 0
        self.frames = 0
        self.current_after: list[float] = []

    async def upload(self) -> None:
        """Connect again and again until the store is empty."""
        while self.store:
            with suppress(OSError, websockets.WebSocketException, TimeoutError):
                await self._once()
            await asyncio.sleep(0.02)

    async def _once(self) -> None:
        address = self._site.machine.url.replace("http", "ws") + "/ws/technician"
        async with websockets.connect(address, compression=None, open_timeout=5, close_timeout=0.2) as socket:
            hello = {"type": "hello", "token": TOKEN, "boot": "b00t", "first": min(self.store)}
            await socket.send(json.dumps(hello))
            welcome = json.loads(await socket.recv())
            assert welcome["type"] == "welcome", welcome
            self.connections += 1
            self._drop(welcome["acked"], [])
            began, newest = time.monotonic(), True
            while self.store:
                seqs = [max(self.store)] if newest else sorted(self.store)[: self._dice.choice([1, 5, 20, 50, 200])]
                await socket.send(json.dumps({"type": "pings", "pings": [self.store[seq] for seq in seqs]}))
                frame = json.loads(await socket.recv())
                while frame["type"] != "ack":
                    assert frame["type"] == "policy", frame
                    frame = json.loads(await socket.recv())
                self.frames += 1
                self._drop(frame["seq"], frame.get("also", []))
                if newest:
                    self.current_after.append(time.monotonic() - began)
                newest = False

    def _drop(self, upto: int, also: list[int]) -> None:
        for seq in [seq for seq in self.store if seq <= upto] + also:
            self.store.pop(seq, None)
