"""When the technician arrives: from the place on the route, the fix's age and how such estimates turned out before."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import Basis, Progress, StoredRoute, ahead, progress, tolerance_m

__all__ = ["Basis", "Deviation", "Eta", "Progress", "Spread", "StoredRoute", "ahead", "estimate", "off_route", "progress"]

type Spread = Callable[[float, float, str, datetime, float], tuple[float, float, float] | None]
"""(remaining metres, remaining seconds as planned, basis, now, standing) → the p10, p50 and p90 of actual / planned seconds
of real trips, or None if not known. ``standing``: 1 before the trip is under way, 0 then. See `domain.eta_ranges`."""

_SET_OFF_M = 200.0
"""After so many metres a trip is under way: what its start took is over."""

_HOLD = timedelta(seconds=10)
"""A new estimate nearer than this to the shown one changes nothing: it would only flap."""


class Eta(msgspec.Struct, frozen=True):
    """The expected arrival; it lies between low and high in 80 % of cases (E3). None: too little is known for a range."""

    at: datetime
    low: datetime | None
    high: datetime | None
    basis: Basis


def estimate(
    where: Progress,
    fix_at: datetime,
    now: datetime,
    *,
    spread: Spread | None = None,
    shown: Eta | None = None,
    under_way: bool = False,
) -> Eta:
    """The arrival as seen from a fix.

    The range is the learned one of ``spread``, stretched at its late end by the fix's age: what is not known is whether
    the vehicle has stood still since. Nothing lies in the past. ``shown`` is the estimate told before: kept while the new
    one says the same within ten seconds. ``under_way``: the trip did not begin where this route does (a later routing).
    """
    standing = 0.0 if under_way else max(0.0, 1 - where.reached_m / _SET_OFF_M)
    ratios = spread(where.remaining_m, where.remaining_s, where.basis, now, standing) if spread else None
    early, middle, late = ratios or (1.0, 1.0, 1.0)
    left, age = where.remaining_s, max(timedelta(0), now - fix_at)
    at = _not_before(now, fix_at + timedelta(seconds=left * middle))
    if not ratios:
        return _steady(Eta(at, None, None, where.basis), shown, now)
    low = _not_before(now, fix_at + timedelta(seconds=left * early))
    high = fix_at + timedelta(seconds=left * late) + age
    return _steady(Eta(at, low, max(at, high), where.basis), shown, now)


_BY_PLAN_S = 2.0


def still_true(shown: Eta, before: Progress, told_at: datetime, where: Progress, fix_at: datetime, now: datetime) -> bool:
    """True if `estimate` would hardly say anything else than it did, so that it need not be asked.

    The drive has gone by its plan (within two seconds) since the estimate ``shown`` was made at ``before``, of the fix at
    ``told_at``, that is less than ten seconds ago, and every moment shown still lies ahead.
    """
    passed = fix_at - told_at
    late_s = passed.total_seconds() - (before.remaining_s - where.remaining_s)
    ahead = now < shown.at and (shown.low is None or now < shown.low)
    return ahead and passed < _HOLD and -_BY_PLAN_S < late_s < _BY_PLAN_S and where.basis is before.basis


def _not_before(now: datetime, moment: datetime) -> datetime:
    return max(now, moment).replace(microsecond=0) + timedelta(seconds=1)


def _steady(new: Eta, shown: Eta | None, now: datetime) -> Eta:
    """Each of the three moments as shown before, if the new one says the same and the shown one still lies ahead."""
    if shown is None or shown.basis is not new.basis:
        return new
    at = _held(new.at, shown.at, now)
    if new.low is None or new.high is None:
        return Eta(at, None, None, new.basis)
    low, high = _held(new.low, shown.low, now), _held(new.high, shown.high, now)
    return Eta(at, min(low, at), max(high, at), new.basis)


def _held(new: datetime, shown: datetime | None, now: datetime) -> datetime:
    return shown if shown and shown >= now and abs(new - shown) <= _HOLD else new


# -- leaving the route -------------------------------------------------------------------------------------------------

_NEAR_DEST_M = 150.0
"""So near to the destination one looks for a place to park: no new route would help."""
_TURNED_BACK_M = 120.0
_ASIDE_M, _UNKNOWN_ACC_M = 15.0, 30.0
_ROADS_AGAIN = timedelta(seconds=60)
"""A route by distance stands in for a router that did not answer: so often it is asked again."""
_MOVED_M = 60.0
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(seconds=120)


class Deviation(msgspec.Struct, frozen=True):
    """What is remembered between fixes about a vehicle leaving its route; begins empty, one per leg."""

    off_fixes: int = 0
    asked_at: datetime | None = None
    asked_from: Point | None = None
    wait: timedelta = _FIRST_WAIT


def off_route(
    route: StoredRoute, where: Progress, acc: float | None, fix_at: datetime, before: Deviation
) -> tuple[Deviation, bool]:
    """The memory after this fix, and True if a new route should be asked for now (E2).

    Off is beyond max(40 m, 2.5 × accuracy), or less but going another way than the line, or clearly back along the way come,
    for two fixes running; back on is two thirds of that. While still off after a new route (a car park, a road the map does
    not know), it is asked for again only after some way and a growing wait.
    A route by distance has no line to leave: there each minute the roads are asked for again.
    """
    if where.basis is not Basis.ROAD:
        return _without_roads(fix_at, before)
    limit = tolerance_m(acc)
    on_it = where.off_m <= limit * 2 / 3 and not where.against
    if on_it and before.off_fixes == 0 and before.asked_at is None and where.reached_m - where.along_m <= _TURNED_BACK_M:
        return before, False  # nearly always
    if distance_m(where.point, route.dest) <= _NEAR_DEST_M:
        return _on_again(before), False
    if where.off_m > limit or _goes_elsewhere(where, acc):
        return _off(replace(before, off_fixes=before.off_fixes + 1), where.point, fix_at)
    if on_it:
        rested = before.asked_at is not None and fix_at - before.asked_at > _LONGEST_WAIT
        return (Deviation() if rested else _on_again(before)), False
    return before, False


def _goes_elsewhere(where: Progress, acc: float | None) -> bool:
    """In another street, going another way; or back along the one come."""
    back_m = where.reached_m - where.along_m
    aside = where.off_m > max(_ASIDE_M, acc or _UNKNOWN_ACC_M)
    return back_m > _TURNED_BACK_M or (where.against and (aside or back_m > _ASIDE_M))


def _on_again(memory: Deviation) -> Deviation:
    return replace(memory, off_fixes=0) if memory.off_fixes else memory


def _without_roads(fix_at: datetime, memory: Deviation) -> tuple[Deviation, bool]:
    if memory.asked_at is None:
        return Deviation(asked_at=fix_at), False
    ask = fix_at - memory.asked_at >= _ROADS_AGAIN
    return (Deviation(asked_at=fix_at) if ask else memory), ask


def _off(memory: Deviation, point: Point, fix_at: datetime) -> tuple[Deviation, bool]:
    if memory.off_fixes < 2:
        return memory, False
    if memory.asked_at is None or memory.asked_from is None:
        return Deviation(0, fix_at, point), True
    if fix_at - memory.asked_at < memory.wait or distance_m(memory.asked_from, point) < _MOVED_M:
        return memory, False
    return Deviation(0, fix_at, point, min(memory.wait * 2, _LONGEST_WAIT)), True
