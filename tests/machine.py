"""The service as real processes in an empty folder: commands run to their end, servers until they are ended."""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.ports import reserved_port
from tests.serving import PLAIN

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Machine:
    """An empty data folder and free ports; nothing of this test's own environment."""

    data: Path
    more: dict[str, str] = field(default_factory=dict)
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port, self.metrics = reserved_port(), reserved_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "TRACKER_DATA": str(self.data),
            "TRACKER_PORT": str(self.port),
            "TRACKER_METRICS_PORT": str(self.metrics),
            "TRACKER_LOG_FORMAT": "json",
            "PYTHONPATH": str(ROOT),
            "PATH": os.defpath,
        }
        return own | self.more

    async def start(self, *arguments: str, log: Path | None = None) -> asyncio.subprocess.Process:
        errors = log.open("wb") if log else asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tracker", *arguments),
            env=self.environment,
            cwd=self.data,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        if log:
            errors.close()  # type: ignore[union-attr]
        self.running.append(process)
        return process

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end: exit status and everything it said."""
        process = await self.start(*arguments)
        async with asyncio.timeout(60):
            out, errors = await process.communicate()
        return process.returncode or 0, (out + errors).decode()

    async def done(self, *arguments: str) -> str:
        status, said = await self.run(*arguments)
        assert status == 0, said
        return said

    async def ready(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(60), httpx.AsyncClient(verify=PLAIN) as client:
            while True:
                assert process.returncode is None, "it ended"
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End whatever still runs."""
        for process in self.running:
            if process.returncode is None:
                process.kill()
                await process.wait()
