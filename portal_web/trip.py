"""The facts of a visit under way, as this viewer may know them, and what follows from them: level, range, distance in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal_web import freshness
from portal_web.freshness import Level
from portal_web.times import ceil_minute, floor_minute

REASONS = {
    "connection": "**{name}’s phone has a weak connection.**",
    "battery": "**{name}’s phone is low on battery.**",
    "location": "**{name}’s phone has not allowed location.**",
}
"""Why a position is old, said only when the phone reported it, never in the technician's own words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The shown position, without its place: when it was taken, when the phone was last heard, accuracy (m), interval (s)."""

    fix_at: datetime
    contact_at: datetime
    acc: float | None
    interval_s: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """The estimated arrival: a range that holds, and what it rests on (``road``, ``distance``, ``booked``)."""

    low: datetime
    high: datetime
    basis: str


@dataclass(frozen=True, slots=True)
class Trip:
    """The facts of a visit under way, as far as this viewer may know them; ``for_staff`` chooses whom the words speak to."""

    name: str
    zone: str
    booked: datetime
    planned: datetime
    paused_since: datetime | None = None
    seen: Seen | None = None
    eta: Arrival | None = None
    street: str | None = None
    distance_m: float | None = None
    reason: str | None = None
    closed: bool = False
    for_staff: bool = False
    arriving: bool = False
    tracked: bool = True  # False: the company shows no live map


def level_of(trip: Trip, now: datetime) -> Level:
    """Paused and hidden are facts of the visit; everything else is age."""
    if not trip.tracked:
        return Level.HIDDEN
    if trip.paused_since:
        return Level.PAUSED
    if trip.seen is None:
        return Level.HIDDEN
    return freshness.level(trip.seen.fix_at, trip.seen.contact_at, trip.seen.interval_s, now)


def range_of(trip: Trip, now: datetime) -> tuple[datetime, datetime] | None:
    """The range in whole minutes, outward; it widens by the time for which nothing was heard (the van may have stood still).

    None where the page gives one time only: no estimate, or a position so old that a range would be invented.
    """
    if trip.eta is None or level_of(trip, now) is Level.LOST:
        return None
    doubt = timedelta()
    if trip.seen:
        silence = now - last_seen(trip)
        doubt = max(timedelta(), silence - timedelta(seconds=freshness.limits(trip.seen.interval_s).live_s))
    soonest = floor_minute(now) + timedelta(minutes=1)
    return floor_minute(trip.eta.low), max(ceil_minute(trip.eta.high + doubt), soonest)


def expected_by(trip: Trip, now: datetime) -> datetime | None:
    """One time, five-minute steps: the late end of the last estimate, for a lost position plus the silence that made it so.

    For a lost position it stays where it is (the page says whom to call then); else it is None once it has passed.
    """
    late = trip.eta.high if trip.eta else trip.planned
    if level_of(trip, now) is Level.LOST and trip.seen:
        return ceil_minute(late + timedelta(seconds=freshness.limits(trip.seen.interval_s).stale_s), 5)
    by = ceil_minute(late, 5)
    return by if by > now else None


def last_seen(trip: Trip) -> datetime:
    """When the van was last known to be where it is shown: at the fix, or at a later contact that brought no movement."""
    if trip.seen is None:
        raise ValueError("this trip has no position")
    return max(trip.seen.fix_at, trip.seen.contact_at)


def distance_words(metres: float) -> str:
    """``less than 50 m``, ``about 650 m``, ``about 1.2 km``, ``about 14 km``: as exact as the sentence claims, never more."""
    if metres < 50:
        return "less than 50 m"
    return f"about {_length_words(metres)}"


def _length_words(metres: float) -> str:
    if metres < 950:
        return f"{int(metres / 50 + 0.5) * 50} m"
    tenths = int(metres / 100 + 0.5)
    if tenths < 100:
        return f"{tenths // 10}.{tenths % 10} km" if tenths % 10 else f"{tenths // 10} km"
    return f"{int(metres / 1000 + 0.5)} km"
