"""The zone of a place, out of its coordinates."""

from zoneinfo import ZoneInfo

import pytest

from tracker.domain.geo import Point
from tracker.roads.zones import zone_at


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        (Point(60.17, 24.94), "Europe/Helsinki"),
        (Point(52.52, 13.40), "Europe/Berlin"),
        (Point(27.70, 85.32), "Asia/Kathmandu"),
        (Point(40.71, -74.01), "America/New_York"),
        (Point(-31.55, 159.08), "Australia/Lord_Howe"),
    ],
)
def test_a_place_has_a_zone(place: Point, zone: str) -> None:
    assert zone_at(place) == zone


@pytest.mark.parametrize("place", [Point(0, -30), Point(90, 0), Point(-90, 180), Point(-77.85, 166.67)])
def test_even_at_sea_and_at_the_poles(place: Point) -> None:
    assert ZoneInfo(zone_at(place))
