"""The commands as an operator runs them: real processes in an empty folder, ended by SIGTERM."""

import asyncio
import contextlib
import json
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets
from click.testing import CliRunner

from tests.commands.test_commands import done
from tests.machine import Machine

PASSWORD = "correct horse battery"


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(30):  # the promise of ten seconds is measured by `make faults`, alone on a machine
        return await process.wait()


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path)
    yield made
    await made.stop()


@pytest.fixture
def migrated(machine: Machine, sqlite_template: Path) -> Machine:
    """As `tracker migrate` leaves it (its tables are copied)."""
    shutil.copy(sqlite_template / "tracker.db", machine.data / "tracker.sqlite")
    return machine


async def by_hand(machine: Machine, *arguments: str) -> None:
    """A command on that machine, run here: a process of its own takes a second to start."""
    await asyncio.to_thread(done, CliRunner(env=machine.environment), *arguments)


@asynccontextmanager
async def signed_in(machine: Machine, email: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Origin": machine.url, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=machine.url, headers=headers, timeout=20) as client:
        answer = await client.post("/api/v1/sessions", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        yield client


async def test_a_served_process_ends_politely(machine: Machine, tmp_path: Path) -> None:
    await machine.done("migrate")
    await machine.done("user", "add", "desk@example.org", "--name", "Desk", "--role", "admin", "--password", PASSWORD)
    log = tmp_path / "serve.log"
    serve = await machine.start("serve", log=log)
    await machine.ready(serve)
    worker = await machine.start("worker", log=tmp_path / "worker.log")
    async with asyncio.timeout(60):
        while '"working"' not in (tmp_path / "worker.log").read_text():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    async with signed_in(machine, "desk@example.org") as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        address = machine.url.replace("http", "ws") + "/ws/live"
        async with websockets.connect(address, additional_headers={"Cookie": cookie, "Origin": machine.url}) as viewer:
            await viewer.send(json.dumps({"type": "watch", "board": True, "bbox": [-180, -85, 180, 85]}))
            async with asyncio.timeout(60):
                assert json.loads(await viewer.recv())["type"] == "snapshot"
            async with httpx.AsyncClient(timeout=20) as prometheus:
                numbers = (await prometheus.get(f"http://127.0.0.1:{machine.metrics}/metrics")).text
            assert 'tracker_requests_total{method="POST",status="201",template="/api/v1/sessions"}' in numbers
            assert (await client.get("/metrics")).status_code == 404  # not on the public port
            await slow_request(machine, cookie, serve)
            with contextlib.suppress(websockets.ConnectionClosedError):
                async for _ in viewer:
                    pass
            assert viewer.close_code == 1012
    assert await ended(serve) == 0
    worker.send_signal(signal.SIGTERM)
    assert await ended(worker) == 0
    said = log.read_text() + (tmp_path / "worker.log").read_text()
    assert "Traceback" not in said, said
    assert cookie.partition("=")[2] not in said


async def slow_request(machine: Machine, cookie: str, serve: asyncio.subprocess.Process) -> None:
    """A request that is half sent when SIGTERM comes is still answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", machine.port)
    body = json.dumps({"email": "nobody@example.org", "password": PASSWORD}).encode()
    head = f"POST /api/v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:{machine.port}\r\nOrigin: {machine.url}\r\nCookie: {cookie}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:10])
    await writer.drain()
    async with httpx.AsyncClient(timeout=20) as other:  # answered after: so the half request has been taken up, too
        assert (await other.get(f"{machine.url}/livez")).status_code == 200
    serve.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        while True:  # until nobody new is let in
            try:
                _, closing = await asyncio.open_connection("127.0.0.1", machine.port)
                closing.close()
                await closing.wait_closed()
                await asyncio.sleep(0.02)
            except ConnectionRefusedError:
                break
        writer.write(body[10:])
        assert b"401 Unauthorized" in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_killed_process_is_back_and_remembers(migrated: Machine) -> None:
    machine = migrated
    await by_hand(machine, "user", "add", "desk@example.org", "--name", "Desk", "--role", "admin", "--password", PASSWORD)
    first = await machine.start("serve", log=machine.data / "1.log")
    await machine.ready(first)
    async with signed_in(machine, "desk@example.org") as client:
        first.send_signal(signal.SIGKILL)
        await first.wait()
        second = await machine.start("serve", log=machine.data / "2.log")
        await machine.ready(second)
        assert (await client.get("/api/v1/me")).json()["role"] == "admin"
        # a setting changed by another process is known here soon, without a restart
        await by_hand(machine, "settings", "set", "company", '"Waypoint"')
        async with asyncio.timeout(60):
            while "Waypoint" not in (await client.get("/")).text:  # noqa: ASYNC110 - another process: asking is all one can do
                await asyncio.sleep(0.1)
        await by_hand(machine, "user", "end", "desk@example.org")
        assert (await client.get("/api/v1/me")).status_code == 401
    second.send_signal(signal.SIGINT)
    assert await ended(second) == 0


async def test_it_starts_without_redis_and_signs_people_in(migrated: Machine) -> None:
    machine = migrated
    await by_hand(machine, "user", "add", "desk@example.org", "--name", "Desk", "--role", "admin", "--password", PASSWORD)
    machine.more = {"REDIS_URL": f"unix://{machine.data}/nobody"}
    serve = await machine.start("serve", log=machine.data / "serve.log")
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=20) as client:
        while True:
            try:
                ready = await client.get(f"{machine.url}/readyz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    assert (ready.status_code, ready.json()["parts"]) == (503, {"records": "ok", "live": "away", "mail": "off"})
    async with signed_in(machine, "desk@example.org") as client:
        assert (await client.get("/api/v1/appointments")).json() == {"appointments": []}
    serve.send_signal(signal.SIGTERM)
    assert await ended(serve) == 0
