"""The demo's processes end with it, even when it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PARENT = """
import asyncio, sys
from tracker.demo.run import Children

async def main():
    children = Children({"TRACKER_DATA": sys.argv[1]})
    child = await children.start("idle", "-c", "import time; print('up', flush=True); time.sleep(300)")
    print(child.pid, flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word at a parent's end is Linux's own")
def test_children_of_a_killed_demo_end(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        child = int(demo.stdout.readline())
        try:
            _until(lambda: (tmp_path / "logs" / "idle.log").read_text() == "up\n")
            demo.kill()
            demo.wait()
            _until(lambda: not _runs(child))
        finally:
            if _runs(child):
                os.kill(child, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
