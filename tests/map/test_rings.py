"""Areas out of lines: multipolygons, things cut at the extract's edge, and the sea."""

import pytest
import shapely

from tests.map.town import square
from tracker.roads import rings

BOX = (0.0, 0.0, 10.0, 10.0)
type Line = list[tuple[float, float]]


def _area(shape: shapely.Geometry | None) -> float:
    return 0.0 if shape is None else float(shape.area)


def test_an_open_ring_is_closed() -> None:
    assert _area(rings.area([(0, 0), (2, 0), (2, 2), (0, 2)])) == 4


def test_a_ring_that_crosses_itself_is_mended() -> None:
    bow = rings.area([(0, 0), (2, 2), (2, 0), (0, 2), (0, 0)])
    assert bow is not None
    assert bow.is_valid
    assert bow.area == pytest.approx(2)


@pytest.mark.parametrize("ring", [[], [(1, 1)], [(1, 1), (2, 2), (1, 1)], [(0, 0), (1, 0), (2, 0), (0, 0)]])
def test_nothing_inside(ring: Line) -> None:
    assert rings.area(ring) is None


def test_a_hole_an_island_in_it_and_ways_in_any_direction() -> None:
    outer = square(0, 0, 10)
    halves = [outer[:3], outer[4:1:-1]]  # one of them backwards
    whole = rings.assemble([*halves, square(4, 4, 2)], [square(2, 2, 6)])
    assert _area(whole) == pytest.approx(100 - 36 + 4)
    assert whole is not None
    assert not whole.contains(shapely.Point(3, 3))
    assert whole.contains(shapely.Point(5, 5))


def test_two_holes_that_touch() -> None:
    whole = rings.assemble([square(0, 0, 10)], [square(2, 2, 2), square(4, 4, 2)])
    assert _area(whole) == pytest.approx(100 - 8)


def test_a_lost_corner_is_mended_but_a_bank_is_no_lake() -> None:
    lost_corner: Line = [(0, 3), (0, 0), (4, 0), (4, 4)]
    assert _area(rings.assemble([lost_corner], [])) > 8
    bank: Line = [(0, 5), (3, 5.2), (6, 4.9), (10, 5)]
    assert rings.assemble([bank], []) is None


@pytest.mark.parametrize(
    ("coast", "water", "land", "share"),
    [
        pytest.param([[(0, 4), (10, 4)]], (5, 1), (5, 9), 0.4, id="from west to east: the sea in the south"),
        pytest.param([[(10, 4), (0, 4)]], (5, 9), (5, 1), 0.6, id="from east to west: the sea in the north"),
        pytest.param([[(-3, 4), (13, 4)]], (5, 1), (5, 9), 0.4, id="beyond the box"),
        pytest.param([[(0.4, 4), (9.5, 4)]], (5, 1), (5, 9), 0.4, id="ending a little inside, as extracts do"),
        pytest.param([[(0, 4), (5, 4)], [(5, 4), (10, 4)]], (5, 1), (5, 9), 0.4, id="in two ways"),
        pytest.param([[(5, 4), (10, 4)], [(0, 4), (5, 4)]], (9, 1), (9, 9), 0.4, id="in the other order"),
        pytest.param([[(0, 4), (7, 4)], [(10, 4), (7, 4)]], (5, 1), (5, 9), 0.4, id="one of them backwards: the longer one wins"),
        pytest.param([square(4, 4, 2)], (1, 1), (5, 5), 0.96, id="only an island: the rest is sea"),
        pytest.param([square(4, 4, 2)[::-1]], (5, 5), (1, 1), 0.04, id="only an inlet"),
        pytest.param([[(0, 4), (10, 4)], square(4, 1, 1)], (1, 1), (4.5, 1.5), 0.39, id="coast and island"),
        pytest.param([[(0, 3), (3, 0)], [(7, 0), (10, 3)]], (0.5, 0.5), (5, 5), 0.09, id="two bays"),
        pytest.param([[(3, 0), (3, 10)], [(7, 10), (7, 0)]], (5, 5), (1, 5), 0.4, id="a sound between two lands"),
    ],
)
def test_the_sea(coast: list[Line], water: tuple[float, float], land: tuple[float, float], share: float) -> None:
    sea = rings.sea(coast, BOX)
    assert sea is not None
    assert sea.contains(shapely.Point(water))
    assert not sea.intersects(shapely.Point(land))
    assert sea.area == pytest.approx(share * 100, abs=0.5)


@pytest.mark.parametrize(
    "coast", [[], [[(5, 5)]], [[(4, 5), (6, 5)]]], ids=["none", "a point", "a piece that ends in the middle"]
)
def test_no_sea(coast: list[Line]) -> None:
    assert _area(rings.sea(coast, BOX)) in (0.0, 100.0)
    if not coast or len(coast[0]) < 2:
        assert rings.sea(coast, BOX) is None
