"""F26: moves that swap their times, holds that expire, overruns, and visits given up whose next one is reached from elsewhere."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import pytest

from tests.bookable import at, cells_of, nothing_overlaps, scheduled
from tests.faults.bounded import report, rounds
from tests.faults.test_booking_races import Race, two_processes
from tracker.actions.booking.booking import book
from tracker.actions.booking.holding import hold, sweep_holds
from tracker.actions.booking.moving import move
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.appointments import State, Step
from tracker.errors import Refusal, SlotTaken
from tracker.records.appointments import Appointment
from tracker.records.database import Database

WANTED = 1_000


async def at_once(*actions: Coroutine[Any, Any, object]) -> list[object]:
    """All at once; anything but a refusal below 500 is a mistake."""
    results = await asyncio.gather(*actions, return_exceptions=True)
    wrong = [one for one in results if isinstance(one, BaseException) and not (isinstance(one, Refusal) and one.status < 500)]
    assert wrong == []
    return list(results)


async def one_round(race: Race, day: int, seen: Counter[str]) -> None:
    """Two people swap their times from two processes, while a hold ends, a visit overruns, and the one between is given up."""
    one, other = race.houses
    company, people = race.company, race.company.others
    wishes = [at(hour, days=day) for hour in (8, 10, 12, 14)]
    first, second, third, fourth = [await book(one, people[n], company.need(), wish) for n, wish in enumerate(wishes)]
    await hold(other, people[4], company.need(), at(16, days=day))
    _later(race, minutes=6)  # the hold has ended; its cells are there still
    results = await at_once(
        move(one, people[0], first.id, second.arrival_at),
        move(other, people[1], second.id, first.arrival_at),
        take_step(one, people[2], third.id, Wish(step=Step.CANCEL, reason="away")),
        book(other, people[5], company.need(), at(16, days=day)),
        move(other, people[3], fourth.id, at(15, 30, days=day)),
        sweep_holds(one),
        take_step(other, company.desk, first.id, Wish(step=Step.START_TRAVEL)) if day % 7 == 3 else asyncio.sleep(0),
    )
    canceled = results[2]
    assert isinstance(canceled, Appointment)  # giving up is never refused
    assert canceled.state is State.CANCELED
    assert isinstance(results[3], Appointment | SlotTaken)
    seen.update(type(one).__name__ for one in results if isinstance(one, Refusal | Appointment))
    await nothing_overlaps(company.db)
    await _clear(race)


def _later(race: Race, **by: float) -> datetime:
    clocks = {id(house.clock): house.clock for house in race.houses}
    return next(clock.move(**by) for clock in clocks.values())  # type: ignore[attr-defined]


async def _clear(race: Race) -> None:
    """Everything still to come is given up: the next round begins on an empty day, and no cell is left."""
    for visit in await scheduled(race.company.db):
        await take_step(race.houses[0], race.company.desk, visit.id, Wish(step=Step.CANCEL, reason="tidy"))
    assert await cells_of(race.company.db) == {}


async def test_swaps_expiries_and_giving_up_at_once(db: Database, database_url: str, redis_url: str) -> None:
    async with two_processes(db, database_url, redis_url, 1) as race:
        seen: Counter[str] = Counter()
        for day in range(2, 5):
            await one_round(race, day, seen)


@pytest.mark.faults
async def test_a_thousand_swaps(db: Database, database_url: str, redis_url: str) -> None:
    """The whole form (`make faults`)."""
    made, seen = 0, Counter[str]()
    async with two_processes(db, database_url, redis_url, 1) as race:
        for number in rounds(WANTED):
            await one_round(race, 2 + number % 300, seen)
            made += 1
    where = database_url.partition(":")[0].partition("+")[0]
    report("F26", where, made, WANTED, {"overlaps": 0, "5xx": 0, "cancels refused": 0, "answers": dict(seen)})
