"""Who may see a technician, when, and from where on: the rules P1 and P2 as pure functions."""

import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from tracker.domain.appointments import STAFF, Role, State
from tracker.domain.geo import Point, distance_m, moved

SHARED_WITHIN_M = 150.0
"""Places this near to an anchor share its zone (P2)."""

DISPLACED_M = (250.0, 300.0)
"""How far a zone's centre lies from its anchor. P2 allows 200–300; the upper half is used so that a place that is up to
50 m beside its anchor (two geocodes of one house) still lies at least 200 m from the centre that an attacker can fit."""

RADIUS_M = DISPLACED_M[1] + SHARED_WITHIN_M + 300.0
"""The zone's radius, the same for all. A radius made from the displacement would tell it; this one is at least the
displacement + 300 m for the anchor and for every place that shares it, so each is ≥ 300 m inside the edge."""


# -- P2: the origin cloak ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cloak:
    """A disc (centre, radius in metres) inside which nothing of a leg is shown. Radius 0 hides nothing."""

    center: Point
    radius_m: float


NO_CLOAK = Cloak(Point(0.0, 0.0), 0.0)
EVERYWHERE = Cloak(Point(0.0, 0.0), 30_000_000.0)
"""Hides every place on Earth: where the company shows its customers no live map (the setting `technician_tracking`)."""


def anchor_for(place: Point, anchors: Iterable[Point]) -> Point | None:
    """The anchor whose zone a place shares: the first of ``anchors`` (oldest first) within 150 m; None: it becomes one.

    "Within 150 m" is not transitive and any grid splits neighbours, so sharing needs memory: the places first seen,
    kept for good (`records/anchors`). It must be the *oldest* within reach, not the nearest: an anchor that is added
    later can then never move a known place into another zone, and the zone stays the same on every trip.
    """
    return next((anchor for anchor in anchors if distance_m(place, anchor) <= SHARED_WITHIN_M), None)


def cloak_zone(place: Point, secret: bytes) -> Cloak:
    """The zone round the place where a leg begins: the same on every trip from there (P2).

    ``place`` is the anchor (see `anchor_for`). The centre is displaced by 250–300 m in a direction; both come from
    HMAC-SHA256(secret, place to six decimals), so nobody without the installation's secret can compute them, and
    nothing about them changes from trip to trip: the first visible points of any number of trips from one place to one
    destination agree on one edge, whose fitted centre is ≥ 200 m off. (A margin drawn anew per trip averages out to
    the origin itself within 10 m after 100 trips.)

    What no zone of this kind hides: *which way* trips leave. Somebody who sees many trips from one origin to places all
    around (staff do, a customer does not) learns from the unevenness of the exits on which side of the centre the
    origin lies; the larger the radius, the less. `tests/domain/test_visibility.py` prints what that attack reaches.
    """
    digest = hmac.new(secret, f"origin-cloak:{place.lat:.6f},{place.lon:.6f}".encode(), sha256).digest()
    turn, reach = (int.from_bytes(digest[i : i + 8]) / 2**64 for i in (0, 8))
    low, high = DISPLACED_M
    return Cloak(moved(place, 360.0 * turn, low + (high - low) * reach), RADIUS_M)


def inside(cloak: Cloak | None, point: Point) -> bool:
    """True if the point must not be shown. Without state: coming back into the zone hides again, a restart forgets nothing."""
    return cloak is not None and cloak.radius_m > 0 and distance_m(cloak.center, point) <= cloak.radius_m


@dataclass(frozen=True, slots=True)
class CoarseEta:
    """When the technician is expected, told while cloaked; same shape as an ETA from the road, basis ``booked``."""

    at: datetime
    low: datetime
    high: datetime
    basis: str = "booked"


EARLY, LATE = timedelta(minutes=15), timedelta(minutes=30)


