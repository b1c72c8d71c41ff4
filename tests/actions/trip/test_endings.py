"""Legs that end by themselves: the technician was at the door and left, or far too much time went by; on both databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import pytest

from tests.world import PLACE, Clock, World
from tracker.actions.house import House
from tracker.actions.trip import endings, trails
from tracker.actions.trip.tracking import Phone, Receiver, receiver_of
from tracker.actions.trip.visits import Wish, take_step
from tracker.actions.trip.watching import live_view
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.geo import Point, moved
from tracker.domain.pings import Ping
from tracker.live.streams import Stream
from tracker.records import appointments, audit, legs

FAR = moved(PLACE, 90, 2_000)


@pytest.fixture
async def receiver(house: House) -> AsyncIterator[Receiver]:
    made, stop = receiver_of(house), asyncio.Event()
    running = asyncio.create_task(made.run(stop))
    yield made
    stop.set()
    await running


class Trip:
    """Maya on the way to Anna; the clock moves with each fix."""

    def __init__(self, house: House, world: World, receiver: Receiver, visit: str) -> None:
        self.house, self.world, self.receiver, self.visit = house, world, receiver, visit
        self.clock, self.watch, self.seq = cast(Clock, house.clock), endings.Watch(house), 0

    async def fix(self, point: Point, *, seconds: float = 30) -> list[str]:
        """Wait, fix, and one look of the worker; the legs it ended."""
        self.clock.move(seconds=seconds)
        self.seq += 1
        ping = Ping(at=self.clock.now, lat=point.lat, lon=point.lon, acc=5.0, seq=self.seq)
        receipt = await self.receiver.receive(Phone(self.world.maya, self.world.phone, "boot"), [ping], str(self.seq))
        assert receipt.refused == []
        return await self.watch.turn()

    async def seen(self) -> Point | None:
        """Where Anna sees her."""
        anna = Actor(Role.CUSTOMER, person=self.world.customer.id, accounts=frozenset({self.world.account}))
        position = (await live_view(self.house, anna, self.visit, self.clock.now)).position
        return Point(position["lat"], position["lon"]) if position else None

    async def drain(self) -> None:
        await trails.drain_once(self.house, Stream(self.house.positions.client, "trail"))

    async def everything_is_hidden_but_the_state(self, why: str) -> None:
        async with self.house.db.reading() as tx:
            visit = await appointments.by_id(tx, self.visit)
            [leg] = await legs.of_appointment(tx, self.visit)
            noted = [each.after for each in await audit.latest(tx) if each.what == "leg.ended" and each.subject == self.visit]
        assert visit is not None
        assert visit.state is State.TRAVELING
        assert (leg.ended_at, leg.end_reason) == (self.clock.now, why)
        assert noted == [{"why": why}]
        assert await self.seen() is None
        gate = await self.house.positions.gate(self.world.maya)
        assert gate is not None
        assert (gate.leg, gate.appointment) == (None, None)


@pytest.fixture
async def trip(house: House, world: World, receiver: Receiver) -> Trip:
    visit = await world.appointment()
    actor = Actor(Role.TECHNICIAN, technician=world.maya)
    await take_step(house, actor, visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    return Trip(house, world, receiver, visit)


async def test_at_the_door_and_gone_again(trip: Trip) -> None:
    assert await trip.fix(FAR) == []
    assert await trip.seen() == Point(round(FAR.lat, 6), round(FAR.lon, 6))
    for _ in range(6):
        assert await trip.fix(moved(PLACE, 0, 20), seconds=60 if trip.seq == 1 else 30) == []
    assert await trip.seen() is not None
    [_] = await trip.fix(moved(PLACE, 0, 400))
    await trip.everything_is_hidden_but_the_state("left")
    assert await trip.fix(FAR, seconds=120) == []
    assert await trip.seen() is None


async def test_driving_past_ends_nothing(trip: Trip) -> None:
    for point in (FAR, moved(PLACE, 0, 20), moved(PLACE, 180, 500), FAR):
        assert await trip.fix(point, seconds=90) == []
    assert await trip.seen() is not None


async def test_after_two_hours_it_is_over_whoever_forgot_it(trip: Trip) -> None:
    await trip.fix(FAR, seconds=7_190)
    assert await trip.seen() is not None
    await trip.fix(moved(FAR, 0, 100), seconds=11)
    await trip.everything_is_hidden_but_the_state("time")


async def test_a_far_trip_may_take_three_times_what_was_planned(house: House, world: World, receiver: Receiver) -> None:
    place = moved(PLACE, 0, 400_000)
    visit = await world.appointment(place=place)
    await take_step(house, Actor(Role.TECHNICIAN, technician=world.maya), visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    async with house.db.reading() as tx:
        [leg] = await legs.of_appointment(tx, visit)
    assert leg.planned_s is not None
    assert leg.hides_at - leg.started_at == timedelta(seconds=3 * leg.planned_s) > timedelta(hours=2)
    trip = Trip(house, world, receiver, visit)
    assert await trip.fix(moved(place, 180, 9_000), seconds=3 * leg.planned_s - 60) == []
    assert await trip.seen() is not None
    await trip.fix(moved(place, 180, 8_000), seconds=61)
    await trip.everything_is_hidden_but_the_state("time")


async def test_hidden_on_time_though_no_worker_runs(trip: Trip) -> None:
    """SQL has the word on every look: a worker that is away delays the note, not the hiding."""
    await trip.fix(FAR, seconds=7_190)
    trip.clock.move(seconds=11)
    assert await trip.seen() is None


async def test_a_restarted_worker_knows_that_she_was_there(trip: Trip) -> None:
    await trip.fix(FAR)
    for _ in range(6):
        await trip.fix(moved(PLACE, 0, 20), seconds=60 if trip.seq == 1 else 30)
    await trip.drain()
    trip.watch = endings.Watch(trip.house)
    [_] = await trip.fix(moved(PLACE, 0, 400))
    await trip.everything_is_hidden_but_the_state("left")


async def test_what_ended_by_itself_can_still_be_stepped_on(trip: Trip) -> None:
    await trip.fix(FAR, seconds=7_201)
    actor = Actor(Role.TECHNICIAN, technician=trip.world.maya)
    done = await take_step(trip.house, actor, trip.visit, Wish(step=Step.ARRIVE))
    assert done.state is State.IN_PROGRESS


async def test_two_workers_end_a_leg_once(trip: Trip) -> None:
    other = endings.Watch(trip.house)
    trip.clock.move(hours=3)
    await asyncio.gather(trip.watch.turn(), other.turn())
    await trip.everything_is_hidden_but_the_state("time")
