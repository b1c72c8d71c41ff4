"""A place on a planned way."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.crow import travel_s
from tracker.domain.geo import Point, bearing_deg, decode_polyline6, distance_m, length_m, moved
from tracker.domain.visibility import cloak_zone, inside
from tracker.domain.ways import Basis, Progress, StoredRoute, ahead, progress, way_on

HOME = Point(60.17, 24.94)


def route_of(line: list[Point], mps: float = 10.0, basis: Basis = Basis.ROAD) -> StoredRoute:
    """Driven at one speed throughout."""
    times = [length_m(line[: i + 1]) / mps for i in range(len(line))]
    return StoredRoute.of(1, line, times, line[-1], basis)


def walked(*legs: tuple[float, float]) -> list[Point]:
    """A line from home by (bearing, metres)."""
    line = [HOME]
    for bearing, metres in legs:
        line.append(moved(line[-1], bearing, metres))
    return line


def driven(line: list[Point], step_m: float, aside_m: float = 0.0) -> list[Point]:
    """Places every step along a line, somewhat to its right."""
    places = []
    for a, b in pairwise(line):
        whole = distance_m(a, b)
        places += [
            moved(moved(a, bearing_deg(a, b), step_m * i), bearing_deg(a, b) + 90, aside_m) for i in range(int(whole // step_m))
        ]
    return places


def follow(route: StoredRoute, places: list[Point]) -> list[Progress]:
    last, seen = None, []
    for place in places:
        last = progress(route, place, last)
        seen.append(last)
    return seen


def test_a_place_beside_a_straight_road() -> None:
    route = route_of(walked((0, 1000), (90, 1000)))
    at = progress(route, moved(moved(HOME, 0, 400), 90, 20))
    assert at.along_m == pytest.approx(400, abs=1)
    assert at.off_m == pytest.approx(20, abs=0.5)
    assert at.remaining_m == pytest.approx(1600, abs=2)
    assert at.remaining_s == pytest.approx(160, abs=0.3)


def test_the_time_left_follows_the_times_of_the_vertices_not_the_metres() -> None:
    line = walked((0, 1000), (90, 1000))
    route = StoredRoute.of(1, line, [0, 100, 600], line[-1], Basis.ROAD)
    assert progress(route, moved(HOME, 0, 500)).remaining_s == pytest.approx(550, abs=0.5)
    there = moved(line[1], 90, 500)
    assert progress(route, there, progress(route, line[1])).remaining_s == pytest.approx(250, abs=0.5)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(walked((0, 800), (90, 25), (180, 800)), id="up one lane and down the next, 25 m apart"),
        pytest.param(walked((0, 600), (180, 600), (90, 500)), id="out and back on one street"),
        pytest.param(walked((0, 500), (90, 500), (180, 500), (270, 500), (0, 500)), id="round the block over the start"),
        pytest.param(walked((0, 400), (90, 400), (180, 200), (270, 800)), id="a line that crosses itself"),
    ],
)
def test_the_vehicle_never_jumps_to_another_pass_of_the_same_street(line: list[Point]) -> None:
    seen = follow(route_of(line), driven(line, 20, aside_m=8))
    assert seen[-1].remaining_s < 6
    for before, after in pairwise(seen):
        assert -40 <= after.along_m - before.along_m < 130


def test_after_a_gap_the_vehicle_is_found_again_far_ahead() -> None:
    line = walked((0, 3000), (90, 3000))
    route = route_of(line)
    seen = follow(route, [HOME, moved(HOME, 0, 200), moved(line[1], 90, 2000)])
    assert seen[-1].along_m == pytest.approx(5000, abs=5)


def test_a_process_that_knows_no_last_place_finds_the_right_one() -> None:
    line = walked((0, 3000), (90, 3000))
    assert progress(route_of(line), moved(line[1], 90, 2500)).along_m == pytest.approx(5500, abs=5)


def test_one_that_turns_back_is_seen_to_go_back_and_what_it_reached_stays() -> None:
    seen = follow(route_of(walked((0, 2000))), [moved(HOME, 0, m) for m in (0, 400, 800, 600, 400)])
    assert seen[-1].along_m == pytest.approx(400, abs=2)
    assert seen[-1].reached_m == pytest.approx(800, abs=2)


def test_by_distance_the_line_does_not_matter() -> None:
    route = route_of(walked((0, 3000)), basis=Basis.DISTANCE)
    aside = moved(HOME, 90, 1500)
    at = progress(route, aside)
    assert at.off_m == 0
    assert at.remaining_s == pytest.approx(travel_s(aside, route.dest))
    assert decode_polyline6(ahead(route, at)) == [pytest.approx(aside, abs=1e-6), pytest.approx(route.dest, abs=1e-6)]


def test_the_way_ahead_begins_at_the_shown_place_and_never_shows_what_lies_behind() -> None:
    line = walked((0, 500), (45, 300), (90, 700), (120, 400))
    route = route_of(line)
    shown = moved(moved(HOME, 0, 480), 90, 12)
    rest = decode_polyline6(ahead(route, progress(route, shown)))
    assert rest[0] == pytest.approx(shown, abs=1e-6)
    assert rest[1:] == [pytest.approx(p, abs=2e-6) for p in line[1:]]


@given(st.lists(st.tuples(st.floats(0, 360), st.floats(1, 900)), min_size=1, max_size=30), st.floats(0, 1))
def test_the_way_ahead_is_the_tail_of_the_line(legs: list[tuple[float, float]], share: float) -> None:
    route = route_of(walked(*legs))
    whole = decode_polyline6(route.shape)
    at = progress(route, whole[int(share * (len(whole) - 1))])
    rest = decode_polyline6(ahead(route, at))[1:]
    assert rest == whole[-len(rest) :]


@given(st.lists(st.tuples(st.floats(0, 360), st.floats(0, 900)), min_size=1, max_size=20), st.floats(0, 360), st.floats(0, 5000))
def test_any_place_has_a_progress_within_the_route(legs: list[tuple[float, float]], bearing: float, metres: float) -> None:
    route = route_of(walked(*legs))
    at = progress(route, moved(HOME, bearing, metres))
    assert 0 <= at.remaining_s <= route.times[-1] + 0.1
    assert -0.01 <= at.remaining_m <= route.way.length_m + 0.01
    assert at.off_m >= 0


@pytest.mark.parametrize("bearing", range(0, 360, 30))
def test_a_trip_that_left_another_way_than_planned_shows_no_way_through_the_zone_where_it_began(bearing: int) -> None:
    """The nearest place of the plan is then deep inside the zone, or its very beginning."""
    zone = cloak_zone(HOME, b"secret of the house")
    route = route_of(walked(*[(90, 50)] * 70))
    shown = next(p for p in (moved(HOME, bearing, m) for m in range(300, 1200)) if not inside(zone, p))
    rest = decode_polyline6(way_on(route, shown) or "")
    assert not [p for p in rest if distance_m(p, HOME) < 200]
    assert (not rest) is (bearing != 90)


def test_where_the_line_comes_by_twice_what_was_driven_between_is_not_shown() -> None:
    line = walked((0, 400), (90, 300), (0, 300), (270, 300), (180, 600), (90, 2000))
    route = route_of(line)
    for place in driven(line, 20, aside_m=4):
        rest = decode_polyline6(way_on(route, place) or "")
        assert rest[0] == pytest.approx(place, abs=1e-6)
    assert decode_polyline6(way_on(route, moved(HOME, 0, 200)) or "")[1:] == [pytest.approx(p, abs=2e-6) for p in line[5:]]


def test_by_distance_the_way_on_is_the_straight_line() -> None:
    route, place = route_of(walked((0, 3000)), basis=Basis.DISTANCE), moved(HOME, 90, 1500)
    assert decode_polyline6(way_on(route, place) or "") == [pytest.approx(p, abs=2e-6) for p in (place, route.dest)]


def test_a_route_that_ends_where_it_begins_can_be_stood_on() -> None:
    at = progress(StoredRoute.of(1, [HOME, HOME], [0, 0], HOME, Basis.ROAD), moved(HOME, 90, 30))
    assert (at.remaining_s, at.remaining_m) == (0, 0)
    assert at.off_m == pytest.approx(30, abs=0.2)


def test_redis_gives_back_what_was_stored() -> None:
    route = route_of(walked((10, 500), (80, 700)))
    text = route.to_json()
    assert StoredRoute.from_json(text) == route
    assert set(json.loads(text)) == {"n", "shape", "times", "dest", "basis"}
    with pytest.raises(ValueError, match="vertices"):
        _ = StoredRoute(1, route.shape, (0.0,), HOME, Basis.ROAD).way
