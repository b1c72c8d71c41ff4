"""The learned ranges: sane everywhere, and found again when trips are made up from known ones."""

from datetime import UTC, datetime, timedelta, timezone
from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.eta import estimate
from tracker.domain.eta_learning import Trip, learn, quantiles, start_s
from tracker.domain.eta_ranges import AT_THE_END, learned, spread_in
from tracker.domain.geo import Point
from tracker.domain.ways import Basis, Progress

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
DRIVEN = [Basis.ROAD, Basis.DISTANCE]


@pytest.mark.parametrize(("basis", "area"), [(basis, area) for basis in DRIVEN for area in ("", *learned().areas)])
@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 7 * 24 * 60))
def test_the_committed_ratios_are_in_order_above_zero_and_smooth(
    basis: Basis, area: str, metres: float, seconds: float, minute: int
) -> None:
    spread = spread_in(UTC, area=area)
    now = NOON + timedelta(minutes=minute)
    ratios = spread(metres, seconds, basis, now, 0)
    assert ratios is not None
    low, middle, high = ratios
    assert 0.1 < low < middle < high < 8 + learned().start_s * AT_THE_END[2] / max(seconds, 1.0)
    near = spread(metres * 1.01, seconds * 1.01, basis, now, 0)
    assert near is not None
    assert all(abs(a / b - 1) < 0.03 for a, b in zip(ratios, near, strict=True))


def test_of_a_promised_time_nothing_was_learned() -> None:
    assert spread_in(UTC)(1000, 100, Basis.BOOKED, NOON, 0) is None


def test_a_monday_afternoon_is_slower_than_a_monday_night_on_the_clock_of_the_place() -> None:
    far, here = timezone(timedelta(hours=12)), UTC
    day, night = spread_in(here)(5000, 400, Basis.ROAD, NOON, 0), spread_in(far)(5000, 400, Basis.ROAD, NOON, 0)
    whenever = spread_in(None)(5000, 400, Basis.ROAD, NOON, 0)
    assert day is not None
    assert night is not None
    assert whenever is not None
    assert day[1] > whenever[1] > night[1]


def test_a_plan_faster_than_usual_is_believed_in_part_only() -> None:
    ratios = [spread_in(None)(5000, seconds, Basis.ROAD, NOON, 0) for seconds in (350, 400, 450)]
    middles = [ratio[1] for ratio in ratios if ratio]
    assert middles[0] > middles[1] > middles[2]
    assert middles[0] * 350 < middles[2] * 450


def test_where_trips_were_seen_their_own_table_counts() -> None:
    table = learned()
    here, there = table.area_at(Point(37.77, -122.42)), table.area_at(Point(40.75, -73.95))
    assert table.area_at(Point(60.17, 24.94)) == ""
    assert len({here, there, ""}) == 3
    by_distance = {spread_in(None, area=area)(5000, 600, Basis.DISTANCE, NOON, 0) for area in (here, there, "")}
    by_road = {spread_in(None, area=area)(5000, 400, Basis.ROAD, NOON, 0) for area in (here, there, "")}
    assert (len(by_distance), len(by_road)) == (3, 1)  # roads were known in one place only: that table is everybody's


def test_the_sources_are_named() -> None:
    assert learned().sources
    assert set(learned().bases) == set(DRIVEN)


@given(st.floats(0, 40_000), st.floats(0, 5_000), st.integers(0, 3600))
def test_an_arrival_is_never_past_and_its_range_grows_with_age(metres: float, seconds: float, age_s: int) -> None:
    where = Progress(0, 0, metres, seconds, 0, Point(60.17, 24.94), Basis.ROAD)
    fresh = estimate(where, NOON, NOON, spread=spread_in(UTC))
    old = estimate(where, NOON, NOON + timedelta(seconds=age_s), spread=spread_in(UTC))
    assert fresh.low is not None
    assert fresh.high is not None
    assert old.low is not None
    assert old.high is not None
    assert old.low <= old.at <= old.high
    assert old.low >= NOON + timedelta(seconds=age_s)
    assert old.high >= fresh.high


