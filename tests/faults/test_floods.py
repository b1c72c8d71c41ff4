"""F9 and F21: doubled, shuffled, late pings; floods of sign-ins, frames and control frames, while others go on working."""

import asyncio
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
import websockets

from tests.faults.site import TOKEN, Site, site
from tests.phones.clients import PhoneClient, Web, fix
from tests.phones.conftest import clock, here, start, world  # noqa: F401 - fixtures
from tests.world import NOW, Clock, World
from tracker.actions.trip import trails
from tracker.live.streams import Stream
from tracker.records import points


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough for floods."""
    return sqlite_url


# -- F9 ------------------------------------------------------------------------------------------------------------------


async def shuffled(here: Web, world: World, clock: Clock, count: int, seed: int) -> None:  # noqa: F811
    """30 % sent twice, 30 % shuffled within a minute, 5 % ten hours late: each is stored once, the marker never goes back."""
    dice = random.Random(seed)
    order = [(n + (dice.uniform(0, 60) if dice.random() < 0.3 else 0), n) for n in range(1, count + 1)]
    order += [(n + dice.uniform(0, 120), n) for n in range(1, count + 1) if dice.random() < 0.3]
    late = set(dice.sample(range(1, count + 1), count // 20))
    first = [n for _, n in sorted(order) if n not in late]
    marker, back, acked = NOW - timedelta(days=1), 0, set[int]()
    async with PhoneClient.known(here) as phone:
        for part in range(0, len(first), 50):
            seqs = first[part : part + 50]
            clock.now = max(clock.now, NOW + timedelta(seconds=max(seqs) + 1))
            answer = await phone.pings(*(fix(seq, seq) for seq in seqs))
            acked |= set(seqs) & {*range(answer["seq"] + 1), *answer.get("also", [])}
            standing = await here.house.positions.last(world.maya)
            assert standing is not None
            back += standing.fix_at < marker
            marker = standing.fix_at
        clock.move(hours=10)
        for part in range(0, len(late), 50):
            seqs = sorted(late)[part : part + 50]
            answer = await phone.pings(*(fix(seq, seq) for seq in seqs))
            acked |= set(seqs) & {*range(answer["seq"] + 1), *answer.get("also", [])}
        assert acked == set(range(1, count + 1))
    while await trails.drain_once(here.house, Stream(here.house.positions.client, "trail")):
        pass
    async with here.house.db.reading() as tx:
        kept = await points.of_technician(tx, world.maya, NOW - timedelta(days=1), NOW + timedelta(days=3))
    print(f"F9 {len(first) + len(late)} pings of {count} sent, {len(kept)} stored, marker back {back} times")
    assert sorted(point.seq or 0 for point in kept) == list(range(1, count + 1))
    assert back == 0


async def test_doubled_shuffled_and_late_pings_are_stored_once_in_order(here: Web, world: World, clock: Clock) -> None:  # noqa: F811
    await shuffled(here, world, clock, 2_000, seed=1)


@pytest.mark.faults
async def test_f9_a_hundred_thousand_pings(here: Web, world: World, clock: Clock) -> None:  # noqa: F811
    await shuffled(here, world, clock, 100_000, seed=2)


# -- F21 -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def place(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with site(database_url, redis_url, tmp_path) as made:
        await made.start()
        yield made


async def pace_of(place: Site, seconds: float) -> list[float]:
    """How long each answer takes to somebody who works meanwhile."""
    took, end = [], time.monotonic() + seconds
    async with place.client() as client:
        while time.monotonic() < end:
            began = time.monotonic()
            assert (await client.get("/api/v1/appointments")).status_code in {200, 422}
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.02)
    return took


async def sign_in_flood(place: Site, stop: threading.Event) -> set[int]:
    """Passwords of a megabyte, and of a size that is looked at, for one address after another."""
    codes: set[int] = set()
    own = {"Origin": place.machine.url, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=place.machine.url, headers=own, timeout=30) as client:
        for number in range(10_000):
            if stop.is_set():
                break
            body = {"email": f"x{number}@example.org", "password": "p" * (1_000_000 if number % 2 else 1_000)}
            try:
                codes.add((await client.post("/api/v1/sessions", json=body)).status_code)
            except httpx.TransportError:
                codes.add(413)  # cut off in the middle of what nobody wants to read
    return codes


async def frame_flood(place: Site, stop: threading.Event) -> set[int | None]:
    """Frames as fast as they go, again and again; and pings of the WebSocket itself whose answers nobody reads."""
    codes: set[int | None] = set()
    address = place.machine.url.replace("http", "ws") + "/ws/technician"
    while not stop.is_set():
        async with websockets.connect(address, compression=None, ping_interval=None, close_timeout=1) as phone:
            await phone.send(json.dumps({"type": "hello", "token": TOKEN, "boot": "b", "first": 1}))
            try:
                while not stop.is_set():
                    await phone.send('{"type":"pings","pings":[]}')
                    await phone.ping()
                    await asyncio.sleep(0)
            except websockets.ConnectionClosed:
                pass
        codes.add(phone.close_code)
    return codes


@pytest.mark.faults
async def test_f21_floods_are_closed_by_limits_and_others_go_on(place: Site) -> None:
    """The short forms stand with the limits: tests/web/test_listener, test_guard, tests/phones, tests/actions/test_accounts."""
    calm = await pace_of(place, 2)
    stop = threading.Event()

    def beside[T](flood: Callable[[Site, threading.Event], Coroutine[Any, Any, T]]) -> "asyncio.Task[T]":
        return asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(flood(place, stop))))  # it must not hold up who measures

    floods, frames = [beside(sign_in_flood), beside(sign_in_flood)], [beside(frame_flood)]
    busy = await pace_of(place, 30)
    stop.set()
    codes, closes = set().union(*await asyncio.gather(*floods)), set().union(*await asyncio.gather(*frames))
    worst = [sorted(each)[int(len(each) * 0.99)] for each in (calm, busy)]
    print(
        f"F21 sign-ins {codes}, sockets {closes}; others' p50 {median(busy) / median(calm):.1f}x, p99 {worst[1] / worst[0]:.1f}x"
    )
    assert codes <= {401, 413, 429, 422}
    assert 413 in codes
    assert closes <= {4429, 1000, 1006, None}
    assert "Traceback" not in place.said()
