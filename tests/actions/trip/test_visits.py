"""Steps of an appointment: who may, what changes, what is closed before and opened after; on both databases and a real Valkey."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.world import NOW, Clock, World
from tracker.actions.house import House
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.errors import AlreadyTraveling, BadInput, NotAllowed, NotFound, Refusal, StepNotPossible, VersionMismatch
from tracker.records import appointments, events, legs
from tracker.records.violations import ConstraintViolated


def maya(world: World) -> Actor:
    return Actor(Role.TECHNICIAN, technician=world.maya)


def dispatcher(world: World) -> Actor:
    return Actor(Role.DISPATCHER, person=world.dispatcher.id)


async def step(house: House, actor: Actor, visit: str, wanted: Step, **more: Any) -> State:
    return (await take_step(house, actor, visit, Wish(step=wanted, **more))).state


async def gate_leg(house: House, world: World) -> str | None:
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    return gate.leg


async def test_the_whole_story_opens_the_gate_and_closes_it(house: House, world: World) -> None:
    visit = await world.appointment()
    assert await step(house, maya(world), visit, Step.START_TRAVEL, seen=State.SCHEDULED) is State.TRAVELING
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    assert (gate.appointment, gate.since) == (visit, NOW)
    assert gate.cloak is not None
    assert await step(house, maya(world), visit, Step.ARRIVE) is State.IN_PROGRESS
    assert await gate_leg(house, world) is None
    assert await step(house, maya(world), visit, Step.COMPLETE) is State.COMPLETED
    async with house.db.reading() as tx:
        story = await events.of_appointment(tx, visit)
        (leg,) = await legs.of_appointment(tx, visit)
        done = await appointments.by_id(tx, visit)
    assert [event.kind for event in story] == ["traveling", "in_progress", "completed"]
    assert all(event.told_at for event in story)
    assert leg.ended_at == NOW
    assert done is not None
    assert done.leg_id is None
    assert (await house.positions.visit(world.maya, visit)).offset >= 3


async def test_the_promised_end_moves_with_travel_and_work(house: House, world: World) -> None:
    visit = await world.appointment(arrival_at=NOW - timedelta(hours=2))
    traveling = await take_step(house, maya(world), visit, Wish(step=Step.START_TRAVEL))
    assert traveling.ends_at > NOW + timedelta(minutes=traveling.duration_min)
    working = await take_step(house, maya(world), visit, Wish(step=Step.ARRIVE))
    assert working.ends_at == NOW + timedelta(minutes=working.duration_min)


@pytest.mark.parametrize("who", ["colleague", "stranger", "anonymous"])
async def test_whoever_is_not_concerned_learns_nothing(house: House, world: World, who: str) -> None:
    visit = await world.appointment()
    actors = {
        "colleague": Actor(Role.TECHNICIAN, technician=world.onni),
        "stranger": Actor(Role.CUSTOMER, accounts=frozenset({world.other_account})),
        "anonymous": Actor(Role.ANONYMOUS),
    }
    for appointment in (visit, "0" * 16):
        with pytest.raises(NotFound):
            await step(house, actors[who], appointment, Step.START_TRAVEL)


async def test_a_customer_cancels_with_a_reason_and_does_nothing_else(house: House, world: World) -> None:
    visit = await world.appointment()
    customer = Actor(Role.CUSTOMER, accounts=frozenset({world.account}))
    with pytest.raises(NotAllowed):
        await step(house, customer, visit, Step.START_TRAVEL)
    with pytest.raises(BadInput):
        await step(house, customer, visit, Step.CANCEL, reason=" ")
    canceled = await take_step(house, customer, visit, Wish(step=Step.CANCEL, reason="We are away."))
    assert (canceled.state, canceled.canceled_by, canceled.cancel_reason) == (State.CANCELED, customer.signed, "We are away.")
    for wanted in Step:
        with pytest.raises(StepNotPossible):
            await step(house, dispatcher(world), visit, wanted, reason="x")


async def test_what_was_seen_must_still_be_so(house: House, world: World) -> None:
    visit = await world.appointment()
    with pytest.raises(StepNotPossible):
        await step(house, maya(world), visit, Step.ARRIVE, seen=State.TRAVELING)
    with pytest.raises(VersionMismatch):
        await step(house, maya(world), visit, Step.ARRIVE, version=7)


async def test_a_step_sent_again_is_taken_once(house: House, world: World) -> None:
    visit = await world.appointment()
    for _ in range(3):
        assert await step(house, maya(world), visit, Step.START_TRAVEL, step_id="c-1") is State.TRAVELING
    async with house.db.reading() as tx:
        assert len(await events.of_appointment(tx, visit)) == 1
    with pytest.raises(BadInput):
        await step(house, maya(world), visit, Step.ARRIVE, step_id="c-1")


async def test_a_technician_travels_to_one_customer_at_a_time(house: House, world: World) -> None:
    first, second = await world.appointment(), await world.appointment()
    await step(house, maya(world), first, Step.START_TRAVEL)
    with pytest.raises(AlreadyTraveling):
        await step(house, maya(world), second, Step.START_TRAVEL)
    await step(house, maya(world), second, Step.START_TRAVEL, switch=True)
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    assert gate.appointment == second
    async with house.db.reading() as tx:
        left = await appointments.by_id(tx, first)
    assert left is not None
    assert left.state is State.SCHEDULED


async def test_whoever_is_at_work_is_on_the_way_to_nobody(house: House, world: World) -> None:
    """Arriving elsewhere while traveling leaves the first visit, after a question: else its customer would go on watching."""
    first, second = await world.appointment(), await world.appointment()
    await step(house, maya(world), first, Step.START_TRAVEL)
    with pytest.raises(AlreadyTraveling):
        await step(house, maya(world), second, Step.ARRIVE)
    assert (await house.positions.gate(world.maya)).appointment == first  # type: ignore[union-attr]
    assert await step(house, maya(world), second, Step.ARRIVE, switch=True) is State.IN_PROGRESS
    assert await gate_leg(house, world) is None
    async with house.db.reading() as tx:
        left, open_leg = await appointments.by_id(tx, first), await legs.open_of(tx, world.maya)
        told = [event.kind for event in await events.of_appointment(tx, first)]
    assert left is not None
    assert (left.state, left.leg_id, open_leg, told) == (State.SCHEDULED, None, None, ["traveling", "scheduled"])


async def test_canceling_one_visit_while_traveling_to_another_changes_nothing_for_that(house: House, world: World) -> None:
    first, second = await world.appointment(), await world.appointment()
    await step(house, maya(world), first, Step.START_TRAVEL)
    await step(house, dispatcher(world), second, Step.CANCEL, reason="x")
    assert (await house.positions.gate(world.maya)).appointment == first  # type: ignore[union-attr]


async def leg_start(house: House, world: World) -> datetime:
    gate = await house.positions.gate(world.maya)
    assert gate is not None
    assert gate.since is not None
    return gate.since


async def test_a_button_pressed_offline_shows_nothing_from_before_the_press(house: House, world: World) -> None:
    visit, clock = await world.appointment(), cast(Clock, house.clock)
    pressed = clock.now - timedelta(minutes=20)
    await step(house, maya(world), visit, Step.START_TRAVEL, pressed_at=pressed)
    assert await leg_start(house, world) == pressed
    other = await world.appointment()
    await step(house, maya(world), other, Step.START_TRAVEL, pressed_at=clock.move(hours=5) - timedelta(hours=4), switch=True)
    assert await leg_start(house, world) == clock.now  # not from before the leg that it ended


async def test_a_press_that_is_older_than_what_happened_since_begins_there(house: House, world: World) -> None:
    """A leg never reaches back behind another's end, a state of the visit, or somebody else's assignment (P1)."""
    visit, clock = await world.appointment(), cast(Clock, house.clock)
    await step(house, maya(world), visit, Step.START_TRAVEL)
    undone = clock.move(minutes=10)
    await step(house, dispatcher(world), visit, Step.UNDO)
    clock.move(minutes=20)
    await step(house, maya(world), visit, Step.START_TRAVEL, pressed_at=undone - timedelta(minutes=5))
    assert await leg_start(house, world) == undone
    await step(house, dispatcher(world), visit, Step.UNDO)
    theirs = await world.appointment(world.onni, arrival_at=undone + timedelta(hours=3))
    assigned = clock.move(minutes=10)
    await hand_over(house, dispatcher(world), theirs, world.maya)
    clock.move(minutes=10)
    await step(house, maya(world), theirs, Step.START_TRAVEL, pressed_at=assigned - timedelta(minutes=5))
    assert await leg_start(house, world) == assigned


async def test_undo_within_thirty_seconds_or_by_staff(house: House, world: World) -> None:
    visit = await world.appointment()
    clock = cast(Clock, house.clock)
    await step(house, maya(world), visit, Step.START_TRAVEL)
    await step(house, maya(world), visit, Step.ARRIVE)
    before = await gate_leg(house, world)
    assert await step(house, maya(world), visit, Step.UNDO) is State.TRAVELING
    assert await gate_leg(house, world) not in (None, before)
    await step(house, maya(world), visit, Step.ARRIVE)
    clock.now += timedelta(seconds=31)
    with pytest.raises(StepNotPossible, match="30 seconds"):
        await step(house, maya(world), visit, Step.UNDO)
    assert await step(house, dispatcher(world), visit, Step.UNDO) is State.TRAVELING


async def test_a_closing_that_is_rolled_back_comes_back(house: House, world: World) -> None:
    visit = await world.appointment()
    await step(house, maya(world), visit, Step.START_TRAVEL)
    leg = await gate_leg(house, world)
    async with house.db.transaction() as tx:  # the disk, as it were: the last write of the step fails
        for statement in _refusing_events(sqlite=tx.sqlite):
            await tx.change(text(statement))
    with pytest.raises((ConstraintViolated, DBAPIError)):
        await step(house, maya(world), visit, Step.ARRIVE)
    async with house.db.transaction() as tx:  # the next test may get this database, emptied of rows only
        await tx.change(text("DROP TRIGGER full" if tx.sqlite else "DROP FUNCTION refuse() CASCADE"))
    assert await gate_leg(house, world) == leg
    async with house.db.reading() as tx:
        still = await appointments.by_id(tx, visit)
    assert still is not None
    assert still.state is State.TRAVELING


def _refusing_events(*, sqlite: bool) -> list[str]:
    if sqlite:
        return ["CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no more events'); END"]
    body = "BEGIN RAISE EXCEPTION 'no more events'; END"
    return [
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        'CREATE TRIGGER "full" BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()',
    ]


async def test_racing_steps_come_out_in_some_order(house: House, world: World) -> None:
    """F4, short: eight steps at once on one appointment; whatever wins, the story is a legal one and nothing is half done."""
    for _ in range(5):
        visit = await world.appointment()
        customer = Actor(Role.CUSTOMER, accounts=frozenset({world.account}))
        wishes = [
            (maya(world), Wish(step=Step.START_TRAVEL, switch=True)),
            (maya(world), Wish(step=Step.ARRIVE)),
            (maya(world), Wish(step=Step.COMPLETE)),
            (customer, Wish(step=Step.CANCEL, reason="x")),
            (dispatcher(world), Wish(step=Step.UNDO)),
            (dispatcher(world), Wish(step=Step.NOT_DONE, reason="nobody home")),
            (dispatcher(world), Wish(step=Step.CANCEL, reason="y")),
            (maya(world), Wish(step=Step.START_TRAVEL, switch=True)),
        ]
        results = await asyncio.gather(*(take_step(house, who, visit, wish) for who, wish in wishes), return_exceptions=True)
        assert all(not isinstance(result, BaseException) or isinstance(result, Refusal) for result in results)
        async with house.db.reading() as tx:
            story = await events.of_appointment(tx, visit)
            after = await appointments.by_id(tx, visit)
            leg = await legs.open_of(tx, world.maya)
        assert after is not None
        states = [State.SCHEDULED, *(State(event.kind) for event in story)]
        assert [event.payload["from"] for event in story] == states[:-1]
        assert after.state is states[-1]
        assert (leg is not None and leg.appointment_id == visit) == (after.state is State.TRAVELING)
        gate = await house.positions.gate(world.maya)
        assert (gate.appointment if gate else None) == (visit if after.state is State.TRAVELING else None)
