"""A whole deployment for the simulator's tests: `tracker serve` and `tracker worker` as processes, and its records."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from simulator.phones import Target
from simulator.tracks import Fix, Track, with_motion
from tests.ports import reserved_port
from tests.serving import PLAIN
from tests.world import ALL_WEEK, HOME, World, add_appointment, settle
from tracker.actions.people.accounts import hashed
from tracker.actions.people.passwords import Passwords
from tracker.domain.geo import Point, distance_m
from tracker.records import people, points, technicians
from tracker.records.database import Database, new_id
from tracker.records.migrations import migrate
from tracker.records.points import TrackPoint
from tracker.records.technicians import Technician

PASSWORD = "correct horse battery staple"
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Deployment:
    """Its address, and what the tests put in and read out behind its back."""

    url: str
    db: Database
    world: World

    async def technician(self, home: Point = HOME) -> tuple[str, Target]:
        """A new technician who is always on duty, and the phone."""
        technician, token = new_id(), f"token-{new_id()}"
        async with self.db.transaction() as tx:
            person = Technician(id=technician, name="Sim", zone="UTC", vehicle="Van", home_lat=home.lat, home_lon=home.lon)
            await technicians.add(tx, person)
            await technicians.set_hours(tx, technician, ALL_WEEK)
            phone = await technicians.add_device(tx, technician, "phone", datetime.now(UTC), token_hash=hashed(token))
            await technicians.change(tx, technician, device_id=phone)
        return technician, Target(self.url, token, "sim")

    async def visit(self, technician: str, place: Point) -> str:
        """An appointment of the world's customer, promised in ten minutes."""
        async with self.db.transaction() as tx:
            return await add_appointment(tx, self.world, technician, datetime.now(UTC) + timedelta(minutes=10), place)

    async def stored(self, technician: str, number: int, within_s: float = 60.0) -> list[TrackPoint]:
        """The technician's points in SQL as soon as there are so many (or what is there at the deadline)."""
        found: list[TrackPoint] = []
        for _ in range(int(within_s / 0.1)):
            async with self.db.reading() as tx:
                start, end = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(hours=1)
                found = await points.of_technician(tx, technician, start, end)
            if len(found) >= number:
                break
            await asyncio.sleep(0.1)  # the worker drains once a second; nothing tells when
        return found


@asynccontextmanager
async def deployed(database_url: str, redis_url: str, data: Path, **more: str) -> AsyncIterator[Deployment]:
    """Starts web and worker, and ends them. ``more``: further environment."""
    port = reserved_port()
    db = Database(database_url)
    await migrate(db)
    world = await settle(db, datetime.now(UTC))
    async with db.transaction() as tx:
        await people.set_password(tx, world.customer.id, await Passwords().hashed(PASSWORD))
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TRACKER_DATA": str(data),
        "TRACKER_PORT": str(port),
        "TRACKER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TRACKER_SECRET": "0123456789abcdef" * 4,
        "TRACKER_LOG_LEVEL": "warning",
        **more,
    }
    children = [
        await asyncio.create_subprocess_exec(sys.executable, "-m", "tracker", name, env=environment, cwd=ROOT)
        for name in ("serve", "worker")
    ]
    try:
        await _ready(f"http://127.0.0.1:{port}", children)
        yield Deployment(f"http://127.0.0.1:{port}", db, world)
    finally:
        for child in children:
            if child.returncode is None:
                child.terminate()
        await asyncio.gather(*(asyncio.wait_for(child.wait(), 60) for child in children))
        await db.close()


async def _ready(url: str, children: list[asyncio.subprocess.Process]) -> None:
    async with httpx.AsyncClient(verify=PLAIN) as client, asyncio.timeout(90):
        while all(child.returncode is None for child in children):
            try:
                if (await client.get(f"{url}/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)  # a process that starts tells nobody but its port
    raise RuntimeError("a process of the deployment ended at once")


def pairs(track: Track, stored: list[TrackPoint]) -> list[tuple[Fix, TrackPoint]]:
    """Each stored point with the fix it must be: the next one that was there, then; the newest of both are the same moment.

    Stock apps round to seconds, and a phone that rounded into the future has its clock put right: so ages may differ by one.
    Fixes a second apart, of a van that hardly moves, are told apart by their order alone.
    """
    fixes = iter(with_motion(track).fixes)
    last, newest = track.fixes[-1].at, max(point.fix_at for point in stored)

    def fix_of(point: TrackPoint) -> Fix:
        for fix in fixes:
            apart_s = (last - fix.at) - (newest - point.fix_at)
            if abs(apart_s.total_seconds()) <= 1 and distance_m(fix.point, Point(point.lat, point.lon)) < 1:
                return fix
        raise AssertionError(f"no fix is the point of {point.fix_at}")

    return [(fix_of(point), point) for point in sorted(stored, key=lambda one: one.fix_at)]