def coarse_eta(arrival_at: datetime, departed: datetime) -> CoarseEta:
    """The promised arrival, −15 to +30 minutes; if the trip begins too late for that, the half hour after its beginning.

    Made from the promise and the moment of departure, both of which the customer is told anyway, and from nothing else:
    anything derived from the way (planned travel, road distance) would, with the destination known, draw a ring round the
    origin. The clock has no part in it, so every look of one trip says the same; a range that has passed is told as passed.
    All of it is rounded to five minutes.
    """
    soonest = _rounded_up(departed)
    at = max(_rounded_up(arrival_at), soonest + timedelta(minutes=10))
    low = max(at - EARLY, soonest)
    return CoarseEta(at, low, at + (LATE if at > soonest + timedelta(minutes=10) else timedelta(minutes=20)))


class Ending(Protocol):
    """What the rule of the told end needs to know about an appointment."""

    @property
    def state(self) -> State: ...
    @property
    def arrival_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def duration_min(self) -> int: ...
    @property
    def traveling_at(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...


def told_end(visit: Ending) -> datetime:
    """When a visit ends, as viewers may know it.

    From departure until work begins the stored end is departure + planned travel + work: taken apart it would say to the
    second how far away the trip began (P2). What is told instead is made as `coarse_eta` is.
    """
    if visit.traveling_at is None or visit.started_at is not None or visit.state not in (State.TRAVELING, State.CANCELED):
        return visit.ends_at
    return coarse_eta(visit.arrival_at, visit.traveling_at).at + timedelta(minutes=visit.duration_min)


def _rounded_up(moment: datetime) -> datetime:
    five = timedelta(minutes=5)
    return moment + (datetime.min.replace(tzinfo=moment.tzinfo) - moment) % five


# -- P1: while the leg lasts -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leg:
    """What SQL says about the leg of an appointment at this moment (None leg id: there is none)."""

    state: State
    technician: str | None
    leg: str | None
    started_at: datetime | None
    hides_at: datetime | None
    ended_at: datetime | None
    arriving_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """What Redis holds for viewers of a visit: on whose leg, how old, where."""

    leg: str | None
    fix_at: datetime
    point: Point


def under_way(leg: Leg, now: datetime) -> bool:
    """True while a position of this leg may be shown at all: traveling, assigned, begun, neither ended nor hidden by itself."""
    return (
        leg.state is State.TRAVELING
        and None not in (leg.technician, leg.leg, leg.started_at)
        and leg.ended_at is None
        and (leg.hides_at is None or now < leg.hides_at)
    )


def may_show(leg: Leg, fix: Fix, cloak: Cloak | None, now: datetime) -> bool:
    """True if a fix may leave the server for viewers of the appointment (P1 and P2); everything else is refused."""
    return (
        under_way(leg, now)
        and fix.leg == leg.leg
        and leg.started_at is not None
        and fix.fix_at > leg.started_at
        and not inside(cloak, fix.point)
    )


# -- who may watch -----------------------------------------------------------------------------------------------------


class Watcher(Protocol):
    """What the rules need to know about who is asking."""

    @property
    def role(self) -> Role: ...
    @property
    def accounts(self) -> Collection[str]:
        """Accounts this person is a contact of."""
        ...

    @property
    def technician(self) -> str | None: ...
    @property
    def appointment(self) -> str | None:
        """The one appointment a link was made for."""
        ...


class Watched(Protocol):
    """What the rules need to know about an appointment."""

    @property
    def id(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def technician_id(self) -> str | None: ...


def may_watch(who: Watcher, appointment: Watched) -> bool:
    """True for a contact of its account, its assigned technician, staff, and the holder of a link to exactly this one.

    Deny by default: a role that is not named here sees nothing, whatever else it carries.
    """
    match who.role:
        case role if role in STAFF:
            return True
        case Role.CUSTOMER:
            return appointment.account_id in who.accounts
        case Role.TECHNICIAN:
            return who.technician is not None and who.technician == appointment.technician_id
        case Role.LINK_HOLDER:
            return who.appointment is not None and who.appointment == appointment.id
        case _:
            return False


def may_watch_board(who: Watcher) -> bool:
    """True for staff only."""
    return who.role in STAFF
