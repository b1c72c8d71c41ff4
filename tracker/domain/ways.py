"""A planned way and a place on it: how far along, how far off, how much is left, and the line ahead."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from math import hypot, inf

import msgspec

from tracker.domain.crow import travel_m, travel_s
from tracker.domain.geo import Point, distance_m, encode_polyline6
from tracker.domain.lines import Way


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


class Progress(msgspec.Struct, frozen=True, gc=False):
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
    flat: tuple[float, float] | None = None
    """``point`` on the way's plane."""


_BACK_M, _FORWARD_M, _WINDING = 40.0, 200.0, 3.0
"""Between two fixes a vehicle is looked for from a little behind to as far ahead as a winding road could have led it."""


_RIGHT_ON_M, _NEXT_M = 12.0, 20.0
"""A vehicle that goes on as it did is found so near to the line on the next few metres: then nobody looks farther."""
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
    x, y = way.flat(point)
    reached, (bx, by) = (last.reached_m, last.flat or way.flat(last.point)) if last else (0.0, (0.0, 0.0))
    driven = hypot(x - bx, y - by)
    along, off = inf, inf
    if last is not None and last.along_m == reached:
        along, off = way.nearest_between(x, y, reached - _BACK_M, reached + _NEXT_M + driven)
    if off > _RIGHT_ON_M:
        along, off = way.nearest_between(x, y, reached - _BACK_M, reached + _FORWARD_M + _WINDING * driven)
    if off > _SURELY_ON_M:
        any_along, any_off = way.nearest(x, y)
        if any_off < off and off > tolerance_m(acc):
            along, off = any_along, any_off
    left_s = max(0.0, way.times[-1] - way.seconds_at(along))
    against = course is not None and way.leads_elsewhere(along, course)
    return Progress(along, off, way.length_m - along, left_s, max(reached, along), point, route.basis, against, (x, y))


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
    x, y = way.flat(point)
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
