"""F1 and F2 for steps: the web process and the worker are killed at random moments while technicians work through their day."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.machine import Machine
from tests.world import PLACE, World, add_appointment, settle
from tracker.actions.people.accounts import hashed
from tracker.live.connect import connect
from tracker.live.positions import Positions
from tracker.records import appointments, events, legs, technicians
from tracker.records.database import Database, new_id
from tracker.records.migrations import migrate
from tracker.records.technicians import Technician

STEPS = ("start_travel", "arrive", "complete")
TOLD = ["traveling", "in_progress", "completed"]


@dataclass
class Day:
    """One technician, a token, and visits to work through; what was answered with 2xx."""

    technician: str
    token: str
    visits: list[str]
    answers: list[dict[str, Any]] = field(default_factory=list)
    retries: int = 0

    async def work(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=5) as client:
            for visit in self.visits:
                for step in STEPS:
                    self.answers.append(await self.take(client, visit, step))

    async def take(self, client: httpx.AsyncClient, visit: str, step: str) -> dict[str, Any]:
        """Press until it is answered, as a phone does: the same step under the same key."""
        key = {"Idempotency-Key": f"{visit}-{step}"}
        while True:
            try:
                answer = await client.post(f"/api/v1/appointments/{visit}/steps", json={"step": step}, headers=key)
            except httpx.TransportError:
                self.retries += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status_code < 500:
                assert answer.status_code == 200, answer.text
                said: dict[str, Any] = answer.json()
                return said
            assert answer.status_code == 503, answer.text
            self.retries += 1
            await asyncio.sleep(0.05)


@dataclass
class Site:
    machine: Machine
    db: Database
    positions: Positions
    days: list[Day]


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite for the short form, both for the long one."""
    url: str = request.getfixturevalue(getattr(request, "param", "sqlite_url"))
    return url


@pytest.fixture
async def site(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    db = Database(database_url)
    await migrate(db)
    world = await settle(db, datetime.now(UTC))
    machine = Machine(tmp_path, {"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    client = connect(redis_url)
    yield Site(machine, db, Positions(client), [await a_day(world) for _ in range(6)])
    await machine.stop()
    await client.aclose()
    await db.close()


async def a_day(world: World) -> Day:
    now, technician, token = datetime.now(UTC), new_id(), new_id()
    async with world.db.transaction() as tx:
        await technicians.add(tx, Technician(id=technician, name=technician, zone="Europe/Helsinki"))
        await technicians.add_device(tx, technician, "phone", now, token_hash=hashed(token))
        visits = [await add_appointment(tx, world, technician, now + timedelta(hours=n), PLACE) for n in range(4)]
    return Day(technician, token, visits)


async def killing(site: Site, command: str, pauses: list[float], done: asyncio.Event) -> int:
    """Start a process again and again; kill -9 it after each pause. The last one lives until all is done."""
    kills = 0
    for pause in [*pauses, None]:
        process = await site.machine.start(command, log=site.machine.data / f"{command}-{kills}.log")
        if command == "serve":
            await site.machine.ready(process)
        if pause is None:
            await done.wait()
            return kills
        try:
            async with asyncio.timeout(pause):
                await done.wait()
            return kills
        except TimeoutError:
            process.send_signal(signal.SIGKILL)
            await process.wait()
            kills += 1
    raise AssertionError


async def everything_holds(site: Site) -> None:
    """Every answer is true, every step was taken once, every event was told, no gate and no leg was left open."""
    async with site.db.reading() as tx:
        for day in site.days:
            assert [each["state"] for each in day.answers] == TOLD * len(day.visits)
            for visit in day.visits:
                story = await events.of_appointment(tx, visit)
                assert [event.kind for event in story] == TOLD
                after = await appointments.by_id(tx, visit)
                assert after is not None
                assert (after.state, after.version) == ("completed", 4)
            assert await legs.open_of(tx, day.technician) is None
            gate = await site.positions.gate(day.technician)
            assert gate is None or gate.leg is None


async def all_told(site: Site) -> None:
    async with asyncio.timeout(90):
        while True:
            async with site.db.reading() as tx:
                if not await events.with_untold(tx, datetime.now(UTC) + timedelta(days=1)):
                    return
            await asyncio.sleep(0.1)


async def run(site: Site, seed: int, kills: int) -> str:
    chance, done = random.Random(seed), asyncio.Event()
    async with asyncio.timeout(240 + 30 * kills), asyncio.TaskGroup() as tasks:
        pauses = [[chance.uniform(0.05, 0.6) for _ in range(kills)] for _ in range(2)]
        web = tasks.create_task(killing(site, "serve", pauses[0], done))
        worker = tasks.create_task(killing(site, "worker", [pause + 1 for pause in pauses[1]], done))
        work = [tasks.create_task(day.work(site.machine.url)) for day in site.days]
        await asyncio.gather(*work)
        await all_told(site)
        done.set()
    await everything_holds(site)
    retries = sum(day.retries for day in site.days)
    steps = sum(len(day.answers) for day in site.days)
    return f"{steps} steps, {web.result()} kills of web, {worker.result()} of worker, {retries} tries again"


async def test_a_day_survives_killed_processes(site: Site) -> None:
    """The short form."""
    print(await run(site, seed=1, kills=1))
    assert sum(day.retries for day in site.days) > 0


@pytest.mark.faults
@pytest.mark.parametrize("database_url", ["sqlite_url", "postgres_url"], indirect=True)
@pytest.mark.parametrize("seed", range(5))
async def test_many_days_survive_killed_processes(site: Site, seed: int) -> None:
    """The long form (`make faults`)."""
    print(await run(site, seed, kills=10))
