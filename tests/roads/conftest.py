"""A built town and a router that runs on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tracker.roads.valhalla
from tests.ports import reserved_port
from tests.roads.streets import write_town
from tracker.roads import build as building
from tracker.roads.server import EmbeddedValhalla


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built town."""
    folder = tmp_path_factory.mktemp("town")
    building.build(write_town(folder / "town.osm.pbf"), folder / "built", datetime(2026, 11, 23, tzinfo=UTC))
    return folder / "built"


@pytest.fixture
async def valhalla(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EmbeddedValhalla]:
    """A real, running router of the town, which is waited for however much else this machine has to do."""
    monkeypatch.setattr(tracker.roads.valhalla, "_ROUTE_S", 60.0)
    monkeypatch.setattr(tracker.roads.valhalla, "_MATRIX_S", 60.0)
    server = EmbeddedValhalla(town, tmp_path / "router", probe_s=0.2)
    await server.start(wait_s=60)
    assert server.url
    yield server
    await server.stop()


@pytest.fixture
def unused_port() -> int:
    """A loopback port nobody listens on."""
    return reserved_port()


@pytest.fixture
async def silent_server() -> AsyncIterator[str]:
    """Accepts, and never says a word."""
    async with serving(None) as url:
        yield url


@pytest.fixture
async def scripted_server() -> AsyncIterator[Callable[[int, bytes], str]]:
    """Answers every request with the status and body it was told last."""
    script = Script()
    async with serving(script) as url:

        def told(status: int, body: bytes) -> str:
            script.status, script.body = status, body
            return url

        yield told


@dataclass
class Script:
    status: int = 200
    body: bytes = b""


@asynccontextmanager
async def serving(script: Script | None) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if script is None:
            await reader.read()
        else:
            head = f"HTTP/1.1 {script.status} X\r\ncontent-length: {len(script.body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode() + script.body)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
