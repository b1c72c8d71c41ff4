"""The cloak cannot be averaged away, the leg's rules refuse by default, and only the right people watch."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import cos, hypot, radians, sin, sqrt, tau
from statistics import fmean, median, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.appointments import Role, State
from tracker.domain.crow import travel_s
from tracker.domain.geo import Point, distance_m, flat_m, moved
from tracker.domain.visibility import (
    RADIUS_M,
    Cloak,
    Fix,
    Leg,
    anchor_for,
    cloak_zone,
    coarse_eta,
    inside,
    may_show,
    may_watch,
    may_watch_board,
    under_way,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = b"an installation's own"
places = st.builds(Point, st.floats(-66, 70), st.floats(-179, 179))
bearings = st.floats(0, 360, exclude_max=True)


# -- the zone ----------------------------------------------------------------------------------------------------------


@given(places)
def test_the_zone_is_the_same_on_every_trip_and_hides_its_place(place: Point) -> None:
    zone = cloak_zone(place, SECRET)
    assert zone == cloak_zone(place, SECRET)
    displaced = distance_m(place, zone.center)
    assert 200 <= displaced <= 300.001
    assert zone.radius_m >= displaced + 300
    assert inside(zone, place)


@given(places, bearings, st.floats(0, 149.9))
def test_a_neighbour_shares_the_zone_and_is_300_m_inside_it(anchor: Point, bearing: float, metres: float) -> None:
    place = moved(anchor, bearing, metres)
    shared = anchor_for(place, [moved(anchor, 90, 5000), anchor])
    assert shared == anchor
    zone = cloak_zone(shared, SECRET)
    assert zone.radius_m - distance_m(place, zone.center) >= 299.9
    if metres <= 49:
        assert distance_m(place, zone.center) >= 200


def test_another_secret_gives_another_direction() -> None:
    place = Point(60.17, 24.94)
    assert distance_m(cloak_zone(place, b"one").center, cloak_zone(place, b"two").center) > 1


def test_directions_are_spread_all_around() -> None:
    place = Point(60.17, 24.94)
    east, north = zip(*(flat_m(place, cloak_zone(place, bytes([n])).center) for n in range(256)), strict=True)
    assert abs(fmean(east)) < 50
    assert abs(fmean(north)) < 50


@given(st.lists(st.tuples(st.floats(-600, 600), st.floats(-600, 600)), max_size=30))
def test_a_new_anchor_never_moves_a_known_place_to_another_zone(offsets: list[tuple[float, float]]) -> None:
    base = Point(60.17, 24.94)
    anchors: list[Point] = []
    shared: dict[Point, Point] = {}
    for east, north in offsets:
        place = Point(base.lat + north / 111_195, base.lon + east / (111_195 * cos(radians(base.lat))))
        anchor = anchor_for(place, anchors)
        if anchor is None:
            anchors.append(anchor := place)
        shared.setdefault(place, anchor)
        assert all(anchor_for(known, anchors) == first for known, first in shared.items())


def test_no_cloak_hides_nothing() -> None:
    assert not inside(None, Point(0, 0))
    assert not inside(Cloak(Point(0, 0), 0), Point(0, 0))


# -- the attack: the origin out of the first visible points of 100 trips (F22) -------------------------------------------


def streets(a: Point, b: Point, chance: random.Random) -> list[Point]:
    """A way through a grid of blocks, turning at random corners."""
    way, lat, lon = [a], a.lat, a.lon
    while abs(b.lat - lat) > 1e-9 or abs(b.lon - lon) > 1e-9:
        north = abs(b.lon - lon) < 1e-9 or (abs(b.lat - lat) > 1e-9 and chance.random() < 0.5)
        block = chance.randint(1, 4) * 120 / 111_195
        if north:
            lat += max(-block, min(block, b.lat - lat))
        else:
            block /= cos(radians(lat))
            lon += max(-block, min(block, b.lon - lon))
        way.append(Point(lat, lon))
    return way


def first_visible(origin: Point, destination: Point, zone: Cloak, chance: random.Random) -> Point | None:
    """The first fix outside the zone: streets, a fix every 40–70 m, GPS noise of 6 m."""
    for a, b in pairwise(streets(origin, destination, chance)):
        metres = distance_m(a, b)
        done = chance.uniform(0, 60)
        while done < metres:
            share = done / metres
            point = Point(a.lat + (b.lat - a.lat) * share, a.lon + (b.lon - a.lon) * share)
            point = moved(point, chance.uniform(0, 360), abs(chance.gauss(0, 6)))
            if not inside(zone, point):
                return point
            done += chance.uniform(40, 70)
    return None


def mean(points: list[Point]) -> Point:
    return Point(fmean(p.lat for p in points), fmean(p.lon for p in points))


def middle(points: list[Point]) -> Point:
    return Point(median(p.lat for p in points), median(p.lon for p in points))


def circle_center(points: list[Point]) -> Point:
    """The centre of the circle that fits best (Kåsa's least squares, solved by Cramer's rule)."""
    base = mean(points)
    xy = [flat_m(base, p) for p in points]
    n = len(xy)
    sx, sy = sum(x for x, _ in xy), sum(y for _, y in xy)
    sxx, syy, sxy = sum(x * x for x, _ in xy), sum(y * y for _, y in xy), sum(x * y for x, y in xy)
    z = [x * x + y * y for x, y in xy]
    sz, sxz, syz = (
        sum(z),
        sum(x * w for (x, _), w in zip(xy, z, strict=True)),
        sum(y * w for (_, y), w in zip(xy, z, strict=True)),
    )

    def det(m: list[list[float]]) -> float:
        (a, b, c), (d, e, f), (g, h, i) = m
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    whole = det([[sxx, sxy, sx], [sxy, syy, sy], [sx, sy, n]])
    if abs(whole) < 1e-9:
        return base
    x = det([[sxz, sxy, sx], [syz, syy, sy], [sz, sy, n]]) / whole / 2
    y = det([[sxx, sxz, sx], [sxy, syz, sy], [sx, sz, n]]) / whole / 2
    return moved(moved(base, 90, x), 0, y)


Estimator = Callable[[list[Point]], Point]
ESTIMATORS: dict[str, Estimator] = {"mean": mean, "median": middle, "circle": circle_center}


def around(origin: Point, chance: random.Random) -> Point:
    return moved(origin, chance.uniform(0, 360), chance.uniform(2500, 8000))


def attack(estimator: Estimator, destinations: int, *, anew: bool = False) -> list[float]:
    """Errors in metres of 25 attacks, each on 100 trips from one origin to so many destinations in all directions."""
    errors = []
    for seed in range(25):
        chance = random.Random(seed)
        origin = moved(Point(60.17, 24.94), chance.uniform(0, 360), chance.uniform(0, 5000))
        ends = [around(origin, chance) for _ in range(destinations)]
        seen = []
        for trip in range(100):
            zone = cloak_zone(origin, seed.to_bytes(4))
            if anew:
                zone = Cloak(moved(origin, chance.uniform(0, 360), chance.uniform(0, 100)), chance.uniform(300, 600))
            seen.append(first_visible(origin, ends[trip % destinations], zone, chance))
        errors.append(distance_m(origin, estimator([p for p in seen if p])))
    return errors


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_100_trips_to_one_destination_do_not_give_the_origin_away(estimator: str) -> None:
    errors = attack(ESTIMATORS[estimator], 1)
    print(f"one destination, {estimator}: median error {median(errors):.0f} m, least {min(errors):.0f} m")
    assert min(errors) >= 200


def test_the_zone_fitted_to_trips_to_everywhere_does_not_give_the_origin_away() -> None:
    errors = attack(circle_center, 100)
    print(f"100 destinations, circle: median error {median(errors):.0f} m, least {min(errors):.0f} m")
    assert median(errors) >= 200


def test_the_attack_does_find_an_origin_whose_margin_is_drawn_anew() -> None:
    """The attack above can succeed: against the tempting design, a new random zone for each trip, it does."""
    errors = attack(circle_center, 100, anew=True)
    print(f"margin drawn anew, 100 destinations, circle: median error {median(errors):.0f} m")
    assert median(errors) < 100


def test_what_uneven_exits_tell_is_known() -> None:
    """The documented limit: who sees 100 trips from one origin to places *all around* learns the side of the centre.

    With straight trips and the origin δ off the centre, E[exit] = centre + δ/2: the mean of the exits halves the error,
    and centre + 2 × (mean − centre) is unbiased with a standard error of R·√(2/n) per axis. A customer sees trips to the
    own address only; staff, who see all, need not guess.
    """
    errors: dict[str, list[float]] = {"mean": [], "ideal": []}
    for seed in range(200):
        chance = random.Random(seed)
        zone = cloak_zone(Point(60.17, 24.94), seed.to_bytes(4))
        east, north = flat_m(zone.center, Point(60.17, 24.94))
        exits = [straight_exit(east, north, chance.uniform(0, tau)) for _ in range(100)]
        x, y = fmean(e for e, _ in exits), fmean(n for _, n in exits)
        errors["mean"].append(hypot(x - east, y - north))
        errors["ideal"].append(hypot(2 * x - east, 2 * y - north))
    print("straight trips to everywhere:", {k: f"median error {median(v):.0f} m" for k, v in errors.items()})
    assert median(errors["mean"]) > 100
    assert median(errors["ideal"]) > 100


def straight_exit(east: float, north: float, heading: float) -> tuple[float, float]:
    """Where a straight trip from (east, north) leaves a circle of RADIUS_M round the zero point."""
    along = -(east * sin(heading) + north * cos(heading))
    reach = along + sqrt(along**2 + RADIUS_M**2 - east**2 - north**2)
    return east + reach * sin(heading), north + reach * cos(heading)


# -- the coarse ETA ----------------------------------------------------------------------------------------------------


@given(st.integers(-7200, 7200))
def test_the_coarse_eta_is_a_range_after_the_departure_made_of_the_promise_alone(seconds: int) -> None:
    eta = coarse_eta(NOON + timedelta(seconds=seconds), NOON)
    assert NOON <= eta.low <= eta.at <= eta.high
    assert eta.basis == "booked"
    assert all(moment.second == 0 and moment.minute % 5 == 0 for moment in (eta.at, eta.low, eta.high))


def test_the_promised_arrival_is_told_while_it_can_be_kept() -> None:
    eta = coarse_eta(NOON + timedelta(minutes=40), NOON)
    assert (eta.low, eta.at, eta.high) == tuple(NOON + timedelta(minutes=m) for m in (25, 40, 70))


type Told = Callable[[datetime, datetime, float], datetime]
"""What is told as the arrival: made of promise, departure and the seconds of travel planned at the start."""


def ring_attack(told: Told) -> list[float]:
    """Errors in metres of ten attacks: whose way takes as long as was told on each of 40 trips to known destinations?

    The attacker knows the formula of the planned travel, every destination and every departure, allows for a constant
    delay, and looks for the origin on a grid of 100 m round the middle of the first visible places.
    """
    errors = []
    for seed in range(10):
        chance = random.Random(seed)
        origin = moved(Point(60.17, 24.94), chance.uniform(0, 360), chance.uniform(0, 5000))
        ends = [around(origin, chance) for _ in range(40)]
        zone = cloak_zone(origin, seed.to_bytes(4))
        seen = [first_visible(origin, end, zone, chance) for end in ends]
        waits = []
        for end in ends:
            departed = NOON + timedelta(seconds=chance.uniform(0, 3600))
            planned_s = travel_s(origin, end)
            promised = departed + timedelta(seconds=planned_s + chance.uniform(-600, 1800))
            waits.append((told(promised, departed, planned_s) - departed).total_seconds())
        start = mean([point for point in seen if point])
        steps = range(-1500, 1501, 100)
        grid = [moved(moved(start, 90, east), 0, north) for east in steps for north in steps]

        def misfit(place: Point, ends: list[Point] = ends, waits: list[float] = waits) -> float:
            return pvariance([travel_s(place, end) - wait for end, wait in zip(ends, waits, strict=True)])

        errors.append(distance_m(origin, min(grid, key=misfit)))
    return errors


def test_the_coarse_eta_as_one_more_hint_does_not_give_the_origin_away() -> None:
    errors = ring_attack(lambda promised, departed, _: coarse_eta(promised, departed).at)
    print(f"ring by the coarse ETA, 40 destinations: median error {median(errors):.0f} m")
    assert median(errors) >= 200


def test_the_ring_attack_does_find_an_origin_when_the_planned_travel_is_told() -> None:
    """The attack can succeed: against the tempting design, departure + planned travel to the minute."""
    minute = timedelta(minutes=1)

    def planned(_: datetime, departed: datetime, planned_s: float) -> datetime:
        at = departed + timedelta(seconds=planned_s)
        return at + (NOON - at) % minute

    errors = ring_attack(planned)
    print(f"ring by the planned travel, 40 destinations: median error {median(errors):.0f} m")
    assert median(errors) < 200


# -- the leg -----------------------------------------------------------------------------------------------------------

LEG = Leg(State.TRAVELING, "t1", "leg1", NOON - timedelta(minutes=10), NOON + timedelta(hours=2), None)
FIX = Fix("leg1", NOON, Point(60.17, 24.94))


def test_a_fix_of_the_current_leg_is_shown() -> None:
    assert may_show(LEG, FIX, None, NOON)


@pytest.mark.parametrize("state", [s for s in State if s is not State.TRAVELING])
def test_nothing_is_shown_outside_traveling(state: State) -> None:
    assert not may_show(replace(LEG, state=state), FIX, None, NOON)


@pytest.mark.parametrize(
    ("leg", "fix"),
    [
        (replace(LEG, technician=None), FIX),
        (replace(LEG, leg=None), FIX),
        (replace(LEG, leg=None), replace(FIX, leg=None)),
        (replace(LEG, leg="leg2"), FIX),
        (LEG, replace(FIX, leg=None)),
        (LEG, replace(FIX, fix_at=NOON - timedelta(minutes=10))),
        (replace(LEG, started_at=None), FIX),
        (replace(LEG, ended_at=NOON), FIX),
        (replace(LEG, hides_at=NOON), FIX),
    ],
    ids=["unassigned", "no leg", "no legs", "other leg", "fix of no leg", "old fix", "not begun", "ended", "hid itself"],
)
def test_nothing_else_is_shown(leg: Leg, fix: Fix) -> None:
    assert not may_show(leg, fix, None, NOON)


def test_nothing_is_shown_inside_the_cloak() -> None:
    assert not may_show(LEG, FIX, Cloak(FIX.point, 100), NOON)
    assert may_show(LEG, FIX, Cloak(moved(FIX.point, 0, 200), 100), NOON)
    assert under_way(LEG, NOON)


# -- who may watch -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Someone:
    role: Role
    accounts: frozenset[str] = frozenset()
    technician: str | None = None
    appointment: str | None = None


@dataclass(frozen=True)
class Visit:
    id: str = "a1"
    account_id: str = "acc1"
    technician_id: str | None = "t1"


OWN = Someone(Role.ANONYMOUS, frozenset({"acc1"}), "t1", "a1")
OTHER = Someone(Role.ANONYMOUS, frozenset({"acc2"}), "t2", "a2")


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.ANONYMOUS])
def test_the_right_people_watch(role: Role) -> None:
    assert may_watch(replace(OWN, role=role), Visit())


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.TECHNICIAN, Role.LINK_HOLDER])
def test_others_do_not(role: Role) -> None:
    assert not may_watch(replace(OTHER, role=role), Visit())
    assert not may_watch(Someone(role), Visit(technician_id=None))


def test_each_role_counts_only_by_its_own_tie() -> None:
    assert not may_watch(Someone(Role.CUSTOMER, technician="t1", appointment="a1"), Visit())
    assert not may_watch(Someone(Role.TECHNICIAN, accounts=frozenset({"acc1"}), appointment="a1"), Visit())
    assert not may_watch(Someone(Role.LINK_HOLDER, accounts=frozenset({"acc1"}), technician="t1"), Visit())
    assert not may_watch(OWN, Visit())


@pytest.mark.parametrize("role", list(Role))
def test_only_staff_see_the_board(role: Role) -> None:
    assert may_watch_board(Someone(role)) == (role in {Role.DISPATCHER, Role.ADMIN})
