"""What every test may ask for: real servers, started here on free places, gone when the run ends."""

import asyncio
import gc
import http.cookiejar
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from tests.servers import Postgres, postgres_server, redis_server, valkey_server
from tests.world import NOW, World, process, settle
from tracker.actions.house import House
from tracker.actions.people.passwords import Passwords
from tracker.records.database import Database
from tracker.records.migrations import migrate

sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
"""httpx looks for this package at every request, through all folders when it is not there: the answer is kept."""

http.cookiejar.time = SimpleNamespace(time=NOW.timestamp, localtime=time.localtime)  # type: ignore[attr-defined]
"""Clients keep their cookies in any year: sessions that begin at `NOW` have ended by the real clock some day."""

settings.register_profile("alike", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("alike")
"""What hypothesis makes up is the same in each run, and a machine that is slow just then fails nothing: whoever sees a test fail
has caused it. `make faults` makes up something else each time."""

LONGEST = (
    "journeys/test_pages_are_for_everybody.py",
    "journeys/test_appointments.py",
    "benchmarks/test_bench.py",
    "web/test_openapi.py",
    "web/test_roles.py",
    "journeys/test_live_page_follows.py",
    "commands/test_processes.py",
    "web/test_live.py",
    "web/test_live_privacy.py",
    "web/test_live_faults.py",
    "faults/",
    "journeys/",
    "simulator/test_deployment.py",
)
"""Files whose tests take longest: begun first, because one that begins last keeps everybody waiting (a file has one worker)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others as they stand."""

    def rank(item: pytest.Item) -> int:
        place = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((number for number, name in enumerate(LONGEST) if place.startswith(name)), len(LONGEST))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey from its wheel on a unix socket, one for the whole run."""
    with valkey_server() as url:
        yield url


@pytest.fixture(scope="session")
def debian_redis_url() -> Iterator[str]:
    """Debian's Redis 7, for the promise that only commands of Redis 7.0 are used."""
    with redis_server() as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """The Valkey, emptied."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture(params=["valkey_url", "debian_redis_url"])
def either_redis_url(request: pytest.FixtureRequest) -> str:
    """The same test on Valkey and on Debian's Redis, each emptied."""
    url: str = request.getfixturevalue(request.param)
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL cluster on a unix socket, one for the whole run."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """A SQLite file of this test alone, without any table yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL database of this test alone, without any table yet."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["empty_sqlite_url", "empty_postgres_url"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The same test on SQLite and on PostgreSQL, for what begins before the tables."""
    url: str = request.getfixturevalue(request.param)
    return url


def _migrate_once(url: str) -> None:
    async def migrated() -> None:
        database = Database(url)
        await migrate(database)
        await database.close()

    # a test's own loop may be running by now: this one needs a thread of its own
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrated()).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a SQLite file with every table: copied, because migrating anew for each test is most of a test's time."""
    folder = tmp_path_factory.mktemp("template")
    _migrate_once(f"sqlite+aiosqlite:///{folder / 'tracker.db'}")
    return folder


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """A PostgreSQL database with every table, to make others from."""
    name = postgres.create()
    _migrate_once(postgres.url(name))
    return name


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A SQLite file of this test alone: every table, no row."""
    shutil.copytree(sqlite_template, tmp_path, dirs_exist_ok=True)
    return f"sqlite+aiosqlite:///{tmp_path / 'tracker.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database of this test alone while it runs: every table, no row."""
    name = postgres.lend(postgres_template)
    yield postgres.url(name)
    postgres.take_back(name)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on SQLite and on PostgreSQL: every table, no row."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The same test on SQLite and on PostgreSQL: every table, no row. A second process opens `database_url`."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def house(db: Database, redis_url: str) -> AsyncIterator[House]:
    """The parts of one process on real servers; its clock stands still until a test moves it."""
    async with process(db, redis_url) as opened:
        opened.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))  # its cost is not the matter
        yield opened


@pytest.fixture
async def world(house: House) -> World:
    """The small company of tests/world.py, moved in."""
    return await settle(house.db)
