"""A parent that has begun the service once and forks it: to kill it and start it again costs a moment instead of seconds.

usage: python -m tests.faults.warm     (reads commands, "serve" or "worker", from its input; says each child's pid)
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.machine import ROOT, Machine


@dataclass
class Warm:
    """The parent, seen from a test."""

    machine: Machine
    parent: asyncio.subprocess.Process
    _client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False))

    async def start(self, command: str) -> int:
        """A child that runs a command; its pid."""
        assert self.parent.stdin
        assert self.parent.stdout
        self.parent.stdin.write(f"{command}\n".encode())
        return int(await self.parent.stdout.readline())

    async def kill(self, pid: int) -> None:
        """kill -9, and wait until it is gone."""
        await self.end(pid, signal.SIGKILL)

    async def end(self, pid: int, sign: signal.Signals) -> None:
        """Send a signal, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.005)

    async def ready(self) -> None:
        """Wait until the web process takes requests."""
        async with asyncio.timeout(60):
            while True:
                with suppress(httpx.TransportError):
                    if (await self._client.get(f"{self.machine.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        """End the parent; whoever started children has killed them."""
        assert self.parent.stdin
        self.parent.stdin.close()
        await self.parent.wait()
        await self._client.aclose()


@asynccontextmanager
async def warm(machine: Machine, more: Mapping[str, str] | None = None) -> AsyncIterator[Warm]:
    """The parent runs, with ``more`` in its environment; whoever starts children kills them."""
    with (machine.data / "warm.log").open("ab") as log:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.warm"),
            env=machine.environment | (more or {}),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    found = Warm(machine, parent)
    try:
        yield found
    finally:
        await found.close()


def run() -> None:
    """Fork a child for each line that comes."""
    from tracker.__main__ import main

    _rehearse()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them
    while line := os.read(0, 100).decode().strip():
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)
            main([line], standalone_mode=False)
            os._exit(0)
        os.write(1, f"{pid}\n".encode())


def _rehearse() -> None:
    """Put the service together once: whatever is loaded or compiled on the way need not be by any child."""
    import httpx._transports.default as transports

    from portal_web.doors import portal
    from tracker.app import create_app, open_house
    from tracker.commands import running
    from tracker.config import read

    # the system's certificates are read for every client anew, though no child ever speaks TLS
    transports.create_ssl_context = functools.cache(transports.create_ssl_context)
    config = read()
    config.data.mkdir(parents=True, exist_ok=True)

    async def once() -> None:
        async with open_house(config) as house, house.db.reading():
            create_app(house, config, portal(config).routes)

    asyncio.run(once())
    running._settle_down()


if __name__ == "__main__":
    run()
