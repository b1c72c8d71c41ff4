"""The demo as a newcomer runs it (X1): an empty HOME, no other service; it drives, ends when told, and remembers."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.machine import ROOT
from tests.ports import reserved_port
from tests.serving import PLAIN

TECHNICIANS = 12
"""At least so many have appointments today."""


@asynccontextmanager
async def demo(port: int, folder: Path, sign: signal.Signals) -> AsyncIterator[str]:
    """What it prints until it says how to stop it; at the end it is told to end, and has ten seconds."""
    command = [sys.executable, "-m", "tracker", "demo", "--port", str(port)]
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(*command, "--data", str(folder / "demo")),
        env={"HOME": "", "PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert process.stdout
        said = ""
        async with asyncio.timeout(150):
            while "Stop with Ctrl-C" not in said:
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
        print(f"alive after {time.monotonic() - began:.1f} s")
        yield said
        process.send_signal(sign)
        async with asyncio.timeout(10):  # the promise
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def desk(port: int, said: str) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as the dispatcher whom it printed."""
    [(email, password)] = re.findall(r"/sign-in\s+dispatcher\s+(\S+)\s+(\S+)", said)
    url = f"http://127.0.0.1:{port}"
    own = {"Origin": f"http://localhost:{port}", "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=url, headers=own, timeout=20, verify=PLAIN) as client:
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/demo/mailbox")).status_code == 200
        answer = await client.post("/api/v1/sessions", json={"email": email, "password": password})
        assert answer.status_code == 201, answer.text
        yield client


@pytest.mark.faults
async def test_it_is_ready_drives_ends_when_told_and_remembers(tmp_path: Path) -> None:
    port = reserved_port()
    async with demo(port, tmp_path, signal.SIGTERM) as said, desk(port, said) as client:
        today = await appointments(client)
        async with asyncio.timeout(timedelta(minutes=4).total_seconds()):
            while sum(one["state"] == "traveling" for one in today) < 3:
                await asyncio.sleep(1)
                today = await appointments(client)
        assert len({one["technician_id"] for one in today if one.get("technician_id")}) >= TECHNICIANS
    async with demo(port, tmp_path, signal.SIGINT) as said, desk(port, said) as client:
        assert {one["id"] for one in today} <= {one["id"] for one in await appointments(client)}


async def appointments(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Everybody's, around today."""
    found: list[dict[str, Any]] = (await client.get("/api/v1/appointments")).json()["appointments"]
    return found
