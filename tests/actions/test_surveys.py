"""What customers say of their visits: once, until staff read it; by whom and when it cannot be said (A8)."""

import asyncio
from typing import Any

import pytest

from tests.world import World
from tracker.actions import surveys
from tracker.actions.house import House
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.errors import BadInput, FeedbackRead, NotAllowed, NotCompleted, NotFound, Refusal, SurveysOff
from tracker.records import settings
from tracker.records.surveys import Survey

DESK = Actor(Role.DISPATCHER, person="desk")


def anna(world: World) -> Actor:
    return Actor(Role.CUSTOMER, person=world.customer.id, accounts=frozenset({world.account}))


def maya(world: World) -> Actor:
    return Actor(Role.TECHNICIAN, person="m", technician=world.maya)


async def completed(house: House, world: World) -> str:
    visit = await world.appointment()
    for step in (Step.ARRIVE, Step.COMPLETE):
        await take_step(house, maya(world), visit, Wish(step=step))
    return visit


async def test_said_changed_read_and_then_it_stands(house: House, world: World) -> None:
    visit, house_clock = await completed(house, world), house.clock
    assert (await surveys.survey_of(house, anna(world), visit)).open
    first = await surveys.answer(house, anna(world), visit, 2, "  Late.\n")
    house_clock.move(minutes=5)  # type: ignore[attr-defined]
    await surveys.answer(house, anna(world), visit, 5, "   ")
    [listed] = await surveys.results(house, DESK, first.answered_at, house.clock())
    assert (first.stars, first.comment) == (2, "Late.")
    assert (listed.survey.stars, listed.survey.comment, listed.survey.answered_at) == (5, None, first.answered_at)
    assert (listed.service, listed.technician_id) == ("Heat pump service", world.maya)
    assert not (await surveys.survey_of(house, DESK, visit)).open
    read = await surveys.read(house, DESK, visit)
    house_clock.move(minutes=5)  # type: ignore[attr-defined]
    assert await surveys.read(house, Actor(Role.ADMIN, person="other"), visit) == read
    with pytest.raises(FeedbackRead):
        await surveys.answer(house, anna(world), visit, 1, None)
    assert (await surveys.survey_of(house, anna(world), visit))[1:] == (read, False)


async def test_who_may_not_and_when_not(house: House, world: World) -> None:
    visit, planned = await completed(house, world), await world.appointment()
    canceled = await world.appointment()
    await take_step(house, DESK, canceled, Wish(step=Step.CANCEL, reason="away"))
    stranger = Actor(Role.CUSTOMER, person=world.stranger.id, accounts=frozenset({world.other_account}))
    tries: list[tuple[Actor, str, int, type[Refusal]]] = [
        (anna(world), planned, 4, NotCompleted),
        (anna(world), canceled, 4, NotCompleted),
        (anna(world), visit, 0, BadInput),
        (anna(world), visit, 6, BadInput),
        (stranger, visit, 4, NotFound),
        (maya(world), visit, 5, NotAllowed),
        (DESK, visit, 5, NotAllowed),
    ]
    for actor, which, stars, refusal in tries:
        with pytest.raises(refusal):
            await surveys.answer(house, actor, which, stars, None)
    with pytest.raises(NotAllowed):
        await surveys.survey_of(house, maya(world), visit)
    with pytest.raises(NotFound, match="Nobody has sent feedback"):
        await surveys.read(house, DESK, visit)
    with pytest.raises(NotAllowed):
        await surveys.read(house, anna(world), visit)
    with pytest.raises(BadInput):
        await surveys.answer(house, anna(world), visit, 4, "x" * 1001)
    async with house.db.transaction() as tx:
        await settings.write(tx, "surveys", False, "test", house.clock())
    await house.settings.refresh(house.db)
    with pytest.raises(SurveysOff):
        await surveys.answer(house, anna(world), visit, 4, None)


async def test_an_undone_completion_closes_it_and_what_was_said_stays(house: House, world: World) -> None:
    visit = await completed(house, world)
    await surveys.answer(house, anna(world), visit, 3, "Fine")
    await take_step(house, DESK, visit, Wish(step=Step.UNDO))
    with pytest.raises(NotCompleted):
        await surveys.answer(house, anna(world), visit, 4, None)
    await take_step(house, maya(world), visit, Wish(step=Step.COMPLETE))
    asked = await surveys.survey_of(house, anna(world), visit)
    assert asked.appointment.state is State.COMPLETED
    assert asked.survey
    assert (asked.survey.comment, asked.open) == ("Fine", True)


async def test_an_answer_and_its_reading_at_once_never_contradict(house: House, world: World) -> None:
    """What staff read is what stands: a change either came before the reading, and was read, or is refused."""
    for _ in range(8):
        visit = await completed(house, world)
        await surveys.answer(house, anna(world), visit, 1, "first")
        outcomes: list[Any] = await asyncio.gather(
            surveys.answer(house, anna(world), visit, 5, "second"), surveys.read(house, DESK, visit), return_exceptions=True
        )
        answered, read = outcomes
        assert isinstance(read, Survey)
        asked = await surveys.survey_of(house, DESK, visit)
        assert asked.survey
        assert asked.survey.comment == read.comment
        assert isinstance(answered, Survey if read.comment == "second" else FeedbackRead)
