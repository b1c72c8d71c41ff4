"""Being at the door as a phone's fixes tell it: arriving (T5), and gone again, so that a leg is over (P1)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tracker.domain.geo import Point, distance_m

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


SLOW_MPS = 2.0
"""Faster than somebody who walks or looks for a parking place: still driving."""

WHILE = timedelta(seconds=30)
"""So long inside the arrival radius and slow is arriving; a light beside the house is mostly shorter, and is taken back."""


@dataclass(frozen=True, slots=True)
class Near:
    """What is known of one approach (T5). ``arriving``: noticed, and not driven on since; ``slow_since``: since when."""

    fix: tuple[Point, datetime] | None = None
    slow_since: datetime | None = None
    arriving: bool = False

    def stays(self, contact_at: datetime) -> bool:
        """True once it has lasted so long that the step may be taken for the technician."""
        return self.arriving and self.slow_since is not None and contact_at - self.slow_since >= DWELL


def drawing_near(
    near: Near, fix: tuple[Point, datetime], contact_at: datetime, place: Point, radius_m: float, speed_mps: float | None
) -> Near:
    """The newest fix of a leg, also if it is the same as before and only the phone was heard again at ``contact_at``.

    Phones that send a fix only when they move are slow for as long as they speak and have not moved.
    """
    away = distance_m(fix[0], place)
    if away > LEAVES * radius_m:
        return Near(fix)
    slow = _slow(near, fix, contact_at, speed_mps)
    if slow is False:
        return replace(near, fix=fix, slow_since=None)
    if slow is None or (near.slow_since is None and away > radius_m):
        return replace(near, fix=fix)
    since = near.slow_since or _began(near.fix, fix, place, radius_m, speed_mps)
    return Near(fix, since, near.arriving or max(fix[1], contact_at) - since >= WHILE)


def _slow(near: Near, fix: tuple[Point, datetime], contact_at: datetime, speed_mps: float | None) -> bool | None:
    """Whether it is slow now; None: this fix does not say."""
    if fix == near.fix:
        return True if near.slow_since or contact_at - fix[1] >= WHILE else None
    if speed_mps is not None:
        return speed_mps <= SLOW_MPS
    if near.fix is None or fix[1] <= near.fix[1]:
        return None
    return distance_m(near.fix[0], fix[0]) <= SLOW_MPS * (fix[1] - near.fix[1]).total_seconds()


def _began(
    before: tuple[Point, datetime] | None, fix: tuple[Point, datetime], place: Point, radius_m: float, speed_mps: float | None
) -> datetime:
    """Since when it is slow here: a speed that is made of two fixes holds for the time between them."""
    between = speed_mps is None and before is not None and distance_m(before[0], place) <= radius_m
    return before[1] if between and before else fix[1]
