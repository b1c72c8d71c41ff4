"""F3: many people want the same technician's time at once, from two processes; on SQLite and on PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.bookable import Bookable, Roads, at, drive, nothing_overlaps, settle
from tests.faults.bounded import report, rounds
from tests.world import ALL_WEEK, Clock, process
from tracker.actions.booking.booking import book
from tracker.actions.house import House
from tracker.errors import SlotTaken
from tracker.records import technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Database

CLIENTS = 64
WANTED = 1_000
PER_DAY = 4
"""Rounds at 0:30, 6:30, 12:30 and 18:30, an hour's work and twenty minutes' travel: far apart."""


@dataclass
class Race:
    """Two processes on one database, and everybody who wants a visit."""

    houses: list[House]
    company: Bookable

    async def run(self, wishes: list[datetime]) -> list[Appointment]:
        """All at once, by turns through one process and the other; who won. Whoever lost was shown free times."""
        houses, people = self.houses, self.company.others
        tries = [
            book(houses[n % 2], people[n % len(people)], self.company.need(), wishes[n % len(wishes)]) for n in range(CLIENTS)
        ]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert [one for one in results if not isinstance(one, Appointment | SlotTaken)] == []
        lost = [one for one in results if isinstance(one, SlotTaken)]
        assert all(1 <= len(one.details["nearest"]) <= 3 for one in lost)  # type: ignore[arg-type]
        return [one for one in results if isinstance(one, Appointment)]


@asynccontextmanager
async def two_processes(db: Database, url: str, redis_url: str, crew: int) -> AsyncIterator[Race]:
    second, clock = Database(url), Clock()
    async with process(db, redis_url, clock) as one, process(second, redis_url, clock) as other:
        company = await settle(db, crew, customers=8)
        async with db.transaction() as tx:
            for technician in company.technicians:
                await technicians.set_hours(tx, technician, ALL_WEEK)
        for house in (one, other):
            drive(house, Roads(20))
            house.settings._settings = house.settings.now.__class__(horizon_days=365)
        yield Race([one, other], company)
    await second.close()


async def raced(race: Race, numbers: Iterable[int], crew: int) -> Counter[int]:
    """How many won in each round: equal wishes in even rounds, overlapping ones in odd."""
    won: Counter[int] = Counter()
    for number in numbers:
        day, place = divmod(number, PER_DAY)
        wish = at(0, 30, days=day) + timedelta(hours=24 / PER_DAY * place)
        winners = await race.run([wish] if number % 2 == 0 else [wish, wish + timedelta(minutes=30)])
        assert len({one.technician_id for one in winners}) == len(winners)
        won[len(winners)] += 1
    await nothing_overlaps(race.company.db)
    assert set(won) == {crew}
    return won


@pytest.mark.parametrize("crew", [1, 3])
async def test_one_time_is_given_once_to_each_technician(db: Database, database_url: str, redis_url: str, crew: int) -> None:
    async with two_processes(db, database_url, redis_url, crew) as race:
        await raced(race, range(2), crew)


@pytest.mark.faults
@pytest.mark.parametrize("crew", [1, 3])
async def test_a_thousand_rounds(db: Database, database_url: str, redis_url: str, crew: int) -> None:
    """The whole form (`make faults`): prints winners and refusals; whatever is neither fails."""
    async with two_processes(db, database_url, redis_url, crew) as race:
        won = await raced(race, rounds(WANTED), crew)
    made = sum(won.values())
    figures = {"clients": CLIENTS, "technicians": crew, "201": made * crew, "409": made * (CLIENTS - crew), "5xx": 0}
    report("F3", database_url.partition(":")[0].partition("+")[0], made, WANTED, figures)
