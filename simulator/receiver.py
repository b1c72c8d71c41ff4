"""A phone's satellite receiver: the true place with an error that wanders, an accuracy that says so, a battery that empties."""

import random
from datetime import datetime, timedelta
from math import atan2, degrees, exp, hypot, sqrt

from simulator.driving import Drive, Moment
from simulator.tracks import STANDING_MPS, Fix, Track, make_track
from tracker.domain.geo import moved


class Receiver:
    """Errors of neighbouring readings are alike (first-order Gauss–Markov), as streets and sky change slowly."""

    def __init__(self, rng: random.Random, *, sigma_m: float = 3.5, memory_s: float = 40.0) -> None:
        """``sigma_m``: standard deviation of the error in each direction; ``memory_s``: the time in which it fades to 37 %."""
        self._rng, self._sigma_m, self._memory_s = rng, sigma_m, memory_s
        self._east, self._north = rng.gauss(0, sigma_m), rng.gauss(0, sigma_m)
        self._battery = rng.uniform(0.55, 1.0)
        self._last: datetime | None = None

    def read(self, at: datetime, truth: Moment) -> Fix:
        """The fix the phone gets at this moment. No course below `STANDING_MPS`."""
        self._wander(0.0 if self._last is None else max(0.0, (at - self._last).total_seconds()))
        self._last = at
        off = hypot(self._east, self._north)
        seen = moved(truth.point, direction_deg(self._east, self._north), off) if off > 0.01 else truth.point
        speed = max(0.0, truth.speed + self._rng.gauss(0, 0.25)) if truth.speed > 0 else abs(self._rng.gauss(0, 0.08))
        course = (truth.course + self._rng.gauss(0, 4)) % 360 if speed >= STANDING_MPS else None
        acc = max(3.0, 1.5 * self._sigma_m * self._rng.lognormvariate(0, 0.25))
        rounded = None if course is None else round(course, 1)
        return Fix(at, round(seen.lat, 7), round(seen.lon, 7), round(acc, 1), round(speed, 2), rounded, round(self._battery, 2))

    def _wander(self, seconds: float) -> None:
        kept = exp(-seconds / self._memory_s)
        fresh = self._sigma_m * sqrt(1 - kept * kept)
        self._east = self._east * kept + self._rng.gauss(0, 1) * fresh
        self._north = self._north * kept + self._rng.gauss(0, 1) * fresh
        self._battery = max(0.05, self._battery - seconds / 40_000)


def direction_deg(east: float, north: float) -> float:
    """Direction of a small step on the plane, degrees clockwise from north."""
    return degrees(atan2(east, north)) % 360


def recorded(drive: Drive, receiver: Receiver, start: datetime, every_s: float = 1.0) -> Track:
    """The whole drive as this receiver would record it, a fix every ``every_s`` seconds."""
    moments = [i * every_s for i in range(int(drive.duration_s / every_s) + 1)] + [drive.duration_s]
    return make_track("planned", [receiver.read(start + timedelta(seconds=s), drive.at(s)) for s in moments])
