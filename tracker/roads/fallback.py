"""The router the service uses: a real one with a small memory, and distance when it does not answer."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import structlog

from tracker.domain.geo import Point
from tracker.errors import NoRoute, RouterUnavailable
from tracker.roads.distance import DistanceRouter, hop
from tracker.roads.router import Hop, Route, Router

log = structlog.get_logger()

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_KEPT, _KEPT_S = 256, 600.0


class FallbackRouter:
    """Never fails: what the road router does not know or does not answer is answered by distance, and says so (E1).

    After a failure the road router is left alone for a while, twice as long after each further one, so that a dead or
    hanging router costs one time-out, not one a call. Routes are remembered for ten minutes.
    """

    def __init__(self, road: Router | None, *, clock: Callable[[], float] = time.monotonic, kept: int = _KEPT) -> None:
        self.road, self.distance, self.clock, self.kept = road, DistanceRouter(), clock, kept
        self.pause_s = 0.0
        self._again_at = 0.0
        self._kept: OrderedDict[tuple[float, ...], tuple[float, Route]] = OrderedDict()

    @property
    def name(self) -> str:
        """That of the road router, or ``distance``."""
        return self.road.name if self.road else self.distance.name

    @property
    def answering(self) -> bool:
        """True if there is a road router and its last answer was one: what health pages show."""
        return self.road is not None and self.road.ready and not self.pause_s

    @property
    def ready(self) -> bool:
        """Always: there is distance."""
        return True

    async def close(self) -> None:
        """Close the road router."""
        if self.road:
            await self.road.close()

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        """See `Router.route`; raises nothing. Places are the same within a metre, headings within 30 degrees."""
        key = (*(round(x, 5) for x in (*start, *end)), -1.0 if heading is None else heading // 30)
        if (kept := self._kept.get(key)) and self.clock() < kept[0]:
            self._kept.move_to_end(key)
            return kept[1]
        if (road := self._asked()) is None:
            return await self.distance.route(start, end)
        try:
            route = await road.route(start, end, heading=heading)
        except NoRoute:
            route = await self.distance.route(start, end)
        except RouterUnavailable:
            self._failed()
            return await self.distance.route(start, end)
        self.pause_s = 0.0
        self._keep(key, route)
        return route

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        """See `Router.matrix`; raises nothing, and every pair has an answer."""
        if (road := self._asked()) is None:
            return await self.distance.matrix(sources, targets)
        try:
            rows = await road.matrix(sources, targets)
        except RouterUnavailable:
            self._failed()
            return await self.distance.matrix(sources, targets)
        self.pause_s = 0.0
        return [[known or hop(a, b) for b, known in zip(targets, row, strict=True)] for a, row in zip(sources, rows, strict=True)]

    def _asked(self) -> Router | None:
        """The road router, unless it is left alone just now."""
        return self.road if self.road and self.road.ready and self.clock() >= self._again_at else None

    def _failed(self) -> None:
        self.pause_s = min(self.pause_s * 2, _LONGEST_PAUSE_S) or _FIRST_PAUSE_S
        self._again_at = self.clock() + self.pause_s
        log.warning("router_unavailable", router=self.name, pause_s=self.pause_s)

    def _keep(self, key: tuple[float, ...], route: Route) -> None:
        self._kept[key] = (self.clock() + _KEPT_S, route)
        while len(self._kept) > self.kept:
            self._kept.popitem(last=False)
