"""F4: moved, canceled, begun and handed over in the same moment: one visit ends as if all had come one after the other."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

import pytest

from tests.bookable import at, overlaps
from tests.faults.bounded import report, rounds
from tests.faults.rivals import Deed, Race, Rival, Told, racing
from tracker.domain.appointments import State, Step
from tracker.records import appointments
from tracker.records.database import Database

WANTED = 1_000
OPS = 8
WORDS = {412: "stale", 409: "refused", 404: "not theirs"}


@dataclass(frozen=True)
class Stand:
    """What matters of the visit."""

    state: State
    arrival: datetime
    technician: str | None
    version: int


@dataclass(frozen=True)
class Op:
    """One of the eight: what is done and by whom, and the version that was seen, if it is said."""

    what: str
    who: int
    version: int | None = None
    at: datetime | None = None
    technician: str | None = None
    only: str | None = None
    """A technician acts: only while the visit is theirs. A customer (``sure``) cancels only who has not set off."""
    sure: bool = True

    def deed(self, visit: str) -> Deed:
        """As it is told to a rival."""
        if self.what in ("move", "hand over"):
            return Deed(self.what, self.who, self.at, visit, technician=self.technician, version=self.version)
        return Deed("step", self.who, visit=visit, step=Step(self.what), version=self.version)


def after(stand: Stand, op: Op) -> tuple[str, Stand]:
    """What one operation alone would be told, and how the visit stands then."""
    if op.only is not None and op.only != stand.technician:
        return "not theirs", stand
    if op.version is not None and op.version != stand.version:
        return "stale", stand
    waits, open_ = stand.state is State.SCHEDULED, stand.state in (State.SCHEDULED, State.TRAVELING)
    may, new = {
        "move": (waits, {"arrival": op.at}),
        "cancel": (waits or (open_ and op.sure), {"state": State.CANCELED}),
        "start_travel": (waits, {"state": State.TRAVELING}),
        "arrive": (open_, {"state": State.IN_PROGRESS}),
        "hand over": (open_, {"state": State.SCHEDULED, "technician": op.technician}),
    }[op.what]
    if not may:
        return "refused", stand
    if op.what == "hand over" and stand.technician == op.technician:
        return "done", stand
    return "done", replace(stand, version=stand.version + 1, **new)  # type: ignore[arg-type]


def explained(before: Stand, ops: tuple[Op, ...], told: tuple[str, ...], end: Stand) -> bool:
    """Whether some order of the operations, one after the other, tells everybody the same and ends the same."""

    @cache
    def reaches(stand: Stand, left: frozenset[int]) -> bool:
        if not left:
            return stand == end
        for number in left:
            words, then = after(stand, ops[number])
            if words == told[number] and reaches(then, left - {number}):
                return True
        return False

    return reaches(before, frozenset(range(len(ops))))


@dataclass
class Round:
    """A visit of its own, in one of three states, and eight who want something of it."""

    race: Race
    number: int
    dice: random.Random

    def at(self, hour: int) -> datetime:
        return at(hour, days=self.number + 1)

    async def run(self, seen: Counter[str]) -> None:
        race = self.race
        race.now = self.at(8)
        [visit] = await race.one_by_one([Deed("book", 0, self.at(10))])
        steps = [Step.START_TRAVEL, Step.ARRIVE][: self.number % 3]
        for step in steps:
            [visit] = await race.one_by_one([Deed("step", race.desk, visit=visit.id, step=step)])
        before = await self.stand(visit.id)
        ops = self.ops(before)
        told = [named(one) for one in await race.at_once([op.deed(visit.id) for op in ops])]
        end = await self.stand(visit.id)
        ok = explained(before, ops, tuple(told), end)
        seen.update(told)
        seen["rounds"] += 1
        seen["unexplained"] += not ok
        seen["work changed"] += before.state is State.IN_PROGRESS and end != before
        if not ok:
            print(f"F4 round {self.number}: {before}\n -> {end}")
            for op, one in zip(ops, told, strict=True):
                print(f"    {op.what} {op.version}: {one}")
        await self.over(visit.id, end.state)

    def ops(self, stand: Stand) -> tuple[Op, ...]:
        race, desk = self.race, self.race.desk
        colleague = next(one for one in race.company.technicians if one != stand.technician)
        wanted = [
            Op("move", desk, at=self.at(13)),
            Op("move", 0, at=self.at(16)),
            Op("cancel", 0, sure=False),
            Op("cancel", desk),
            Op("start_travel", desk),
            Op("start_travel", race.crew(stand.technician), only=stand.technician),
            Op("arrive", desk),
            Op("hand over", desk, technician=colleague),
        ]
        told = [replace(op, version=stand.version if self.dice.random() < 0.5 else None) for op in wanted]
        return tuple(self.dice.sample(told, OPS))

    async def stand(self, visit: str) -> Stand:
        async with self.race.company.db.reading() as tx:
            found = await appointments.by_id(tx, visit)
        assert found is not None
        return Stand(found.state, found.arrival_at, found.technician_id, found.version)

    async def over(self, visit: str, state: State) -> None:
        """Nobody is under way when the next day begins."""
        if state is not State.CANCELED:
            step = Step.COMPLETE if state is State.IN_PROGRESS else Step.CANCEL
            await self.race.one_by_one([Deed("step", self.race.desk, visit=visit, step=step)])


def named(told: Told) -> str:
    """What an operation was told, in the words of `after`; anything else in its own."""
    if told.done or told.what == "slot_taken":
        return told.what
    return WORDS.get(told.status, told.why or told.what)


async def contended(race: Race, numbers: Iterable[int]) -> tuple[dict[str, int], dict[str, int]]:
    """So many rounds: what people were told, and what should be none of."""
    seen, dice = Counter[str](), random.Random(4)
    for number in numbers:
        await Round(race, number, dice).run(seen)
    broken = {name: seen.pop(name, 0) for name in ("unexplained", "work changed")}
    known = {name: seen.pop(name, 0) for name in ("rounds", "done", "refused", "stale", "not theirs")}
    return known, {**broken, "other answers": seen.total(), "overlaps": await overlaps(race.company.db)}


async def test_eight_things_at_once_are_one_after_the_other(
    pair: list[Rival], db: Database, database_url: str, redis_url: str
) -> None:
    async with racing(pair, db, database_url, redis_url, 2) as race:
        told, faults = await contended(race, range(9))
    assert faults == dict.fromkeys(faults, 0)
    assert told["rounds"] * OPS == told["done"] + told["refused"] + told["stale"] + told["not theirs"]
    assert min(told["done"], told["refused"], told["stale"]) > 0


@pytest.mark.faults
async def test_a_thousand_rounds_of_eight(pair: list[Rival], db: Database, database_url: str, redis_url: str) -> None:
    """The whole form (`make faults`)."""
    async with racing(pair, db, database_url, redis_url, 2) as race:
        told, faults = await contended(race, rounds(WANTED))
    made = told.pop("rounds")
    report("F4", database_url.partition(":")[0].partition("+")[0], made, WANTED, told, faults)
    assert min(told["done"], told["refused"], told["stale"]) > 0
