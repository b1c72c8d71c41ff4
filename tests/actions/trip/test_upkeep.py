"""The worker's loops round positions: points into SQL once, gates renewed, the map swept, routes found, old points purged."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from tests.world import NOW, PLACE, World
from tracker.actions.house import House
from tracker.actions.trip import gates, routing, trails, upkeep
from tracker.actions.trip.tracking import Phone, Receiver, receiver_of
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.domain.geo import moved
from tracker.domain.pings import Ping
from tracker.domain.ways import Basis
from tracker.live import keys
from tracker.live.routes import Wanted
from tracker.live.streams import Stream
from tracker.live.sweep import sweep
from tracker.records import points, technicians


@pytest.fixture
async def receiver(house: House) -> AsyncIterator[Receiver]:
    made, stop = receiver_of(house), asyncio.Event()
    running = asyncio.create_task(made.run(stop))
    yield made
    stop.set()
    await running


def fixes(count: int, boot: str | None = "boot", start: datetime = NOW - timedelta(minutes=10)) -> list[Ping]:
    places = [moved(PLACE, 90, 10 * n) for n in range(count)]
    return [
        Ping(at=start + timedelta(seconds=n), lat=place.lat, lon=place.lon, speed=10.0, course=90.0, seq=n if boot else None)
        for n, place in enumerate(places)
    ]


async def stored(house: House, technician: str) -> list[points.TrackPoint]:
    async with house.db.reading() as tx:
        return await points.of_technician(tx, technician, NOW - timedelta(days=100), NOW + timedelta(days=1))


async def travel(house: House, world: World) -> str:
    visit = await world.appointment()
    actor = Actor(Role.TECHNICIAN, technician=world.maya)
    await take_step(house, actor, visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    return visit


@pytest.mark.parametrize("boot", ["boot", None], ids=["own", "stock"])
async def test_points_reach_sql_once_even_if_killed_before_the_trim(
    house: House, world: World, receiver: Receiver, boot: str | None
) -> None:
    sent = fixes(300, boot)
    await receiver.receive(Phone(world.maya, world.phone, boot), sent, "299")
    stream = Stream(house.positions.client, "trail")
    entries, _ = await stream.read(100)
    async with house.db.transaction() as tx:  # committed, then killed: nothing was trimmed
        await points.insert_points(tx, [row for entry in entries for row in trails.points_of(entry)])
    assert await trails.drain_once(house, stream) == 1
    assert await trails.drain_once(house, stream) == 0
    kept = await stored(house, world.maya)
    assert [point.fix_at for point in kept] == [ping.at for ping in sent]
    assert (kept[7].lat, kept[7].lon, kept[7].speed, kept[7].boot, kept[7].seq) == (
        *(sent[7].lat, sent[7].lon, 10.0, boot, sent[7].seq),
    )
    assert kept[0].received_at == NOW


async def test_a_point_belongs_to_the_leg_only_if_newer_than_its_start(house: House, world: World, receiver: Receiver) -> None:
    await travel(house, world)
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    house.clock.now = NOW + timedelta(seconds=10)  # type: ignore[attr-defined]
    await receiver.receive(Phone(world.maya, world.phone, "b"), fixes(8, start=NOW - timedelta(seconds=3)), "8")
    await trails.drain_once(house, Stream(house.positions.client, "trail"))
    assert [point.leg_id for point in await stored(house, world.maya)] == [None] * 4 + [gate.leg] * 4


async def test_an_unreadable_entry_holds_nothing_up(house: House, world: World, receiver: Receiver) -> None:
    trail = f"{keys.tag(world.maya)}trail"
    await house.positions.client.xadd(trail, {"t": world.maya, "p": "nonsense"})
    await receiver.receive(Phone(world.maya, world.phone, "b"), fixes(2), "1")
    await trails.drain_once(house, Stream(house.positions.client, "trail"))
    assert len(await stored(house, world.maya)) == 2
    assert await house.positions.client.xlen(trail) == 0


async def test_redis_emptied_in_the_middle_costs_only_what_was_in_it(house: House, world: World, receiver: Receiver) -> None:
    phone, sent = Phone(world.maya, world.phone, "b"), fixes(30)
    stream = Stream(house.positions.client, "trail")
    await receiver.receive(phone, sent[:10], "9")
    await trails.drain_once(house, stream)
    await house.positions.client.flushall()
    await receiver.receive(phone, sent[10:], "29")
    await trails.drain_once(house, stream)
    assert len(await stored(house, world.maya)) == 30


async def test_old_points_are_purged_whatever_the_setting(house: House, world: World) -> None:
    rows = [
        points.TrackPoint(
            technician_id=world.maya, device_id="d", fix_at=NOW - timedelta(days=d), received_at=NOW, lat=60, lon=24
        )
        for d in (1, 6, 8, 61, 90)
    ]
    async with house.db.transaction() as tx:
        await points.insert_points(tx, rows)
    house.settings._settings = type(house.settings.now)(points_days=60)
    assert await trails.purge_once(house) == 2
    house.settings._settings = type(house.settings.now)()
    assert await trails.purge_once(house) == 1
    assert await trails.purge_once(house) == 0
    assert [NOW - point.fix_at for point in await stored(house, world.maya)] == [timedelta(days=6), timedelta(days=1)]


async def test_gates_are_renewed_and_one_left_shut_is_opened_anew(house: House, world: World) -> None:
    renewal = upkeep.Renewal(house)
    assert await renewal.turn() == 0
    assert await house.positions.gate(world.maya) is not None
    # a process closed, and died before its commit: the fence is above what SQL says
    await house.positions.close(world.maya, None, 7)
    assert await renewal.turn() == 0  # perhaps the closing is still under way
    assert await house.positions.gate(world.maya) is None
    assert await renewal.turn() == 1
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    assert gate.gen >= 7
    assert await renewal.turn() == 0


async def test_who_is_off_duty_or_silent_leaves_the_map(house: House, world: World, receiver: Receiver) -> None:
    house.clock.now = NOW  # type: ignore[attr-defined]
    for technician, phone in ((world.maya, world.phone), (world.onni, world.other_phone)):
        await receiver.receive(Phone(technician, phone, "b"), fixes(1), "0")
    client = house.positions.client
    assert await sweep(client, NOW) == []
    async with house.db.transaction() as tx:
        await technicians.set_hours(tx, world.maya, [])
    gate = await gates.gate_of(house, world.maya)
    assert gate is not None
    await house.positions.set_gate(gate)
    assert await sweep(client, NOW) == [world.maya]
    assert [who.technician for who in await house.positions.on_duty()] == [world.onni]
    assert await sweep(client, NOW + timedelta(hours=2)) == [world.onni]
    assert await house.positions.on_duty() == []


async def test_a_wanted_route_is_found_and_told(house: House, world: World) -> None:
    visit = await travel(house, world)
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    assert gate.leg
    start = moved(PLACE, 90, 3000)
    wanted = Wanted(world.maya, visit, gate.leg, start.lat, start.lon)
    assert await house.positions.routes.want(wanted)
    assert not await house.positions.routes.want(wanted)
    stop = asyncio.Event()
    serving = asyncio.create_task(routing.serve_routes(house, stop))
    async with asyncio.timeout(60):
        while (route := await house.positions.route_of(world.maya, gate.leg)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    stop.set()
    await serving
    assert (route.serial, route.basis, route.dest) == (1, Basis.DISTANCE, PLACE)
    assert (await house.positions.visit(world.maya, visit)).route == 1


async def test_a_route_of_a_leg_that_is_over_is_not_stored(house: House, world: World) -> None:
    visit = await travel(house, world)
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    assert gate.leg
    await take_step(house, Actor(Role.TECHNICIAN, technician=world.maya), visit, Wish(step=Step.ARRIVE))
    assert not await routing.answer(house, Wanted(world.maya, visit, gate.leg, 60.0, 24.9))
    assert await house.positions.route_of(world.maya, gate.leg) is None


async def test_a_technician_unknown_to_sql_has_no_gate_that_keeps(house: House, receiver: Receiver) -> None:
    receipt = await receiver.receive(Phone("nobody", "phone", "b"), fixes(1), "0")
    assert not receipt.stored
    assert receipt.refused == []


async def test_the_loops_stop_when_told(house: House, world: World) -> None:
    stop = asyncio.Event()
    loops = (trails.drain, trails.purge, upkeep.renew, upkeep.sweep_map, routing.serve_routes)
    running = [asyncio.create_task(loop(house, stop)) for loop in loops]
    async with asyncio.timeout(60):
        while await house.positions.gate(world.maya) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stop.set()
        await asyncio.gather(*running)
