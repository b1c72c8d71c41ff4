"""Arriving, noticed by position: told once, taken back when the van drives on, or the step taken (T5)."""

import asyncio
from typing import cast

import pytest
from sqlalchemy import update

from tests.actions.trip.test_endings import FAR, Trip, receiver
from tests.post.catcher import catcher
from tests.world import PLACE, World
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.trip import endings
from tracker.actions.trip.arriving import suggested
from tracker.actions.trip.tracking import Receiver
from tracker.actions.trip.visits import Wish, take_step
from tracker.actions.trip.watching import live_view
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.geo import moved
from tracker.records import appointments, customers, events, outbox, schema, settings

__all__ = ["receiver"]

DESK = Actor(Role.DISPATCHER, person="desk")
DOOR, BESIDE = moved(PLACE, 0, 20), moved(PLACE, 45, 22)


@pytest.fixture
async def trip(house: House, world: World, receiver: Receiver) -> Trip:
    """Maya under way to Anna, who reported the visit."""
    visit = await world.appointment()
    async with house.db.transaction() as tx:
        [anna] = await customers.contacts_of(tx, world.account)
        await tx.change(update(schema.appointments).where(schema.appointments.c.id == visit).values(contact_id=anna.id))
    await take_step(house, Actor(Role.TECHNICIAN, technician=world.maya), visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    return Trip(house, world, receiver, visit)


async def wanted(trip: Trip, arrival: str) -> None:
    async with trip.house.db.transaction() as tx:
        await settings.write(tx, "arrival", arrival, "test", trip.clock.now)
    await trip.house.settings.refresh(trip.house.db)


async def noticed(trip: Trip) -> tuple[bool, bool, int]:
    """What viewers see, whether *Arrived* is suggested, and how many letters were written."""
    view = await live_view(trip.house, DESK, trip.visit, trip.clock.now)
    async with trip.house.db.reading() as tx:
        letters = [each for each in await outbox.of_appointment(tx, trip.visit) if each.kind == "arriving"]
    return view.arriving, await suggested(trip.house, trip.world.maya) == trip.visit, len(letters)


async def state(trip: Trip) -> State:
    async with trip.house.db.reading() as tx:
        visit = await appointments.by_id(tx, trip.visit)
    assert visit
    return visit.state


async def test_at_the_door_for_a_while_is_told_once_and_taken_back_when_she_drives_on(trip: Trip) -> None:
    await trip.fix(FAR)
    await trip.fix(DOOR, seconds=60)
    assert await noticed(trip) == (False, False, 0)
    other = endings.Watch(trip.house)  # another worker, which looks at the same moments
    await other.turn()
    await trip.fix(BESIDE, seconds=20)
    assert await noticed(trip) == (False, False, 0)
    trip.clock.move(seconds=20)
    await trip.fix(DOOR, seconds=0)
    await asyncio.gather(other.turn(), trip.watch.turn())
    assert await noticed(trip) == (True, True, 1)
    assert await state(trip) is State.TRAVELING
    await trip.fix(FAR, seconds=60)
    assert await noticed(trip) == (False, False, 1)
    for point in (DOOR, BESIDE, DOOR):
        await trip.fix(point, seconds=60)
    assert await noticed(trip) == (True, True, 1)  # noticed again, and no second letter


async def test_the_letter_says_so_and_is_dropped_when_work_has_begun(trip: Trip) -> None:
    async with catcher() as caught:
        trip.house.post = caught.post()
        for seconds in (60, 20, 20):
            await trip.fix(DOOR if seconds > 20 else BESIDE, seconds=seconds)
        await Postman(trip.house).turn()
        [on_the_way, letter] = sorted(caught.letters, key=lambda each: "arriving" in each.message["Subject"])
        assert "is on the way" in on_the_way.message["Subject"]
        assert letter.message["Subject"] == "Maya is arriving"
        assert letter.message["To"] == "Anna <anna@example.org>"
        assert "Maya reached your address at" in letter.text
        await take_step(trip.house, DESK, trip.visit, Wish(step=Step.UNDO))
        await take_step(
            trip.house,
            Actor(Role.TECHNICIAN, technician=trip.world.maya),
            trip.visit,
            Wish(step=Step.START_TRAVEL, device=trip.world.phone),
        )
        for _ in range(3):
            await trip.fix(DOOR, seconds=20)
        assert (await noticed(trip))[2] == 2
        await take_step(trip.house, DESK, trip.visit, Wish(step=Step.ARRIVE))
        await Postman(trip.house).turn()
        assert [each.message["Subject"] for each in caught.letters].count("Maya is arriving") == 1


async def test_off_notices_nothing_and_a_light_beside_the_house_neither(trip: Trip) -> None:
    await trip.fix(FAR)
    for east_m in (1_500, 1_000, 500, 100, -100, -500):  # through the radius, fast
        await trip.fix(moved(PLACE, 90, east_m), seconds=25)
    assert await noticed(trip) == (False, False, 0)
    await wanted(trip, "off")
    for _ in range(3):
        await trip.fix(DOOR, seconds=40)
    assert await noticed(trip) == (False, False, 0)


async def test_automatic_takes_the_step_after_two_minutes_and_says_that_nobody_pressed_it(trip: Trip) -> None:
    await wanted(trip, "automatic")
    await trip.fix(FAR)
    for seconds in (60, 40, 40):
        await trip.fix(DOOR, seconds=seconds)
    assert await noticed(trip) == (True, False, 1)
    assert await state(trip) is State.TRAVELING
    await trip.fix(DOOR, seconds=45)
    assert await state(trip) is State.IN_PROGRESS
    assert await trip.seen() is None
    async with trip.house.db.reading() as tx:
        last = (await events.of_appointment(tx, trip.visit))[-1]
    assert (last.kind, last.actor) == ("in_progress", "technician:automatic")
    undone = await take_step(trip.house, Actor(Role.TECHNICIAN, technician=trip.world.maya), trip.visit, Wish(step=Step.UNDO))
    assert cast(State, undone.state) is State.TRAVELING
