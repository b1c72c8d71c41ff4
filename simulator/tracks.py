"""Tracks: what a phone would have recorded, moved in time and resampled."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.geo import Point, bearing_deg, length_m

STANDING_MPS = 0.5
"""Below this a phone gives no course: the direction would be noise."""

FAR_S = 60.0
"""A fix so long before or after says nothing about the speed of this moment."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One reading of a phone's receiver, in SI units.

    ``at`` is aware UTC; ``acc`` metres (68 %), ``speed`` m/s, ``course`` degrees clockwise from north, ``battery`` 0–1,
    ``ele`` metres. None means the receiver did not say: nothing is guessed.
    """

    at: datetime
    lat: float
    lon: float
    acc: float | None = None
    speed: float | None = None
    course: float | None = None
    battery: float | None = None
    ele: float | None = None

    @property
    def point(self) -> Point:
        return Point(self.lat, self.lon)

    @property
    def at_ms(self) -> int:
        """Fix time in milliseconds since the epoch."""
        return round(self.at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Track:
    """Fixes of one recording, by rising time."""

    name: str
    fixes: tuple[Fix, ...]

    @property
    def duration_s(self) -> float:
        return (self.fixes[-1].at - self.fixes[0].at).total_seconds()

    @property
    def length_m(self) -> float:
        return length_m([fix.point for fix in self.fixes])


class BadTrack(ValueError):
    """The file is not a track that can be replayed; the text says where and why."""


def make_track(name: str, fixes: Iterable[Fix]) -> Track:
    """A track of at least one fix, sorted by time (equal times keep their order)."""
    ordered = tuple(sorted(fixes, key=lambda fix: fix.at))
    if not ordered:
        raise BadTrack(f"{name}: no point with a time and a place in it")
    return Track(name, ordered)


def shifted(track: Track, first_at: datetime) -> Track:
    """The same track as if it began at ``first_at``; the spacing stays."""
    return _moved(track, first_at - track.fixes[0].at)


def as_backlog(track: Track, now: datetime) -> Track:
    """The same track as if it ended now: what a phone has to send after a time without network (R1)."""
    return _moved(track, now - track.fixes[-1].at)


def _moved(track: Track, by: timedelta) -> Track:
    return replace(track, fixes=tuple(replace(fix, at=(fix.at + by).astimezone(UTC)) for fix in track.fixes))


def resampled(track: Track, every_s: float, longest_gap_s: float = 120.0) -> Track:
    """Fixes every ``every_s`` seconds, straight between the recorded ones; in gaps above ``longest_gap_s`` nothing is made up."""
    if every_s <= 0:
        raise ValueError("the interval must be above zero")
    fixes = track.fixes
    out = [fixes[0]]
    due = fixes[0].at + timedelta(seconds=every_s)
    for a, b in itertools.pairwise(fixes):
        if (b.at - a.at).total_seconds() > longest_gap_s:
            out.append(b)
            due = b.at + timedelta(seconds=every_s)
        while due <= b.at:
            out.append(_between(a, b, due))
            due += timedelta(seconds=every_s)
    return replace(track, fixes=tuple(out))


def _between(a: Fix, b: Fix, at: datetime) -> Fix:
    span = (b.at - a.at).total_seconds()
    share = (at - a.at).total_seconds() / span if span else 1.0
    nearest = b if share >= 0.5 else a
    lon_step = (b.lon - a.lon + 540) % 360 - 180
    lon = (a.lon + lon_step * share + 540) % 360 - 180
    return replace(nearest, at=at, lat=a.lat + (b.lat - a.lat) * share, lon=lon)


def with_motion(track: Track) -> Track:
    """Speed and course where the recording has none, from the fixes on both sides: what the receiver would have said.

    A neighbour more than `FAR_S` seconds away says nothing about this moment and is left out if the other one is nearer.
    No course below `STANDING_MPS`.
    """
    fixes = track.fixes
    return replace(track, fixes=tuple(_moving(fixes, i) for i in range(len(fixes))))


def _moving(fixes: Sequence[Fix], i: int) -> Fix:
    here, near = fixes[i], _around(fixes, i)
    seconds = (near[-1].at - near[0].at).total_seconds()
    if here.speed is not None or seconds <= 0:
        return here
    speed = length_m([fix.point for fix in near]) / seconds
    standing = speed < STANDING_MPS or near[0].point == near[-1].point
    course = here.course if here.course is not None or standing else bearing_deg(near[0].point, near[-1].point)
    return replace(here, speed=speed, course=course)


def _around(fixes: Sequence[Fix], i: int) -> Sequence[Fix]:
    """The fix with its neighbours, the far one left out if the other is near."""
    first, last = max(0, i - 1), min(len(fixes) - 1, i + 1)
    before, after = ((fixes[i].at - fixes[first].at).total_seconds(), (fixes[last].at - fixes[i].at).total_seconds())
    if before > FAR_S and 0 < after <= FAR_S:
        first = i
    elif after > FAR_S and 0 < before <= FAR_S:
        last = i
    return fixes[first : last + 1]


def as_geojson(track: Track) -> dict[str, Any]:
    """The track as a GeoJSON collection of points that `readers` reads back."""
    return {"type": "FeatureCollection", "name": track.name, "features": [_feature(fix) for fix in track.fixes]}


def _feature(fix: Fix) -> dict[str, Any]:
    said = {"acc": fix.acc, "speed": fix.speed, "course": fix.course, "battery": fix.battery, "ele_m": fix.ele}
    properties = {"time": fix.at.isoformat(), **{key: value for key, value in said.items() if value is not None}}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [fix.lon, fix.lat]}}
