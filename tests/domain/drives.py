"""Made-up drives of a van through a town, with the errors of a phone's receiver; and the spikes that spoil them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import cos, exp, hypot, log, radians, sin, sqrt
from random import Random

import msgspec

from tracker.domain.geo import Point, moved
from tracker.domain.pings import Ping

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
STEP_S = 0.5
SPIKE_M = (50.0, 4_300_000.0)


def drive(rnd: Random, seconds: float, interval_s: float, *, says_speed: bool = True) -> list[Ping]:
    """Pings of one drive: streets, turns, traffic lights, now and then a fast road; slowly wandering errors.

    ``says_speed`` False is a phone that sends neither speed nor course.
    """
    origin = Point(rnd.uniform(-60, 65), rnd.uniform(-179, 179))
    metres_per_deg = 111_195.0
    sigma = rnd.uniform(1.5, 6.0)  # per axis; a phone's accuracy is the 68 % radius, 1.5 σ
    pings: list[Ping] = []
    wander = [rnd.gauss(0, sigma), rnd.gauss(0, sigma)]
    keep = exp(-interval_s / 40)
    due = 0.0
    for t, east, north, speed, heading in _van(rnd, seconds):
        if t < due:
            continue
        due += interval_s
        wander = [w * keep + rnd.gauss(0, sigma) * sqrt(1 - keep * keep) for w in wander]
        x, y = (true + w + rnd.gauss(0, 0.7) for true, w in zip((east, north), wander, strict=True))
        lat = origin.lat + y / metres_per_deg
        lon = (origin.lon + x / metres_per_deg / cos(radians(origin.lat)) + 540) % 360 - 180
        said = max(0.0, speed + rnd.gauss(0, 0.3)) if says_speed else None
        pings.append(
            Ping(
                at=START + timedelta(seconds=t),
                lat=lat,
                lon=lon,
                acc=1.5 * sigma * rnd.uniform(0.8, 1.3),
                speed=said,
                course=(heading + rnd.gauss(0, 4)) % 360 if said is not None and said > 0.5 else None,
            )
        )
    return pings


def spiked(rnd: Random, pings: list[Ping], share: float = 0.01) -> Iterator[tuple[Ping, float]]:
    """The same pings with some places thrown 50 m – 4,300 km off (every size as likely as its half), and by how much."""
    for ping in pings:
        if rnd.random() >= share:
            yield ping, 0.0
            continue
        metres = exp(rnd.uniform(*map(log, SPIKE_M)))
        place = moved(ping.point, rnd.uniform(0, 360), metres)
        yield msgspec.structs.replace(ping, lat=place.lat, lon=place.lon), metres


def _van(rnd: Random, seconds: float) -> Iterator[tuple[float, float, float, float, float]]:
    """(t, east, north, speed, heading) every half second: speeding up by 2.5, braking by 3.5, turning on 12 m."""
    t = east = north = speed = 0.0
    heading = rnd.uniform(0, 360)
    street, limit, turn, light = _street(rnd)
    while t < seconds:
        yield t, east, north, speed, heading
        corner = 6.0 if turn else limit
        end = 0.0 if light else corner
        wanted = limit if street > (speed * speed - end * end) / (2 * 3.0) + speed * STEP_S else end
        speed = min(wanted, speed + 2.5 * STEP_S) if wanted >= speed else max(wanted, speed - 3.5 * STEP_S)
        if street <= 0 and light <= 0 and turn:
            bend = max(-28.0 * STEP_S, min(28.0 * STEP_S, turn))
            heading, turn = (heading + bend) % 360, turn - bend
        east += speed * STEP_S * sin(radians(heading))
        north += speed * STEP_S * cos(radians(heading))
        street -= max(speed * STEP_S, 0.0)
        t += STEP_S
        if speed < 0.1 and light > 0:
            light -= STEP_S
            street = min(street, 0.0)
        if street <= 0 and light <= 0 and abs(turn) < 1:
            street, limit, turn, light = _street(rnd)


def _street(rnd: Random) -> tuple[float, float, float, float]:
    """(length, speed limit, turn at its end in degrees, seconds at its light)."""
    if rnd.random() < 0.05:
        return rnd.uniform(1000, 4000), rnd.uniform(25, 36), 0.0, 0.0
    limit = rnd.choice([8.3, 13.9, 13.9, 13.9, 19.4])
    turn = rnd.choice([0, 0, 90, -90, 45, -45, rnd.uniform(-120, 120)])
    return rnd.uniform(60, 500), limit, float(turn), rnd.uniform(3, 45) if rnd.random() < 0.25 else 0.0


def distance_of(pings: list[Ping]) -> float:
    """How far the drive goes, metres (for checking that it is a drive)."""
    return sum(
        hypot((b.lat - a.lat) * 111_195, ((b.lon - a.lon + 540) % 360 - 180) * 111_195 * cos(radians(a.lat)))
        for a, b in pairwise(pings)
    )
