"""When a leg is over although nobody said so: the technician was at the door for a while and left again (P1)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

DWELL = timedelta(minutes=2)
"""So long inside the arrival radius is being there; driving past or waiting at a light is shorter."""

LEAVES = 1.5
"""Left means this many radii away: noise at the edge neither comes nor goes."""


@dataclass(frozen=True, slots=True)
class Dwell:
    """What is known of one leg: since when inside (None: outside), whether the technician was there, whether gone again."""

    inside_since: datetime | None = None
    been_there: bool = False
    left: bool = False


def seen_at(dwell: Dwell, at: datetime, distance_m: float, radius_m: float) -> Dwell:
    """The next fix of the leg, ``distance_m`` from the address. Fixes come in order of time."""
    if distance_m <= radius_m:
        since = dwell.inside_since or at
        return replace(dwell, inside_since=since, been_there=dwell.been_there or at - since >= DWELL)
    if distance_m > LEAVES * radius_m:
        return replace(dwell, inside_since=None, left=dwell.left or dwell.been_there)
    return dwell
