"""F26: moves that swap their times, holds that expire, overruns, and visits given up whose next one is reached from elsewhere."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from tests.bookable import HOME, PLACE, at, overlaps
from tests.faults.bounded import report, rounds
from tests.faults.rivals import Deed, Race, Rival, Told, racing
from tests.world import NOW
from tracker.domain.appointments import State, Step
from tracker.domain.geo import moved
from tracker.records import appointments, people, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Database

WANTED = 1_000
FAR = moved(PLACE, 45, 6_000)
WAYS = [(HOME, FAR, 30, 9_000), (PLACE, FAR, 40, 9_000)]
"""Who stands far away needs longer: whatever comes after them has to be mended when they go, or come."""


@dataclass
class Day:
    """One round: a day of its own, its visits by name, and what everybody was told."""

    race: Race
    number: int
    far: str
    dice: random.Random
    visits: dict[str, Appointment] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def at(self, hour: int, minute: int = 0) -> datetime:
        return at(hour, minute, days=self.number)

    async def run(self) -> None:
        """The day is filled; then three times a few people want something at once, who is refused once more each time."""
        await self.filled()
        overrun = self.number % 3 == 2
        arrive = [Deed("step", self.race.desk, visit=self.visits["early"].id, step=Step.ARRIVE)] if overrun else []
        swaps = [
            Deed("move", 0, self.at(13, 30), self.visits["first"].id),  # through a free time …
            Deed("move", 1, self.at(10), self.visits["second"].id),  # … into one that is just being left
            Deed("move", 3, self.at(15), self.visits["fourth"].id),
        ]
        now = [
            *swaps,
            Deed("step", 2, visit=self.visits["third"].id),  # given up: the fourth is reached from elsewhere
            Deed("book", 5, self.at(20)),  # what a hold keeps, or kept
            Deed("sweep"),
            *self.crossed(),
            *(arrive if self.number % 6 == 5 else ()),
        ]
        self.race.now = self.at(9, 15) if overrun else self.at(6, 5 if self.number % 2 else 4)
        told = await self.together(now)
        again = [deed for deed in swaps[1:] if not told[now.index(deed)].done]
        back = Deed("move", 0, self.at(12), self.visits["first"].id)
        told = await self.together([*again, back])
        last = [*([] if told[-1].done else [back]), *(arrive if self.number % 6 == 2 else ())]
        if last:
            await self.together(last)
        first, second = self.visits["first"], self.visits["second"]
        self.seen["swapped"] += (first.arrival_at, second.arrival_at) == (self.at(12), self.at(10))

    async def filled(self) -> None:
        self.race.now, desk = self.at(5), self.race.desk
        wanted = {
            "early": Deed("book", desk, self.at(8), account=self.far),
            "first": Deed("book", 0, self.at(10)),
            "second": Deed("book", 1, self.at(12)),
            "third": Deed("book", 2, self.at(15)),
            "fourth": Deed("book", 3, self.at(17)),
            "one": Deed("book", desk, self.at(22)),
            "other": Deed("book", desk, self.at(23)),
        }
        booked = await self.race.one_by_one(list(wanted.values()))
        self.visits = dict(zip(wanted, booked, strict=True))
        colleague = next(one for one in self.race.company.technicians if one != booked[0].technician_id)
        other = self.visits["other"].id
        [self.visits["other"]] = await self.race.one_by_one([Deed("hand over", desk, visit=other, technician=colleague)])
        self.race.now = self.at(6)
        await self.race.one_by_one([Deed("hold", 4, self.at(20))])
        if self.number % 3 == 2:
            self.race.now = self.at(7, 30)
            await self.race.one_by_one([Deed("step", desk, visit=self.visits["early"].id, step=Step.START_TRAVEL)])

    def crossed(self) -> list[Deed]:
        """Two visits change their technicians in the same moment: both need both of them locked."""
        one, other, desk = self.visits["one"], self.visits["other"], self.race.desk
        return [
            Deed("hand over", desk, visit=one.id, technician=other.technician_id),
            Deed("hand over", desk, visit=other.id, technician=one.technician_id),
        ]

    async def together(self, deeds: Sequence[Deed]) -> list[Told]:
        """In any order; what each was told is counted, and who was mended meanwhile without doing anything."""
        order = self.dice.sample(range(len(deeds)), len(deeds))
        shuffled = await self.race.at_once([deeds[n] for n in order])
        told = [shuffled[order.index(n)] for n in range(len(deeds))]
        for deed, one in zip(deeds, told, strict=True):
            name = deed.what if deed.what != "step" else deed.step.value
            self.seen[f"{name} {'done' if one.done else one.what}"] += 1
            self.seen["5xx"] += one.status >= 500
            self.seen["steps refused"] += deed.what == "step" and not one.done
        await self._look_again()
        return told

    async def _look_again(self) -> None:
        for name, before in self.visits.items():
            async with self.race.company.db.reading() as tx:
                after = await appointments.by_id(tx, before.id)
            assert after is not None
            stayed = (after.arrival_at, after.technician_id, after.state) == (
                before.arrival_at,
                before.technician_id,
                before.state,
            )
            if stayed and after.state is State.SCHEDULED:
                self.seen["mended"] += after.travel_s != before.travel_s
            self.seen["run into"] += after.flag == "late" and before.flag != "late"
            self.visits[name] = after


async def swapped(race: Race, numbers: Iterable[int]) -> tuple[dict[str, object], dict[str, int]]:
    """So many days: what was seen, and what should be none of."""
    seen, dice = Counter[str](), random.Random(26)
    async with race.company.db.transaction() as tx:
        far = await people.add_account(tx, "Far", NOW, address="Kaukana 1", lat=FAR.lat, lon=FAR.lon, zone="Europe/Helsinki")
        await technicians.set_hours(tx, race.company.technicians[1], [])  # only the desk sends them anywhere
    for number in numbers:
        day = Day(race, number + 2, far, dice)
        await day.run()
        seen.update(day.seen)
        seen["rounds"] += 1
    faults = {"overlaps": await overlaps(race.company.db), "5xx": seen.pop("5xx"), "steps refused": seen.pop("steps refused")}
    return dict(seen), faults


BOTH = ("move done", "move slot_taken", "book done", "book slot_taken", "swapped", "mended", "run into", "hand over done")
"""What must have happened in three rounds and more: people succeed, and are refused; days are mended, and run into."""


async def test_swaps_expiries_and_giving_up_at_once(pair: list[Rival], db: Database, database_url: str, redis_url: str) -> None:
    async with racing(pair, db, database_url, redis_url, 2, ways=WAYS) as race:
        seen, faults = await swapped(race, range(6))
    assert faults == dict.fromkeys(faults, 0)
    assert [kind for kind in BOTH if not seen.get(kind)] == []


@pytest.mark.faults
async def test_a_thousand_swaps(pair: list[Rival], db: Database, database_url: str, redis_url: str) -> None:
    """The whole form (`make faults`)."""
    async with racing(pair, db, database_url, redis_url, 2, ways=WAYS) as race:
        seen, faults = await swapped(race, rounds(WANTED))
    where, made = database_url.partition(":")[0].partition("+")[0], seen.pop("rounds")
    assert isinstance(made, int)
    report("F26", where, made, WANTED, dict(sorted(seen.items())), faults)
    assert [kind for kind in BOTH if not seen.get(kind)] == []
