"""A parent that has imported the service and forks it: to kill it and start it again costs a moment instead of seconds.

usage: python -m tests.faults.warm     (reads commands, "serve" or "worker", from its input; says each child's pid)
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.machine import ROOT, Machine


@dataclass
class Warm:
    """The parent, seen from a test."""

    parent: asyncio.subprocess.Process

    async def start(self, command: str) -> int:
        """A child that runs a command; its pid."""
        assert self.parent.stdin
        assert self.parent.stdout
        self.parent.stdin.write(f"{command}\n".encode())
        return int(await self.parent.stdout.readline())

    async def kill(self, pid: int) -> None:
        """kill -9, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.005)


@asynccontextmanager
async def warm(machine: Machine) -> AsyncIterator[Warm]:
    """The parent runs; whoever starts children kills them."""
    with (machine.data / "warm.log").open("ab") as log:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.warm"),
            env=machine.environment,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield Warm(parent)
    finally:
        assert parent.stdin
        parent.stdin.close()
        await parent.wait()


def run() -> None:
    """Fork a child for each line that comes."""
    import tracker.commands.running  # noqa: F401 - so that no child has to
    from tracker.__main__ import main

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them
    while line := os.read(0, 100).decode().strip():
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)
            main([line], standalone_mode=False)
            os._exit(0)
        os.write(1, f"{pid}\n".encode())


if __name__ == "__main__":
    run()
