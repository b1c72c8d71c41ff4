"""The router that needs nothing: great circle, a measured detour and measured speeds."""

from collections.abc import Sequence

from tracker.domain.crow import travel_m, travel_s
from tracker.domain.geo import Point
from tracker.domain.ways import Basis
from tracker.roads.router import Hop, Route


class DistanceRouter:
    """Answers every request at once, marked with basis ``distance``. It cannot fail."""

    name = "distance"
    ready = True

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        """The straight line with the travel time to be expected; the heading does not matter here."""
        seconds = travel_s(start, end)
        return Route((start, end), (0.0, seconds), travel_m(start, end), seconds, Basis.DISTANCE, self.name)

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        """Every pair has an answer."""
        return [[hop(a, b) for b in targets] for a in sources]

    async def close(self) -> None:
        """Nothing is held."""


def hop(start: Point, end: Point) -> Hop:
    """The travel between two places by distance alone."""
    return Hop(travel_s(start, end), travel_m(start, end), Basis.DISTANCE)