# -- learning ----------------------------------------------------------------------------------------------------------


def made_up(count: int, seed: int = 1) -> list[Trip]:
    """Trips twice as long as planned, afternoons a fifth more, ± 30 %; plans of 10 m/s, more or less."""
    rnd = Random(seed)
    trips = []
    for _ in range(count):
        metres, hour = exp(rnd.uniform(6.2, 9.0)), rnd.uniform(0, 24)
        planned = metres / 10 * exp(rnd.gauss(0, 0.05))
        slow = 1.2 if 12 <= hour < 18 else 1.0
        trips.append(Trip(metres, planned, planned * 2 * slow * exp(rnd.gauss(0, 0.26)), hour, rnd.random() < 0.3))
    return trips


def test_what_trips_were_made_from_is_learned_from_them() -> None:
    ranges = learn(made_up(6000))
    low, middle, high = ranges.ratios(3000, 300, None)
    afternoon, night = ranges.hour(15.0, False), ranges.hour(3.0, False)
    assert afternoon / night == pytest.approx(1.2, rel=0.06)
    assert middle * afternoon == pytest.approx(2.4, rel=0.06)
    assert low / middle == pytest.approx(exp(-1.2816 * 0.26), rel=0.06)
    assert high / middle == pytest.approx(exp(1.2816 * 0.26), rel=0.06)


def test_four_later_trips_in_five_lie_inside() -> None:
    ranges = learn(made_up(6000))
    inside = 0
    for trip in made_up(3000, seed=2):
        local = datetime(2026, 11, 28 if trip.weekend else 24, int(trip.hour), int(trip.hour % 1 * 60), tzinfo=UTC)
        low, _, high = ranges.ratios(trip.metres, trip.planned_s, local)
        inside += low <= trip.actual_s / trip.planned_s <= high
    assert 0.77 < inside / 3000 < 0.83


def test_a_start_takes_its_time_once() -> None:
    spread = spread_in(None)
    before, after = spread(5000, 400, Basis.ROAD, NOON, 1.0), spread(5000, 400, Basis.ROAD, NOON, 0.0)
    assert before is not None
    assert after is not None
    for left, whole, end in zip(after, before, AT_THE_END, strict=True):
        assert (whole - left) * 400 == pytest.approx(learned().start_s * (1 - end))


def test_what_the_end_takes_is_left_until_the_last_metres() -> None:
    spread, ratios = spread_in(None), learned().bases[Basis.ROAD].ratios
    ends = []
    for metres, seconds in ((900.0, 100.0), (100.0, 20.0), (25.0, 5.0)):
        told = spread(metres, seconds, Basis.ROAD, NOON, 0.0)
        assert told is not None
        ends.append((told[1] - ratios(metres, seconds, None)[1]) * seconds)
    assert ends == pytest.approx([learned().start_s / 3, learned().start_s / 3, learned().start_s / 12])


def test_what_a_start_takes_is_found_in_the_short_trips() -> None:
    late = [trip._replace(actual_s=trip.actual_s + 70) for trip in made_up(6000)]
    assert start_s(late) == pytest.approx(70, abs=15)
    assert start_s(made_up(6000)) < 15


def test_weights_let_a_few_trips_of_one_city_stand_against_many_of_another() -> None:
    few = [trip._replace(weight=1 / 500) for trip in made_up(500)]
    many = [trip._replace(actual_s=trip.actual_s / 2, weight=1 / 5000) for trip in made_up(5000, seed=3)]
    assert 1.1 < learn(few + many).ratios(3000, 300, None)[1] < 2.1


def test_too_few_trips_are_no_lesson() -> None:
    with pytest.raises(ValueError, match="too few"):
        learn(made_up(20))


def test_weighted_quantiles() -> None:
    assert quantiles([(3.0, 1), (1.0, 1), (2.0, 1)], (0.1, 0.5, 0.9)) == [1.0, 2.0, 3.0]
    assert quantiles([(1.0, 1), (2.0, 100)], (0.1, 0.5)) == [2.0, 2.0]
