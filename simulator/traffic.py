"""How full streets usually are, and what a router's plan is worth: as the real trips behind the arrival ranges showed."""

import itertools
import math
from datetime import datetime
from zoneinfo import ZoneInfo

import tzfpy

from simulator.driving import Way
from tracker.domain.eta_ranges import learned
from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import Basis

BELIEVED = 0.8
"""How much of a plan's slowness (or speed) against the usual plan of such a length is the plan's own mistake: all would be 1.

With it simulated drives keep, in slow Helsinki as in quick San Francisco, the bias that real trips had (docs/simulator.md)."""


def fullness(place: Point, now: datetime) -> float:
    """The usual time of a drive at this hour of the place's own clock, 1 as on average: 0.8 in the night, 1.18 at six o'clock."""
    local = now.astimezone(ZoneInfo(tzfpy.get_tz(place.lon, place.lat)))
    return learned().bases[Basis.ROAD].hour(local.hour + local.minute / 60, local.weekday() >= 5)


def free_speed(way: Way) -> float:
    """What people drive on an empty road, as a multiple of the plan's speed: more where the plan is slow for its length."""
    metres = sum(distance_m(a, b) for a, b in itertools.pairwise(way.line))
    pace = learned().bases[Basis.ROAD].pace(metres, way.times_s[-1])
    return math.exp(-BELIEVED * math.log(pace))


def usual_s(way: Way, full: float) -> float:
    """Seconds that a drive along the way takes as often more as less, from getting in to the door."""
    metres = sum(distance_m(a, b) for a, b in itertools.pairwise(way.line))
    table = learned()
    return way.times_s[-1] * table.bases[Basis.ROAD].ratios(metres, way.times_s[-1], None)[1] * full + table.start_s
