"""How a van drives along a line: speeds, bends, crossings and brakes that a real one could have."""

import itertools
import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, radians, sqrt, tan

from tracker.domain.geo import Point, bearing_deg, distance_m

STEP_M = 4.0
"""Distance between the points at which a speed is kept."""
ACCELERATE_MPS2 = 1.6
BRAKE_MPS2 = 2.2
SIDEWAYS_MPS2 = 2.6
"""What people in a van still find comfortable in a bend."""
FASTEST_MPS = 36.0
"""130 km/h: no line, however fast its times say it is, is driven faster."""
SLOWEST_BEND_MPS = 2.5


@dataclass(frozen=True, slots=True)
class Way:
    """A line to drive along: places, the seconds from the start to each, and which of them (by index) may show a red light."""

    line: tuple[Point, ...]
    times_s: tuple[float, ...]
    crossings: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.line) < 2 or len(self.line) != len(self.times_s):
            raise ValueError("a way needs two places or more, and a time for each")
        if any(b < a for a, b in itertools.pairwise(self.times_s)):
            raise ValueError("the times of a way must not fall")


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a van is and how it moves. ``course`` is the road's direction, also while standing."""

    point: Point
    speed: float
    course: float


@dataclass(frozen=True, slots=True)
class Node:
    """One point of the grid: seconds from the start, metres along, speed there."""

    t: float
    s: float
    v: float


class Drive:
    """One drive along a way, fixed in every second once it is made."""

    def __init__(self, way: Way, rng: random.Random, *, haste: float = 1.15) -> None:
        """``haste``: this driver's speed on a free road over the way's own; crossings and bends eat most of it up again."""
        self._line, self._along, limits = _cleaned(way, haste)
        stops = _stops(way, self._line, self._along, rng)
        self._nodes = _timed(*_speeds(self._line, self._along, limits, stops), stops)
        self._node_times = [node.t for node in self._nodes]
        self.duration_s = self._nodes[-1].t
        self.length_m = self._along[-1]

    def at(self, seconds: float) -> Moment:
        """Where the van is so many seconds after the start (before: at the start; after: at the end)."""
        t = min(max(seconds, 0.0), self.duration_s)
        i = min(bisect_right(self._node_times, t), len(self._nodes) - 1)
        a, b = self._nodes[i - 1], self._nodes[i]
        since = t - a.t
        push = (b.v - a.v) / (b.t - a.t) if b.t > a.t else 0.0
        along = min(b.s, a.s + a.v * since + push * since * since / 2)
        return self._moment(along, max(0.0, a.v + push * since))

    def _moment(self, along: float, speed: float) -> Moment:
        i = min(max(bisect_right(self._along, along), 1), len(self._along) - 1)
        a, b = self._line[i - 1], self._line[i]
        share = (along - self._along[i - 1]) / (self._along[i] - self._along[i - 1])
        point = Point(a.lat + (b.lat - a.lat) * share, a.lon + (b.lon - a.lon) * share)
        return Moment(point, speed, bearing_deg(a, b))


def straight_way(start: Point, end: Point, speed_mps: float = 8.0) -> Way:
    """A way as the crow flies, for servers without any road router."""
    return Way((start, end), (0.0, max(1.0, distance_m(start, end) / speed_mps)))


def _cleaned(way: Way, haste: float) -> tuple[list[Point], list[float], list[float]]:
    """The line without repeated places, metres along it, and the speed limit of each piece."""
    line, along, limits = [way.line[0]], [0.0], []
    since = way.times_s[0]
    for point, at in zip(way.line[1:], way.times_s[1:], strict=True):
        metres = distance_m(line[-1], point)
        if metres < 0.05:
            continue
        seconds = max(at - since, metres / FASTEST_MPS)
        limits.append(min(FASTEST_MPS, max(1.5, haste * metres / seconds)))
        line.append(point)
        along.append(along[-1] + metres)
        since = at
    if not limits:
        raise ValueError("a way must lead somewhere")
    return line, along, limits


def _stops(way: Way, line: Sequence[Point], along: Sequence[float], rng: random.Random) -> dict[float, float]:
    """Metres along → seconds of standing: about every third crossing is red, give way or full."""
    at = dict(zip(line, along, strict=True))
    stops: dict[float, float] = {}
    last = 0.0
    for index in sorted(way.crossings):
        metres = at.get(way.line[index])
        if metres is None or metres - last < 40 or along[-1] - metres < 40:
            continue
        if rng.random() < 0.35:
            stops[metres] = rng.uniform(3, 35)
            last = metres
    return stops


def _speeds(
    line: Sequence[Point], along: Sequence[float], limits: Sequence[float], stops: dict[float, float]
) -> tuple[list[float], list[float]]:
    """The grid (metres along) and the highest speed there that limits, bends, stops and brakes allow."""
    grid, top = _grid(line, along, limits)
    top[0] = top[-1] = 0.0
    for i, metres in enumerate(grid):
        if metres in stops:
            top[i] = 0.0
    for i in range(1, len(grid)):
        top[i] = min(top[i], sqrt(top[i - 1] ** 2 + 2 * ACCELERATE_MPS2 * (grid[i] - grid[i - 1])))
    for i in range(len(grid) - 2, -1, -1):
        top[i] = min(top[i], sqrt(top[i + 1] ** 2 + 2 * BRAKE_MPS2 * (grid[i + 1] - grid[i])))
    return grid, top


def _grid(line: Sequence[Point], along: Sequence[float], limits: Sequence[float]) -> tuple[list[float], list[float]]:
    grid, top = [0.0], [limits[0]]
    for i, limit in enumerate(limits):
        pieces = max(2, ceil((along[i + 1] - along[i]) / STEP_M))
        grid += [along[i] + (along[i + 1] - along[i]) * k / pieces for k in range(1, pieces)]
        top += [limit] * (pieces - 1)
        grid.append(along[i + 1])
        after = limits[i + 1] if i + 1 < len(limits) else limit
        bend = _bend_mps(line[i], line[i + 1], line[i + 2]) if i + 2 < len(line) else FASTEST_MPS
        top.append(min(limit, after, bend))
    return grid, top


def _bend_mps(a: Point, b: Point, c: Point) -> float:
    """The speed at which the bend at b pulls sideways with `SIDEWAYS_MPS2`; no corner is rounder than 20 m of road."""
    turn = abs((bearing_deg(b, c) - bearing_deg(a, b) + 180) % 360 - 180)
    if turn < 2:
        return FASTEST_MPS
    reach = min(distance_m(a, b), distance_m(b, c), 20.0) / 2
    radius = reach / tan(radians(min(turn, 175)) / 2)
    return max(SLOWEST_BEND_MPS, sqrt(SIDEWAYS_MPS2 * radius))


def _timed(grid: Iterable[float], top: Iterable[float], stops: dict[float, float]) -> list[Node]:
    """Times along the grid: between two points the acceleration is constant; a stop is a point twice."""
    nodes: list[Node] = []
    for s, v in zip(grid, top, strict=True):
        t = nodes[-1].t + 2 * (s - nodes[-1].s) / (nodes[-1].v + v) if nodes else 0.0
        nodes.append(Node(t, s, v))
        if s in stops:
            nodes.append(Node(t + stops[s], s, 0.0))
    return nodes
