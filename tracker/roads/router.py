"""What every router answers: a route with the time at each vertex, and the travel between many places at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tracker.domain.geo import Point
from tracker.domain.ways import Basis, StoredRoute


@dataclass(frozen=True, slots=True)
class Route:
    """The way from one place to another.

    ``times_s`` has the seconds since the start at each vertex of ``line`` (same length, never falling); ``duration_s`` is
    the last of them. ``source`` names who answered: ``valhalla``, ``osrm`` or ``distance``. With basis ``distance`` the line
    is straight: good for a picture, not for a place on a street.
    """

    line: tuple[Point, ...]
    times_s: tuple[float, ...]
    length_m: float
    duration_s: float
    basis: Basis
    source: str

    def stored(self, serial: int, dest: Point) -> StoredRoute:
        """As Redis keeps it; ``dest`` is the address itself, which the last vertex may miss by a garden."""
        return StoredRoute.of(serial, self.line, self.times_s, dest, self.basis)


@dataclass(frozen=True, slots=True)
class Hop:
    """The travel between two places of a matrix."""

    duration_s: float
    length_m: float
    basis: Basis


class Router(Protocol):
    """Who can answer for travel by car."""

    @property
    def name(self) -> str:
        """``valhalla``, ``osrm``, ``distance``: what reports and logs say."""
        ...

    @property
    def ready(self) -> bool:
        """False if it is known that asking now is in vain (the embedded server starts, nothing was built)."""
        ...

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        """The fastest way. ``heading`` (degrees from north): the vehicle moves that way, so do not begin with a turn back.

        Raises RouterUnavailable if the router does not answer, NoRoute if it knows no way.
        """
        ...

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        """One row per source, one Hop per target; None where the router knows no way. Raises RouterUnavailable."""
        ...

    async def close(self) -> None:
        """Give back connections and files. A closed router is not used again."""
        ...
