"""The router that needs nothing."""

import pytest

from tracker.domain.crow import DETOUR
from tracker.domain.geo import Point, distance_m, moved
from tracker.domain.ways import Basis
from tracker.roads.distance import DistanceRouter

STATION = Point(60.1719, 24.9414)


async def test_the_straight_line_says_what_it_stands_on() -> None:
    goal = moved(STATION, 70, 3_000)
    route = await DistanceRouter().route(STATION, goal, heading=180)
    assert (route.basis, route.source) == (Basis.DISTANCE, "distance")
    assert route.line == (STATION, goal)
    assert route.times_s == (0.0, route.duration_s)
    assert route.length_m == pytest.approx(DETOUR * 3_000)


@pytest.mark.parametrize(
    ("metres", "least_s", "most_s"), [(700, 180, 280), (3_000, 480, 680), (10_000, 1_000, 1_500), (25_000, 1_500, 2_800)]
)
async def test_the_times_are_those_of_a_city(metres: float, least_s: float, most_s: float) -> None:
    """Bounds: about the p40 to p60 of the taxi trips of both cities at that distance."""
    route = await DistanceRouter().route(STATION, moved(STATION, 200, metres))
    assert least_s < route.duration_s < most_s


async def test_nearer_is_never_later_and_there_is_zero() -> None:
    seconds = [(await DistanceRouter().route(moved(STATION, 10, m), STATION)).duration_s for m in range(0, 20_000, 250)]
    assert seconds[0] == pytest.approx(0, abs=0.001)
    assert seconds == sorted(seconds)


async def test_the_matrix_agrees_with_the_routes() -> None:
    places = [STATION, moved(STATION, 90, 1_500), moved(STATION, 0, 4_000)]
    rows = await DistanceRouter().matrix(places[:2], places)
    assert [len(row) for row in rows] == [3, 3]
    for source, row in zip(places, rows, strict=False):
        for target, hop in zip(places, row, strict=True):
            assert hop is not None
            assert hop.duration_s == (await DistanceRouter().route(source, target)).duration_s
            assert hop.length_m == pytest.approx(DETOUR * distance_m(source, target))
