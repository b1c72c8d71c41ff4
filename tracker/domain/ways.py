"""A planned way and a place on it: how far along, how far off, how much is left, and the line ahead."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, pairwise
from math import cos, hypot, inf, radians, sin, sqrt

import msgspec
from shapely import LineString
from shapely import Point as Spot

from tracker.domain.crow import travel_m, travel_s
from tracker.domain.geo import Point, decode_polyline6, distance_m, encode_polyline6, flat_distance_m, flat_m


class Basis(StrEnum):
    """What an estimate stands on: the road network, only the distance (E1), or no more than the promised time (P2)."""

    ROAD = "road"
    DISTANCE = "distance"
    BOOKED = "booked"


class StoredRoute(msgspec.Struct, frozen=True, dict=True):
    """The route of a leg as Redis keeps it (docs/architecture.md).

    ``serial`` rises with every new routing of the leg; ``shape`` is a polyline6; ``times`` has the seconds since the start
    at each of its vertices. The geometry is prepared once per object: keep the object, not the JSON.
    """

    serial: int = msgspec.field(name="n")
    shape: str
    times: tuple[float, ...]
    dest: Point
    basis: Basis

    @classmethod
    def of(cls, serial: int, line: Sequence[Point], times_s: Sequence[float], dest: Point, basis: Basis) -> "StoredRoute":
        """Made from a router's answer; tenths of a second are enough."""
        return cls(serial, encode_polyline6(line), tuple(round(t, 1) for t in times_s), dest, basis)

    def to_json(self) -> bytes:
        """The text for Redis."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes | str) -> "StoredRoute":
        """Read what ``to_json`` wrote; anything else raises msgspec.ValidationError."""
        return msgspec.json.decode(text, type=cls)

    @cached_property
    def way(self) -> "Way":
        """The geometry, prepared."""
        return Way(self.shape, self.times)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a vehicle is on its route.

    ``along_m`` from the start, ``off_m`` beside the line, ``reached_m`` the farthest ``along_m`` so far (never falls on one
    route). ``remaining_s`` is the router's own driving time, before what was learned about it.
    """

    along_m: float
    off_m: float
    remaining_m: float
    remaining_s: float
    reached_m: float
    point: Point
    basis: Basis
    against: bool = False


_BEND_M = 25.0
_ABOUT = cos(radians(60))


