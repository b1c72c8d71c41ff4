"""How full streets usually are, and what a router's plan is worth: as the real trips behind the arrival ranges showed."""

import itertools
import math
import random
from datetime import datetime
from zoneinfo import ZoneInfo

import tzfpy

from simulator.driving import Drive, Way
from tracker.domain.eta_ranges import learned
from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import Basis

BELIEVED = 0.8
"""How much of a plan's slowness (or speed) against the usual plan of such a length is the plan's own mistake: all would be 1.

The rest is in the lights: see `waits`."""
WAITS = 1.5
"""A slow plan has waiting in it already: the lights that come on top of it grow with its pace to this power. Speed and lights
together make drives of slow plans and of fast ones take what real trips of such plans took (docs/simulator.md)."""


def fullness(place: Point, now: datetime) -> float:
    """The usual time of a drive at this hour of the place's own clock, 1 as on average: 0.8 in the night, 1.18 at six o'clock."""
    local = now.astimezone(ZoneInfo(tzfpy.get_tz(place.lon, place.lat)))
    return learned().bases[Basis.ROAD].hour(local.hour + local.minute / 60, local.weekday() >= 5)


def free_speed(way: Way) -> float:
    """What people drive on an empty road, as a multiple of the plan's speed: more where the plan is slow for its length."""
    return math.exp(-BELIEVED * math.log(_pace(way)))


def waits(way: Way) -> float:
    """How often one stands at lights along a way beyond what its plan counts, 1 as on a plan of the usual speed."""
    return math.exp(WAITS * math.log(_pace(way)))


def drive(way: Way, rng: random.Random, now: datetime, *, haste: float = 1.0) -> Drive:
    """A drive along a planned way at this hour; ``haste``: the driver's speed on a free road over what people usually drive."""
    return Drive(way, rng, haste=haste * free_speed(way), full=fullness(way.line[-1], now), waits=waits(way))


def _pace(way: Way) -> float:
    """The plan's speed as a share of the usual one of such a length."""
    metres = sum(distance_m(a, b) for a, b in itertools.pairwise(way.line))
    return learned().bases[Basis.ROAD].pace(metres, way.times_s[-1])


def usual_s(way: Way, full: float) -> float:
    """Seconds that a drive along the way takes as often more as less, from getting in to the door."""
    metres = sum(distance_m(a, b) for a, b in itertools.pairwise(way.line))
    table = learned()
    return way.times_s[-1] * table.bases[Basis.ROAD].ratios(metres, way.times_s[-1], None)[1] * full + table.start_s
