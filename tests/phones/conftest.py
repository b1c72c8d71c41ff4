"""What the phones' tests stand on: one company, and as many web processes as they like."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.phones.clients import Start, Web, give_token, web
from tests.world import Clock, World, settle
from tracker.records.database import Database


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The sockets do not care which database it is."""
    return sqlite_url


@pytest.fixture
async def world(db: Database) -> World:
    """The small company; Maya's phone has a token."""
    found = await settle(db)
    await give_token(db, found.phone)
    return found


@pytest.fixture
def clock() -> Clock:
    """The clock of every process of the test."""
    return Clock()


@pytest.fixture
async def start(db: Database, world: World, redis_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Start]:
    """Start a web process on the same database and Redis."""
    async with AsyncExitStack() as stack:
        yield lambda: stack.enter_async_context(web(db, redis_url, tmp_path, clock))


@pytest.fixture
async def here(start: Start) -> Web:
    """One web process."""
    return await start()
