"""Puts the demo together: roads, first day, web, worker and simulator as children; ends them all within seconds."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

EXTRACT = Path(__file__).resolve().parents[2] / "simulator" / "data" / "helsinki.osm.pbf"

READY_S = 60.0
"""How long the web process may take before the demo gives up."""

END_S = 8.0
"""How long children may take to end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for."""

    port: int
    technicians: int
    https: bool
    data: Path


class Children:
    """Our own processes. Each is ended, and waited for, in the reverse order of its start."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._running: list[tuple[str, asyncio.subprocess.Process]] = []

    async def start(self, name: str, *arguments: str) -> asyncio.subprocess.Process:
        """Start `python ARGUMENTS`, its words in a log file of its own beside the data."""
        logs = Path(self._environment["TRACKER_DATA"]) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as said:
            # a session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order
            child = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, env=self._environment, stdout=said, stderr=said, start_new_session=True
            )
        self._running.append((name, child))
        return child

    async def any_ended(self) -> str:
        """Wait until one of them ends by itself; its name."""
        waits = {asyncio.create_task(child.wait()): name for name, child in self._running}
        done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waits[done.pop()]

    async def end(self) -> None:
        """SIGTERM to all, SIGKILL to who is still there after `END_S`."""
        alive = [child for _, child in reversed(self._running) if child.returncode is None]
        for child in alive:
            child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_S):
                await asyncio.gather(*(child.wait() for child in alive))
        except TimeoutError:
            for child in alive:
                if child.returncode is None:
                    child.kill()
