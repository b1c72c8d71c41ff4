"""Learns from finished trips how actual travel times lie around planned ones (E3, E4)."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import exp, log
from typing import NamedTuple

from msgspec.structs import replace

from tracker.domain.eta_ranges import Ranges

KNOTS_M = (500, 700, 1000, 1400, 2000, 2800, 4000, 5600, 8000, 11000, 16000, 22000, 30000)
"""Where the ratios are written down, metres by road."""
_WINDOW = 1.35
"""Trips up to this factor shorter or longer speak for a knot, the nearer the louder."""
_FEWEST = 80
"""A knot that fewer trips speak for is left out."""
_WEAK = 30
"""So many trips weigh as much as the assumption that an hour is like all others."""
_SAME_SPEED = 1.1
"""Where plans differ by less, their speed follows from the distance and says nothing of its own."""
_BEYOND = 1.25
"""How much farther than seen the trend is followed towards slow plans: cities differ in what their maps know of lights and
limits more than in how fast one gets through, and a plan that knows much needs little correction."""
_ROUNDS = 4


class Trip(NamedTuple):
    """One finished trip: metres by road, planned and actual seconds, local wall time of its start, and its weight."""

    metres: float
    planned_s: float
    actual_s: float
    hour: float
    weekend: bool
    weight: float = 1.0


_SHORT_M = 3000
"""Trips up to here tell what a start takes: on longer ones it drowns."""


type Weighed = list[tuple[float, float]]
"""(value, weight) pairs."""


def learn(trips: Sequence[Trip]) -> Ranges:
    """The ranges of trips of one basis. Raises ValueError if there are too few to say anything.

    Distance, hour and planned speed explain the same delays, so their parts are found in turns, each of what the others
    leave over.
    """
    trips = sorted(trips)
    ranges = Ranges((1.0,), (1.0,), (1.0,), (1.0,), (1.0,), trips=len(trips))
    for _ in range(_ROUNDS):
        ranges = _by_distance(trips, ranges)
        ranges = replace(ranges, weekday=_by_hour(trips, ranges, False), weekend=_by_hour(trips, ranges, True))
        ranges = _by_speed(trips, ranges)
    return _by_distance(trips, ranges)


def start_s(trips: Sequence[Trip]) -> float:
    """Seconds that a trip takes besides its driving: where a line through the short trips begins.

    Of planned by road and actual seconds; the line of least absolute errors, found by weighing again and again.
    """
    near = [(trip.planned_s, trip.actual_s, trip.weight) for trip in trips if trip.metres <= _SHORT_M]
    if len(near) < _FEWEST:
        raise ValueError("too few trips to learn from")
    begin, slope = 0.0, 1.0
    for _ in range(40):
        pulls = [weight / max(2.0, abs(actual - begin - slope * planned)) for planned, actual, weight in near]
        whole = sum(pulls)
        x = sum(pull * planned for pull, (planned, _, _) in zip(pulls, near, strict=True)) / whole
        y = sum(pull * actual for pull, (_, actual, _) in zip(pulls, near, strict=True)) / whole
        up = sum(pull * (planned - x) * (actual - y) for pull, (planned, actual, _) in zip(pulls, near, strict=True))
        slope = up / sum(pull * (planned - x) ** 2 for pull, (planned, _, _) in zip(pulls, near, strict=True))
        begin = y - slope * x
    return max(0.0, begin)


def under_way(trip: Trip, start: float) -> Trip:
    """The trip without its start; what is left of a very short one is its last ten seconds."""
    return trip._replace(actual_s=max(10.0, trip.actual_s - start))


def quantiles(values: Weighed, shares: Sequence[float]) -> list[float]:
    """The quantiles of (value, weight) pairs."""
    ranked = sorted(values)
    sums = list(accumulate(weight for _, weight in ranked))
    return [ranked[min(bisect_left(sums, share * sums[-1]), len(ranked) - 1)][0] for share in shares]


def _left_over(trip: Trip, ranges: Ranges) -> float:
    """The logarithm of actual / expected."""
    expected = ranges.ratios(trip.metres, trip.planned_s, None)[1] * ranges.hour(trip.hour, trip.weekend)
    return log(trip.actual_s / trip.planned_s / expected)


def _by_distance(trips: Sequence[Trip], before: Ranges) -> Ranges:
    """New ratios at every knot, of what hours and speeds leave over."""
    rows = []
    for knot in KNOTS_M:
        near = trips[bisect_left(trips, (knot / _WINDOW,)) : bisect_right(trips, (knot * _WINDOW,))]
        if len(near) < _FEWEST:
            continue
        weights = [trip.weight * (1 - abs(log(trip.metres / knot)) / log(_WINDOW)) for trip in near]
        speeds = [trip.metres / trip.planned_s for trip in near]
        usual = quantiles(list(zip(speeds, weights, strict=True)), (0.5,))[0]
        parts = [
            before.hour(trip.hour, trip.weekend) * before.haste(speed / usual) ** before.doubt
            for trip, speed in zip(near, speeds, strict=True)
        ]
        ratios = [trip.actual_s / trip.planned_s / part for trip, part in zip(near, parts, strict=True)]
        rows.append((float(knot), *quantiles(list(zip(ratios, weights, strict=True)), (0.1, 0.5, 0.9)), usual))
    if not rows:
        raise ValueError("too few trips to learn from")
    metres, p10, p50, p90, mps = zip(*rows, strict=True)
    return replace(before, metres=metres, p10=p10, p50=p50, p90=p90, mps=mps)


def _by_hour(trips: Sequence[Trip], ranges: Ranges, weekend: bool) -> tuple[float, ...]:
    """A factor for each full hour: the median of what the rest leaves over within an hour around it."""
    flat = replace(ranges, weekday=(1.0,) * 24, weekend=(1.0,) * 24)
    left = [(trip.hour, _left_over(trip, flat), trip.weight) for trip in trips if trip.weekend == weekend]
    factors = []
    for full in range(24):
        near = [(value, weight * (1 - off)) for hour, value, weight in left if (off := abs((hour - full + 12) % 24 - 12)) < 1]
        factors.append(exp(quantiles(near, (0.5,))[0] * len(near) / (len(near) + _WEAK)) if near else 1.0)
    return tuple(factors)


def _by_speed(trips: Sequence[Trip], ranges: Ranges) -> Ranges:
    """How far faster plans are to be doubted: the slope of what the rest leaves over, over the plan's own speed."""
    plain = replace(ranges, doubt=0.0)
    usual = [_usual(trip.metres, ranges) for trip in trips]
    hastes = [trip.metres / trip.planned_s / speed for trip, speed in zip(trips, usual, strict=True)]
    slowest, fastest = quantiles([(haste, trip.weight) for haste, trip in zip(hastes, trips, strict=True)], (0.005, 0.98))
    if fastest / slowest < _SAME_SPEED:
        return plain
    ranges = replace(ranges, slowest=slowest / _BEYOND, fastest=fastest)
    up = down = 0.0
    for trip, haste in zip(trips, hastes, strict=True):
        x = log(ranges.haste(haste))
        up += trip.weight * x * _left_over(trip, plain)
        down += trip.weight * x * x
    return replace(ranges, doubt=up / down)


def _usual(metres: float, ranges: Ranges) -> float:
    """The usual planned speed at a distance: where a plan's haste is 1."""
    return replace(ranges, p50=ranges.mps, doubt=0.0).ratios(metres, 1.0, None)[1]
