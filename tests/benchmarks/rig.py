"""Servers for benchmarks: each its own process on one core, the load on the other, CPU time by the kernel's clock."""

import asyncio
import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks.company import Company, settle
from tests.ports import reserved_port
from tests.world import process as house_on
from tracker.actions.house import the_clock
from tracker.live.server import EmbeddedValkey
from tracker.records.database import Database

CORES = sorted(os.sched_getaffinity(0))
SERVERS, LOAD = {CORES[0]}, {CORES[-1]}
SECRET = "the secret of the benchmarks, 44 characters."


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_s(self) -> float:
        """User and system time of all its threads so far: what /proc/PID/stat says in ticks of 10 ms, here to the nanosecond."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's name for another process' CPU clock


@dataclass
class Rig:
    """Everything a measurement needs."""

    company: Company
    service: Server
    floors: Server
    redis_url: str
    folder: Path


@asynccontextmanager
async def rig(vans: int, viewers: int) -> AsyncIterator[Rig]:
    """The service (`tracker serve`) and the floors on one Valkey, which writes its append-only file as in earnest."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory(prefix="tt-bench-") as name:
        folder, valkey = Path(name), EmbeddedValkey()
        redis_url = await valkey.start(folder)
        database = Database(f"sqlite:///{folder / 'tracker.sqlite'}")
        try:
            async with house_on(database, redis_url, the_clock) as house:
                company = await settle(house, vans, viewers)
                with pinned(LOAD), _service(folder, redis_url) as service, floor("starlette", redis_url) as floors:
                    await answering(service, "/readyz")
                    await answering(floors, "/")
                    yield Rig(company, service, floors, redis_url, folder)
        finally:
            await database.close()
            await valkey.stop()


@contextmanager
def pinned(cores: set[int]) -> Iterator[None]:
    """This process (and what it starts) on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection of ours within a measurement."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def floor(kind: str, redis_url: str) -> Iterator[Server]:
    """A floor of `tests.benchmarks.floors` ("starlette" or "broadcast")."""
    with _server([sys.executable, "-m", "tests.benchmarks.floor_process", kind, redis_url], {}) as server:
        yield server


@contextmanager
def _service(folder: Path, redis_url: str) -> Iterator[Server]:
    settings = {
        "TRACKER_DATA": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'tracker.sqlite'}",
        "REDIS_URL": redis_url,
        "TRACKER_SECRET": SECRET,
        "TRACKER_LOG_LEVEL": "warning",
    }
    with _server([sys.executable, "-m", "tracker", "serve"], settings) as server:
        yield server


@contextmanager
def _server(command: list[str], settings: dict[str, str]) -> Iterator[Server]:
    port = reserved_port()
    with pinned(SERVERS):
        process = subprocess.Popen(command, env=os.environ | settings | {"TRACKER_PORT": str(port)})
    try:
        yield Server(port, process.pid)
    finally:
        process.kill()  # nothing of it is wanted any more, and a floor would wait for viewers that have gone
        process.wait()


async def answering(server: Server, path: str) -> None:
    """Wait until the server answers (404 will do)."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client, asyncio.timeout(60):
        while True:
            try:
                if (await client.get(path)).status_code < 500:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)
