"""Travel between places: asked of the router for many at once, remembered, and never missing."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

from tracker.domain.crow import travel_m, travel_s
from tracker.domain.diaries import Travel, bound
from tracker.domain.geo import Point
from tracker.domain.ways import Basis
from tracker.roads.router import Hop, Router

LASTS_S = 6 * 3600.0
KEPT = 200_000
"""Pairs of places that a process remembers, and for how long."""

STAYING = Travel(0, 0, "road")
"""From a place to itself: nobody need be asked."""

type Pair = tuple[Point, Point]


class TravelMemory:
    """What the road router said, for all requests of this process. Places are the same within ten metres."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, kept: int = KEPT, lasts_s: float = LASTS_S) -> None:
        self._clock, self._most, self._lasts_s = clock, kept, lasts_s
        self._kept: OrderedDict[tuple[float, ...], tuple[float, Travel]] = OrderedDict()

    def known(self, start: Point, end: Point) -> Travel | None:
        """The travel, if the road router was asked for it lately."""
        kept = self._kept.get(_key(start, end))
        return kept[1] if kept and self._clock() < kept[0] else None

    def keep(self, start: Point, end: Point, travel: Travel) -> None:
        """Remember an answer; the oldest are forgotten."""
        key = _key(start, end)
        self._kept[key] = (self._clock() + self._lasts_s, travel)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _key(start: Point, end: Point) -> tuple[float, ...]:
    return (round(start.lat, 4), round(start.lon, 4), round(end.lat, 4), round(end.lon, 4))


class Ways:
    """The travels of one request: search and booking see the same numbers, whatever the memory forgets meanwhile."""

    def __init__(self, router: Router, memory: TravelMemory) -> None:
        self._router, self._memory = router, memory
        self._known: dict[Pair, Travel] = {}

    def looked_up(self, start: Point, end: Point) -> Travel | None:
        """The travel if it is known, without asking."""
        pair = (start, end)
        if start == end:
            return STAYING
        found = self._known.get(pair) or self._memory.known(start, end)
        if found is not None:
            self._known[pair] = found
        return found

    def at_least(self, start: Point, end: Point) -> Travel:
        """The travel, or its bound while nobody asked for it."""
        return self.looked_up(start, end) or bound(start, end)

    def certain(self, start: Point, end: Point) -> Travel:
        """The travel, or what the distance says: for use inside a transaction, where nobody is asked."""
        return self.looked_up(start, end) or by_distance(start, end)

    async def learn(self, pairs: Iterable[Pair]) -> None:
        """Ask the router for all of these at once: one matrix for each place that many begin from or lead to."""
        missing = [pair for pair in set(pairs) if self.looked_up(*pair) is None]
        into, out = Counter(end for _, end in missing), Counter(start for start, _ in missing)
        to: dict[Point, list[Point]] = {}
        of: dict[Point, list[Point]] = {}
        for start, end in missing:
            if into[end] >= out[start]:
                to.setdefault(end, []).append(start)
            else:
                of.setdefault(start, []).append(end)
        await asyncio.gather(
            *(self._ask(starts, [end]) for end, starts in to.items()), *(self._ask([start], ends) for start, ends in of.items())
        )

    async def _ask(self, starts: list[Point], ends: list[Point]) -> None:
        rows = await self._router.matrix(starts, ends)
        for start, row in zip(starts, rows, strict=True):
            for end, hop in zip(ends, row, strict=True):
                travel = by_distance(start, end) if hop is None else _travel(hop)
                self._known[start, end] = travel
                if travel.source == "road":  # what distance says is soon said again; the road may be back by then
                    self._memory.keep(start, end, travel)


def _travel(hop: Hop) -> Travel:
    """Whole seconds and metres, rounded up: a technician is never promised to be faster than the road."""
    return Travel(-int(-hop.duration_s // 1), round(hop.length_m), "road" if hop.basis is Basis.ROAD else "distance")


def by_distance(start: Point, end: Point) -> Travel:
    """The travel that distance alone lets expect."""
    return Travel(-int(-travel_s(start, end) // 1), round(travel_m(start, end)), "distance")
