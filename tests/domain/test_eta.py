"""The expected arrival, its range, and when a new route is asked for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.eta import Basis, Deviation, Eta, Progress, StoredRoute, estimate, off_route, progress
from tracker.domain.geo import Point, moved

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOME = Point(60.17, 24.94)
END = moved(HOME, 0, 5000)
ROUTE = StoredRoute.of(1, [HOME, END], [0, 500], END, Basis.ROAD)


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def learned(remaining_m: float, remaining_s: float, basis: str, now: datetime, standing: float) -> tuple[float, float, float]:
    return (0.8, 1.1, 1.6)


def left(remaining_s: float) -> Progress:
    return Progress(0, 0, remaining_s * 10, remaining_s, 0, HOME, Basis.ROAD)


# -- the estimate ------------------------------------------------------------------------------------------------------


def test_without_anything_learned_there_is_no_made_up_range() -> None:
    eta = estimate(left(300), NOW, NOW)
    assert abs(eta.at - (NOW + seconds(300))) <= seconds(1)
    assert (eta.low, eta.high, eta.basis) == (None, None, Basis.ROAD)


def test_the_learned_ratios_make_the_middle_and_the_range() -> None:
    eta = estimate(left(300), NOW, NOW, spread=learned)
    assert eta.low is not None
    assert eta.high is not None
    assert [round((t - NOW).total_seconds(), -1) for t in (eta.low, eta.at, eta.high)] == [240, 330, 480]


def test_it_widens_with_the_age_of_the_fix_at_the_late_end_only() -> None:
    fresh = estimate(left(300), NOW, NOW, spread=learned)
    old = estimate(left(300), NOW, NOW + seconds(120), spread=learned)
    assert fresh.high is not None
    assert old.high is not None
    assert (old.at, old.low) == (fresh.at, fresh.low)
    assert old.high - fresh.high == seconds(120)


@given(st.floats(0, 20_000), st.floats(0, 7_200), st.floats(0, 3_600), st.booleans())
def test_nothing_ever_lies_in_the_past_and_the_order_holds(left_s: float, age_s: float, later_s: float, table: bool) -> None:
    spread = learned if table else None
    shown = estimate(left(left_s), NOW, NOW + seconds(age_s), spread=spread)
    later = NOW + seconds(age_s + later_s)
    eta = estimate(left(left_s), NOW, later, spread=spread, shown=shown)
    assert eta.at >= later
    assert (eta.low or eta.at) <= eta.at <= (eta.high or eta.at)
    assert eta.low is None or eta.low >= later


def test_noise_does_not_make_it_flap_but_a_change_shows() -> None:
    shown = estimate(left(300), NOW, NOW, spread=learned)
    for k, noise in enumerate((3, -4, 5, -2)):
        at = NOW + seconds(5 * k)
        assert estimate(left(300 - 5 * k + noise), at, at, spread=learned, shown=shown).at == shown.at
    assert estimate(left(340), NOW, NOW, spread=learned, shown=shown).at > shown.at


def test_another_basis_is_told_at_once() -> None:
    shown = Eta(NOW + seconds(300), None, None, Basis.DISTANCE)
    assert estimate(left(300), NOW, NOW, shown=shown).basis is Basis.ROAD


# -- leaving the route -------------------------------------------------------------------------------------------------


def asks(fixes: list[tuple[float, Point, float | None]]) -> list[int]:
    """The seconds at which a new route is asked for, while the old one stays."""
    memory, last, asked = Deviation(), None, []
    for second, place, acc in fixes:
        last = progress(ROUTE, place, last, acc=acc)
        memory, ask = off_route(ROUTE, last, acc, NOW + seconds(second), memory)
        if ask:
            asked.append(round(second))
    return asked


def beside(off_m: float, along_m: float) -> Point:
    return moved(moved(HOME, 0, along_m), 90, off_m)


@pytest.mark.parametrize(
    ("offs", "acc", "expected"),
    [
        pytest.param([0, 20, 35, 39, 38, 20, 0], 5, [], id="a wide street"),
        pytest.param([0, 59, 58, 57, 59, 20, 0], None, [], id="who does not say how accurate it is gets more"),
        pytest.param([0, 90, 0, 95, 0, 99, 0], 5, [], id="one bad fix, again and again"),
        pytest.param([0, 50, 90, 110], 5, [10], id="two running"),
        pytest.param([0, 70, 90, 120, 80], 50, [], id="no farther than two and a half times the accuracy"),
        pytest.param([0, 130, 140], 50, [10], id="farther than that"),
        pytest.param([0, 60, 35, 60], 5, [15], id="not back on before two thirds of the limit"),
        pytest.param([0, 60, 20, 60], 5, [], id="back on between"),
    ],
)
def test_two_fixes_beyond_the_limit_ask_for_a_new_route(offs: list[float], acc: float | None, expected: list[int]) -> None:
    assert asks([(5 * i, beside(off, 1000 + 50 * i), acc) for i, off in enumerate(offs)]) == expected


def test_while_no_new_route_helps_it_is_asked_for_less_and_less() -> None:
    asked = asks([(5 * i, beside(200, 500 + 40 * i), 5.0) for i in range(100)])
    assert asked[0] == 5
    gaps = [b - a for a, b in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 120
    assert len(asked) <= 8


def test_standing_beside_the_road_asks_once_only() -> None:
    assert asks([(5 * i, beside(100, 1000), 5.0) for i in range(200)]) == [5]


def course_asks(places: list[Point], course: float) -> bool:
    memory, last, asked = Deviation(), None, False
    for i, place in enumerate(places):
        last = progress(ROUTE, place, last, acc=5.0, course=course)
        memory, ask = off_route(ROUTE, last, 5.0, NOW + seconds(5 * i), memory)
        asked = asked or ask
    return asked


def test_one_who_turned_into_a_side_street_is_noticed_before_being_far_away() -> None:
    side_street = [beside(0, 1000), beside(18, 1000), beside(36, 1000)]
    assert course_asks(side_street, course=90)
    assert not course_asks(side_street, course=30)


def test_a_strange_course_on_the_line_itself_is_no_reason() -> None:
    assert not course_asks([beside(4, 1000 + 30 * i) for i in range(10)], course=90)


def test_going_back_the_way_come_asks() -> None:
    forth = [(5 * i, moved(HOME, 0, 100 * i), 5.0) for i in range(10)]
    back = [(50 + 5 * i, moved(HOME, 0, 800 - 100 * i), 5.0) for i in range(5)]
    assert asks(forth + back)[0] == 60


def test_looking_for_a_place_to_park_does_not_ask() -> None:
    assert asks([(5 * i, moved(END, 90, 100 + i), 5.0) for i in range(20)]) == []


def test_a_route_by_distance_cannot_be_left_but_each_minute_the_roads_are_asked_for_again() -> None:
    route = StoredRoute.of(1, [HOME, END], [0, 500], END, Basis.DISTANCE)
    memory, asked = Deviation(), []
    for second in range(0, 200, 5):
        where = progress(route, beside(900, 500))
        memory, ask = off_route(route, where, 5.0, NOW + seconds(second), memory)
        if ask:
            asked.append(second)
    assert asked == [60, 120, 180]
