"""F3: many people want the same technician's time at once, from two processes; on SQLite and on PostgreSQL."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pytest

from tests.bookable import at, overlaps
from tests.faults.bounded import report, rounds
from tests.faults.rivals import Deed, Race, Rival, racing
from tracker.records.database import Database

CLIENTS = 64
WANTED = 1_000
PER_DAY = 4
"""Rounds at 0:30, 6:30, 12:30 and 18:30, an hour's work and twenty minutes' travel: far apart."""


async def raced(race: Race, numbers: Iterable[int], crew: int) -> Counter[str]:
    """What everybody was told in so many rounds: equal wishes in even ones, overlapping ones in odd."""
    seen: Counter[str] = Counter()
    for number in numbers:
        day, place = divmod(number, PER_DAY)
        race.now = at(0, days=day - 1)
        wish = at(0, 30, days=day) + timedelta(hours=24 / PER_DAY * place)
        wishes = [wish] if number % 2 == 0 else [wish, wish + timedelta(minutes=30)]
        people = len(race.company.others)
        # by pairs: both wishes in both processes
        told = await race.at_once([Deed("book", n % people, wishes[n // 2 % len(wishes)]) for n in range(CLIENTS)])
        winners = [one.visit.technician_id for one in told if one.visit]
        seen.update(f"{201 if one.done else one.status} {one.what}" for one in told)
        seen["rounds"] += 1
        seen["one each"] += len(winners) == len(set(winners)) == crew
        seen["nearest named"] += sum(1 <= one.nearest <= 3 for one in told)
    return seen


async def judged(race: Race, seen: Counter[str], crew: int) -> tuple[dict[str, object], dict[str, int]]:
    """The figures, and what should be none of."""
    won, lost, made = seen["201 done"], seen["409 slot_taken"], seen["rounds"]
    faults = {
        "other answers": made * CLIENTS - won - lost,
        "rounds not won once each": made - seen["one each"],
        "refused without free times": lost - seen["nearest named"],
        "overlaps": await overlaps(race.company.db),
    }
    assert won == crew * seen["one each"] or faults["rounds not won once each"], seen
    return {"clients": CLIENTS, "technicians": crew, "201": won, "409": lost}, faults


@pytest.mark.parametrize("crew", [1, 3])
async def test_one_time_is_given_once_to_each_technician(
    pair: list[Rival], db: Database, database_url: str, redis_url: str, crew: int
) -> None:
    async with racing(pair, db, database_url, redis_url, crew) as race:
        figures, faults = await judged(race, await raced(race, range(2), crew), crew)
    assert faults == dict.fromkeys(faults, 0)
    assert (figures["201"], figures["409"]) == (2 * crew, 2 * (CLIENTS - crew))


@pytest.mark.faults
@pytest.mark.parametrize("crew", [1, 3])
async def test_a_thousand_rounds(pair: list[Rival], db: Database, database_url: str, redis_url: str, crew: int) -> None:
    """The whole form (`make faults`): prints winners and refusals; whatever is neither fails."""
    async with racing(pair, db, database_url, redis_url, crew) as race:
        seen = await raced(race, rounds(WANTED), crew)
        figures, faults = await judged(race, seen, crew)
    report("F3", database_url.partition(":")[0].partition("+")[0], seen["rounds"], WANTED, figures, faults)
