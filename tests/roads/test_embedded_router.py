"""The watched router: crash, hang, rebuild, takeover, and the end of its parent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.roads.streets import write_town
from tracker.roads.build import build
from tracker.roads.server import EmbeddedValhalla


async def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition that no event tells of."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 a process tells no event
            await asyncio.sleep(0.02)


async def answers(url: str | None) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        try:
            return url is not None and (await client.get(f"{url}/status")).status_code == 200
        except httpx.HTTPError:
            return False


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def pid_of(server: EmbeddedValhalla) -> int:
    assert server.child is not None
    return server.child.pid


async def test_it_answers_on_loopback_only_and_ends_when_told(valhalla: EmbeddedValhalla) -> None:
    assert await answers(valhalla.url)
    url, pid = valhalla.url, pid_of(valhalla)
    assert url is not None
    assert url.startswith("http://127.0.0.1:")
    await valhalla.stop()
    assert gone(pid)
    assert not await answers(url)
    assert valhalla.url is None


async def test_after_a_crash_there_is_a_new_one(valhalla: EmbeddedValhalla) -> None:
    first = pid_of(valhalla)
    os.kill(first, signal.SIGKILL)
    await until(lambda: valhalla.url and valhalla.child and valhalla.child.pid != first)
    assert await answers(valhalla.url)


async def test_one_that_hangs_is_replaced(town: Path, tmp_path: Path) -> None:
    server = EmbeddedValhalla(town, tmp_path / "router", probe_s=0.2, patience_s=0.5)
    await server.start(wait_s=60)
    first = pid_of(server)
    os.kill(first, signal.SIGSTOP)
    await until(lambda: server.url and server.child and server.child.pid != first)
    assert gone(first)
    async with asyncio.timeout(60):
        while not await answers(server.url):  # noqa: ASYNC110 - so little patience may have replaced the next one as well
            await asyncio.sleep(0.02)
    await server.stop()


async def test_a_new_build_is_taken_up(tmp_path: Path) -> None:
    extract, region = write_town(tmp_path / "town.osm.pbf"), tmp_path / "region"
    build(extract, region, datetime(2026, 11, 23, tzinfo=UTC))
    server = EmbeddedValhalla(region, tmp_path / "router", probe_s=0.1)
    await server.start()
    first = pid_of(server)
    build(extract, region, datetime(2026, 11, 24, tzinfo=UTC))
    await until(lambda: server.url and server.child and server.child.pid != first)
    assert await answers(server.url)
    await server.stop()


async def test_two_processes_share_one_and_the_second_takes_over(town: Path, tmp_path: Path) -> None:
    first = EmbeddedValhalla(town, tmp_path / "router", probe_s=0.1)
    second = EmbeddedValhalla(town, tmp_path / "router", probe_s=0.1)
    await first.start()
    await second.start()
    assert second.url == first.url
    assert second.child is None
    await first.stop()
    await until(lambda: second.child is not None and second.url)
    assert await answers(second.url)
    await second.stop()


async def test_without_a_built_region_it_goes_on_trying(town: Path, tmp_path: Path) -> None:
    server = EmbeddedValhalla(tmp_path / "region", tmp_path / "router", probe_s=0.1)
    await server.start(wait_s=0.3)
    assert server.url is None
    (tmp_path / "region").symlink_to(town)
    await until(lambda: server.url)
    await server.stop()


_PARENT = """
import asyncio, sys
from pathlib import Path
from tracker.roads.server import EmbeddedValhalla

async def main():
    server = EmbeddedValhalla(Path(sys.argv[1]), Path(sys.argv[2]))
    await server.start()
    print("child", server.child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_ends_with_a_parent_that_is_killed(town: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PARENT, str(town), str(tmp_path / "router")]
    parent = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = 0
    async with asyncio.timeout(60):
        while not pid:
            line = (await parent.stdout.readline()).decode()
            assert line, "the parent ended too early"
            pid = int(line.split()[1]) if line.startswith("child") else 0
    assert not gone(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: gone(pid))