class Way:
    """A line on a flat plane, with cumulative metres and seconds at every vertex."""

    def __init__(self, shape: str, times: Sequence[float]) -> None:
        self.line = decode_polyline6(shape)
        if len(self.line) < 2 or len(self.line) != len(times):
            raise ValueError("a route needs two vertices or more, and a time for each")
        self.times = times
        self.origin = self.line[0]
        self.flat = [flat_m(self.origin, p) for p in self.line]
        steps = (hypot(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(self.flat))
        self.metres = list(accumulate(steps, initial=0.0))
        self.string = LineString(self.flat)
        self.shape = shape
        self.ends = _vertex_ends(shape)

    @property
    def length_m(self) -> float:
        return self.metres[-1]

    def segment_at(self, along_m: float) -> int:
        """The number of the segment (0 …) on which a place along the line lies."""
        return min(max(bisect_right(self.metres, along_m) - 1, 0), len(self.metres) - 2)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """(along, off) in metres of the place on the whole line nearest to a flat point."""
        along = float(self.string.project(Spot(x, y)))
        px, py = self._flat_at(along)
        return along, hypot(x - px, y - py)

    def nearest_between(self, x: float, y: float, low_m: float, high_m: float) -> tuple[float, float]:
        """As ``nearest``, but only on the stretch from low to high. One loop, as this is the way of every ping."""
        best_along, best = 0.0, inf
        flat, metres = self.flat, self.metres
        for i in range(self.segment_at(low_m), self.segment_at(high_m) + 1):
            (ax, ay), (bx, by), start, end = flat[i], flat[i + 1], metres[i], metres[i + 1]
            step = end - start or 1.0  # two vertices in one place
            ux, uy = (bx - ax) / step, (by - ay) / step
            run = min(max((x - ax) * ux + (y - ay) * uy, low_m - start, 0.0), end - start)
            square = (x - ax - run * ux) ** 2 + (y - ay - run * uy) ** 2
            if square < best:
                best_along, best = start + run, square
        return best_along, sqrt(best)

    def seconds_at(self, along_m: float) -> float:
        """Seconds since the start at a place along the line."""
        i = self.segment_at(along_m)
        step = self.metres[i + 1] - self.metres[i]
        share = (along_m - self.metres[i]) / step if step else 1.0
        return self.times[i] + share * (self.times[i + 1] - self.times[i])

    def leads_elsewhere(self, along_m: float, course: float) -> bool:
        """True if neither here nor a little before or after it the line runs about that way: no bend explains the course."""
        east, north = sin(radians(course)), cos(radians(course))
        for i in {self.segment_at(along_m + aside) for aside in (-_BEND_M, 0.0, _BEND_M)}:
            (ax, ay), (bx, by) = self.flat[i], self.flat[i + 1]
            if (bx - ax) * east + (by - ay) * north >= _ABOUT * (self.metres[i + 1] - self.metres[i]):
                return False
        return True

    def _flat_at(self, along_m: float) -> tuple[float, float]:
        i = self.segment_at(along_m)
        (ax, ay), (bx, by) = self.flat[i], self.flat[i + 1]
        step = self.metres[i + 1] - self.metres[i]
        share = (along_m - self.metres[i]) / step if step else 0.0
        return ax + share * (bx - ax), ay + share * (by - ay)


_BACK_M, _FORWARD_M, _WINDING = 40.0, 200.0, 3.0
"""Between two fixes a vehicle is looked for from a little behind to as far ahead as a winding road could have led it."""


_SURELY_ON_M = 30.0
"""So near to the stretch where the vehicle is expected, nobody looks elsewhere."""


def tolerance_m(acc: float | None) -> float:
    """How far beside the line a fix of this accuracy still counts as on it."""
    return 60.0 if acc is None else max(40.0, 2.5 * acc)


def progress(
    route: StoredRoute, point: Point, last: Progress | None = None, *, acc: float | None = None, course: float | None = None
) -> Progress:
    """Where a point is on a route; its cost does not grow with the length of the route.

    ``last`` is the previous answer for the same route: on a loop, or where the line passes a street twice, the place is
    looked for near it, so that the vehicle does not jump to another pass. ``course`` only if the vehicle moves. A route
    without roads is measured by distance.
    """
    if route.basis is not Basis.ROAD:
        return _by_distance(route, point)
    way = route.way
    x, y = flat_m(way.origin, point)
    reached, before = (last.reached_m, last.point) if last else (0.0, way.origin)
    high = reached + _FORWARD_M + _WINDING * flat_distance_m(before, point)
    along, off = way.nearest_between(x, y, reached - _BACK_M, high)
    if off > _SURELY_ON_M:
        any_along, any_off = way.nearest(x, y)
        if any_off < off and off > tolerance_m(acc):
            along, off = any_along, any_off
    left_s = max(0.0, way.times[-1] - way.seconds_at(along))
    against = course is not None and way.leads_elsewhere(along, course)
    return Progress(along, off, way.length_m - along, left_s, max(reached, along), point, route.basis, against)


def ahead(route: StoredRoute, now_at: Progress) -> str:
    """The polyline6 from the shown place to the end, never the way behind it (P2)."""
    way = route.way
    if route.basis is not Basis.ROAD:
        return encode_polyline6((now_at.point, route.dest))
    following = way.segment_at(now_at.along_m) + 1
    # Only the first two vertices are written anew: the rest are differences, and those are in the stored text.
    return encode_polyline6((now_at.point, way.line[following])) + way.shape[way.ends[following] :]


_ON_IT_M, _PASSES_APART_M = 60.0, 15.0
"""Beyond this from the line nobody drives along it; places of the line this near to each other are passes of one street."""


def way_on(route: StoredRoute, point: Point) -> str | None:
    """What `ahead` says of a place whose past is not known, so that it can never hold a way behind it (P2).

    None beside the line: its nearest place may be where the trip began. Where the line comes by more than once, the last
    time counts.
    """
    if route.basis is not Basis.ROAD:
        return ahead(route, _by_distance(route, point))
    way = route.way
    x, y = flat_m(way.origin, point)
    passes = [way.nearest_between(x, y, start, end) for start, end in pairwise(way.metres)]
    nearest = min(off for _, off in passes)
    if nearest > _ON_IT_M:
        return None
    along, off = max(place for place in passes if place[1] <= nearest + _PASSES_APART_M)
    left_s = max(0.0, way.times[-1] - way.seconds_at(along))
    return ahead(route, Progress(along, off, way.length_m - along, left_s, along, point, route.basis))


def _by_distance(route: StoredRoute, point: Point) -> Progress:
    whole, left = route.way.length_m, travel_m(point, route.dest)
    along = max(0.0, whole - distance_m(point, route.dest))
    return Progress(along, 0.0, left, travel_s(point, route.dest), along, point, route.basis)


def _vertex_ends(shape: str) -> list[int]:
    """For each vertex the index in the text just after its two numbers (a number ends with a character below 0x5f)."""
    ends = [i + 1 for i, char in enumerate(shape) if ord(char) - 63 < 0x20]
    return ends[1::2]
