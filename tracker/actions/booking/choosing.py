"""Who is to come at a time: all who can, by least travel distance (B6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from tracker.actions.booking.crew import ALL_AT_ONCE, FIRST_RING_M, LAST_RING_M, box_round, diaries
from tracker.actions.booking.needs import rules
from tracker.actions.booking.searching import Search
from tracker.domain.cells import moment
from tracker.domain.diaries import Diary
from tracker.domain.grid import midnight_s
from tracker.domain.shifts import Span
from tracker.domain.slots import REMEMBERED_S, Chosen, Fit, possible, unknown
from tracker.records import crew
from tracker.records.crew import Person
from tracker.records.database import Transaction

ASKED_TOGETHER = 16
"""Technicians whose travel is looked up together."""
CERTAIN = 2
"""So many of the best are known exactly: who is sent, and who would have been next."""


@dataclass(slots=True)
class Choice:
    """The technicians who can come at one time. ``nearest_first`` holds the best ones, in order; ``can`` counts all seen."""

    nearest_first: list[Chosen]
    can: int

    def reason(self, chosen: Chosen) -> dict[str, Any]:
        """Why this one, as it is stored and shown to staff."""
        others = [one for one in self.nearest_first if one.fit.technician != chosen.fit.technician]
        travel = chosen.fit.inward
        next_m = others[0].fit.inward.m if others else None
        return {"m": travel.m, "s": travel.s, "next_m": next_m, "candidates": self.can, "source": travel.source}


@dataclass(slots=True)
class Around:
    """The diaries round a place at one time: read ring by ring, once, and ever with what this process promised since."""

    search: Search
    arrival: int
    rings: list[list[Diary]] = field(default_factory=list)
    looked_at: float = 0.0

    async def ring(self, number: int, metres: float | None) -> list[Diary]:
        """Those whom no ring before had: within a distance, or everybody else."""
        if number == len(self.rings):
            if not self.rings:
                self.looked_at = self.search.house.turns.now
            async with self.search.house.db.reading() as tx:
                await self._read(tx, metres)
        return [self.lately(diary) for diary in self.rings[number]]

    async def read_first(self, tx: Transaction, looked_at: float) -> None:
        """The first ring in a transaction that is open already, begun not before ``looked_at`` (`Turns.now`)."""
        self.looked_at = looked_at
        await self._read(tx, None if whole(self.search, FIRST_RING_M) else FIRST_RING_M)

    def lately(self, diary: Diary) -> Diary:
        """A diary with what this process promised since it was read."""
        given = self.search.house.turns.given_since(diary.technician, self.looked_at)
        known = {promise.id for promise in diary.promises}.union(self.search.but) if given else ()
        new = [promise for promise in given if promise.id not in known]
        return diary.with_promises([*diary.promises, *new]) if new else diary

    def forget(self) -> None:
        """Read everything again next time: the database knew more."""
        self.rings.clear()

    async def _read(self, tx: Transaction, metres: float | None) -> None:
        search, company = self.search, self.search.house.company
        seen = {diary.technician for ring in self.rings for diary in ring}
        ends, region = self.arrival + search.wanted.work.duration_s, search.house.settings.now.holidays
        people = [one for one in await _ring(tx, search, self.arrival, metres) if one.id not in seen]
        self.rings.append(await diaries(tx, company, people, self.arrival, ends, search.now, region, search.but))


def whole(search: Search, metres: float) -> bool:
    """Whether everybody is looked at, wherever they live: a small company, or a ring that is as large as can be."""
    return search.house.company.size <= ALL_AT_ONCE or metres > LAST_RING_M


async def choose(around: Around, without: Sequence[str] = ()) -> Choice:
    """Who can come then, the best first; ``without`` some technicians. Travel is asked for the nearest only."""
    search, known = around.search, list[Chosen]()
    perhaps: list[tuple[Fit, Diary]] = []
    for number in count():
        metres = FIRST_RING_M * 2**number
        last = whole(search, metres)
        ring = await around.ring(number, None if last else metres)
        perhaps += _perhaps(search, [diary for diary in ring if diary.technician not in without], around.arrival)
        perhaps = await _resolve(search, perhaps, known, float("inf") if last else metres)
        if last or _settled(known, metres):
            break
    return Choice(sorted(known, key=lambda one: one.rank), len(known) + len(perhaps))


async def _ring(tx: Transaction, search: Search, arrival: int, metres: float | None) -> list[Person]:
    """Who might come from within a distance: whose home is there, or who has a visit there in the hours before."""
    around = search.wanted.range
    if metres is None:
        return await around.everybody(tx, search.house.company)
    found = await around.within(tx, metres)
    since, until = moment(arrival - REMEMBERED_S) - timedelta(hours=12), moment(arrival)
    near = await crew.visiting(tx, box_round(around.place, metres), since, until) - {one.id for one in found}
    if near:
        found += [one for one in await crew.qualified(tx, around.needed, ids=near) if around.serves(one)]
    return found


def _perhaps(search: Search, read: list[Diary], arrival: int) -> list[tuple[Fit, Diary]]:
    """Those of them who could come if the roads were as straight and fast as can be."""
    work, law = search.wanted.work, rules(search.house)
    fits = [(possible(diary, work, arrival, search.ways.at_least, law), diary) for diary in read]
    return [(fit, diary) for fit, diary in fits if fit is not None]


async def _resolve(
    search: Search, perhaps: list[tuple[Fit, Diary]], known: list[Chosen], within_m: float
) -> list[tuple[Fit, Diary]]:
    """Look up the travel of the nearest until the best are certain; those that need not be looked up are left over."""
    perhaps = sorted(perhaps, key=lambda one: (one[0].origin is None, one[0].inward.m, one[0].technician))
    work, law = search.wanted.work, rules(search.house)
    day = _day(search, perhaps[0][0].arrival) if perhaps else Span(0, 0)
    while perhaps and not _settled(known, min(within_m, perhaps[0][0].inward.m)):
        now, perhaps = perhaps[:ASKED_TOGETHER], perhaps[ASKED_TOGETHER:]
        await search.ways.learn(pair for fit, _ in now for pair in unknown(fit, work))
        for was, diary in now:
            fit = was if was.known else possible(diary, work, was.arrival, search.ways.certain, law)
            if fit is not None:
                known.append(Chosen(fit, diary, diary.busy_in(day)))
    return perhaps


def _settled(known: list[Chosen], nobody_nearer_m: float) -> bool:
    """Whether the best are certain: nobody who was not looked up can be nearer than that."""
    return sum(one.fit.inward.m < nobody_nearer_m and one.fit.origin is not None for one in known) >= CERTAIN


def _day(search: Search, arrival: int) -> Span:
    day = moment(arrival).astimezone(ZoneInfo(search.zone)).date()
    return Span(midnight_s(search.zone, day), midnight_s(search.zone, day + timedelta(days=1)))
