"""F10: eight hours without network, then the upload, while the web process is killed again and again: acknowledged is stored."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.site import Site, StoredPhone, fixes, site
from tests.world import process
from tracker.actions.house import the_clock
from tracker.actions.trip import trails
from tracker.live.streams import Stream
from tracker.records import points


@pytest.fixture
async def place(tmp_path: Path, sqlite_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with site(sqlite_url, redis_url, tmp_path) as made:
        yield made


async def killing(place: Site, phone: StoredPhone, kills: int, dice: random.Random) -> int:
    done = 0
    while done < kills and phone.store:
        before = phone.connections
        while phone.connections == before and phone.store:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.002)
        await asyncio.sleep(dice.uniform(0, 0.05))
        await place.kill()
        done += 1
        await place.start()
    return done


async def eight_hours(place: Site, count: int, kills: int, seed: int) -> None:
    store, dice = fixes(count, 5, datetime.now(UTC)), random.Random(seed)
    phone = StoredPhone(place, store, dice)
    await place.start()
    async with asyncio.timeout(240 + 10 * kills), asyncio.TaskGroup() as tasks:
        killed = tasks.create_task(killing(place, phone, kills, dice))
        tasks.create_task(phone.upload())
    async with process(place.db, place.redis_url, the_clock) as house:
        await trails.drain_once(house, Stream(house.positions.client, "trail"))
        standing = await house.positions.last(place.world.maya)
    async with place.db.reading() as tx:
        start, end = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(days=1)
        kept = await points.of_technician(tx, place.world.maya, start, end)
    worst = max(phone.current_after)
    print(
        f"{count} points in {phone.frames} frames, {killed.result()} kills, {phone.connections} connections; newest {worst:.2f} s"
    )
    assert killed.result() > 0
    assert [point.seq for point in kept] == [each["seq"] for each in store], "lost, or doubled"
    assert [(point.lat, point.lon) for point in kept] == [(each["lat"], each["lon"]) for each in store]
    assert standing is not None
    assert (standing.point.lat, standing.point.lon) == (store[-1]["lat"], store[-1]["lon"])


async def test_what_was_acknowledged_before_a_kill_is_stored_and_nothing_twice(place: Site) -> None:
    """The short form."""
    await eight_hours(place, count=1_200, kills=3, seed=1)


@pytest.mark.faults
async def test_f10_eight_hours_offline_and_a_hundred_kills(place: Site) -> None:
    """The long form: so slowly that the upload outlives the kills."""
    for turn in range(10):
        await eight_hours(place, count=5_760, kills=10, seed=turn)
        async with place.db.transaction() as tx:
            await points.forget(tx, place.world.maya)
        await place.kill()
        async with process(place.db, place.redis_url, the_clock) as house:
            await house.positions.client.flushall()
