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
JUNCTIONS_M = (80.0, 200.0)
"""Between two junctions of a city street, besides those where one turns."""
RED = 0.28
GREEN_WAVE_MPS, MOTORWAY_MPS = 11.5, 19.0
"""Share of junctions that hold one up in ordinary traffic; faster roads have their lights in step, a third as often red, and on
motorways there are none."""
RED_S = (4.0, 38.0)
QUEUE, QUEUE_S = 0.12, (30.0, 90.0)
"""So often a queue does not get through at its first green, and this is what more it takes."""
PULL_OUT_S = (3.0, 40.0)
"""From the step into the van until it moves: belt, mirror, a gap in the traffic."""
PARKING_M, PARKING_MPS = 70.0, 3.5
"""The last metres are driven slowly: which house, and where to stop."""
TRAFFIC = 0.32
"""Spread (of the logarithm) of how full the streets are, from trip to trip."""
HOURS = 1.7
"""Of full streets only speed and lights feel something, pulling out and parking do not: so much more, and whole drives take
what they should at each hour."""


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

    def __init__(self, way: Way, rng: random.Random, *, haste: float = 1.0, full: float = 1.0, waits: float = 1.0) -> None:
        """``haste``: this driver's speed on a free road over the way's own; ``full``: how full streets usually are at this
        hour, ``waits``: how often one stands at lights beyond what the plan counts, over the usual (`simulator.traffic`).

        How full the streets are is drawn for the whole drive; with it come slower stretches and more red lights. The
        numbers above were set so that drives take what taxi trips took in San Francisco, measured against the same
        router's plans, by length, hour and speed of the plan (docs/simulator.md).
        """
        traffic = full**HOURS * rng.lognormvariate(0.0, TRAFFIC)
        speed = haste / traffic**0.5
        self._line, self._along, limits = _cleaned(way, speed)
        red = min(0.8, RED * traffic * waits)
        reds = [red * _lights(limit / speed) for limit in limits]  # by the road's own plan, whoever drives there
        stops = _stops(way, self._line, self._along, reds, rng)
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


def _stops(
    way: Way, line: Sequence[Point], along: Sequence[float], reds: Sequence[float], rng: random.Random
) -> dict[float, float]:
    """Metres along → seconds of standing: at turns and at the junctions between them, and before pulling out."""
    at = dict(zip(line, along, strict=True))
    turns = [at[way.line[index]] for index in way.crossings if way.line[index] in at]
    stops = {0.0: rng.uniform(*PULL_OUT_S)}
    last = 0.0
    for metres in sorted([*turns, *_junctions(along[-1], rng)]):
        if metres - last < 40 or along[-1] - metres < 40:
            continue
        if rng.random() < reds[min(bisect_right(along, metres), len(reds)) - 1]:
            stops[metres] = rng.uniform(*RED_S) + (rng.uniform(*QUEUE_S) if rng.random() < QUEUE else 0.0)
            last = metres
    return stops


def _lights(planned_mps: float) -> float:
    """How often lights are red on a road of this speed, as a multiple of a city street's."""
    if planned_mps > MOTORWAY_MPS:
        return 0.0
    return 1 / 3 if planned_mps > GREEN_WAVE_MPS else 1.0


def _junctions(whole_m: float, rng: random.Random) -> list[float]:
    found = [rng.uniform(*JUNCTIONS_M)]
    while found[-1] < whole_m:
        found.append(found[-1] + rng.uniform(*JUNCTIONS_M))
    return found


def _speeds(
    line: Sequence[Point], along: Sequence[float], limits: Sequence[float], stops: dict[float, float]
) -> tuple[list[float], list[float]]:
    """The grid (metres along) and the highest speed there that limits, bends, stops and brakes allow."""
    grid, top = _grid(line, along, limits, sorted(stops))
    top[0] = top[-1] = 0.0
    for i, metres in enumerate(grid):
        if along[-1] - metres < PARKING_M:
            top[i] = min(top[i], PARKING_MPS)
    for i, metres in enumerate(grid):
        if metres in stops:
            top[i] = 0.0
    for i in range(1, len(grid)):
        top[i] = min(top[i], sqrt(top[i - 1] ** 2 + 2 * ACCELERATE_MPS2 * (grid[i] - grid[i - 1])))
    for i in range(len(grid) - 2, -1, -1):
        top[i] = min(top[i], sqrt(top[i + 1] ** 2 + 2 * BRAKE_MPS2 * (grid[i + 1] - grid[i])))
    return grid, top


def _grid(
    line: Sequence[Point], along: Sequence[float], limits: Sequence[float], stops: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Metres along and the limit there: every place of the line, every stop, and points at most `STEP_M` apart between."""
    grid, top = [0.0], [limits[0]]
    for i, limit in enumerate(limits):
        marks = [stop for stop in stops if along[i] < stop < along[i + 1]]
        for start, end in itertools.pairwise([along[i], *marks, along[i + 1]]):
            pieces = max(2, ceil((end - start) / STEP_M))
            grid += [start + (end - start) * k / pieces for k in range(1, pieces)] + [end]
            top += [limit] * pieces
        after = limits[i + 1] if i + 1 < len(limits) else limit
        bend = _bend_mps(line[i], line[i + 1], line[i + 2]) if i + 2 < len(line) else FASTEST_MPS
        top[-1] = min(limit, after, bend)
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
