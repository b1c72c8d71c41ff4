"""The embedded Valkey: starts, survives a crash with its data, is shared, and never outlives its parent."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tracker.errors import LiveUnavailable
from tracker.live.connect import AWAY, connect
from tracker.live.positions import Positions
from tracker.live.server import EmbeddedValkey


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.01)


async def said(url: str, key: str) -> bytes | None:
    client = connect(url)
    try:
        return await client.get(key)  # type: ignore[return-value]
    except AWAY:
        return None
    finally:
        await client.aclose()


@pytest.fixture
async def valkey() -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey()
    yield server
    await server.stop()


def pid_of(data: Path) -> int:
    return int((data / "valkey.pid").read_text())


async def test_data_survives_kill_and_stop(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    url = await valkey.start(tmp_path)
    client = connect(url)
    await client.set("kept", "yes")
    await client.execute_command("WAITAOF", 1, 0, 5000)
    await client.aclose()
    first = pid_of(tmp_path)
    os.kill(first, signal.SIGKILL)

    async def back() -> bool:
        return await said(url, "kept") == b"yes" and pid_of(tmp_path) != first

    await until(back)
    await valkey.stop()
    assert await said(url, "kept") is None
    again = EmbeddedValkey()
    assert await again.start(tmp_path) == url
    assert await said(url, "kept") == b"yes"
    await again.stop()


async def test_while_it_is_away_live_is_unavailable(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    url = await valkey.start(tmp_path)
    client = connect(url)
    positions = Positions(client)
    assert await positions.gate("tech") is None
    await valkey.stop()
    with pytest.raises(LiveUnavailable):
        await positions.gate("tech")
    with pytest.raises(LiveUnavailable):
        await positions.visit("tech", "visit")
    with pytest.raises(LiveUnavailable):
        await positions.on_duty()
    await client.aclose()


async def test_a_second_process_joins_and_takes_over(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    url = await valkey.start(tmp_path)
    second = EmbeddedValkey()
    assert await second.start(tmp_path) == url
    client = connect(url)
    await client.set("kept", "yes")
    await client.aclose()
    await valkey.stop()

    async def taken_over() -> bool:
        return await said(url, "kept") == b"yes"

    await until(taken_over)
    await second.stop()


HOST = """
import asyncio, pathlib, sys
from tracker.live.server import EmbeddedValkey
async def main():
    print(await EmbeddedValkey().start(pathlib.Path(sys.argv[1])), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_it_ends_with_a_killed_parent(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, str(tmp_path), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout
    url = (await parent.stdout.readline()).decode().strip()
    assert url.startswith("unix://")
    child = pid_of(tmp_path)
    parent.kill()
    await parent.wait()

    async def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        # an orphan is left for whoever adopted it to reap: a zombie has ended, too
        return Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"  # noqa: ASYNC240

    await until(gone)


async def test_a_long_folder_name_gets_a_short_socket(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30)
    url = await valkey.start(data)
    assert len(url) < 110
    assert await said(url, "nothing") is None
