"""Simulated drives keep the hours of real ones: the range shown holds by day and by night, in slow streets and quick ones."""

import random
from datetime import UTC, datetime

import pytest

from simulator.driving import Drive, Way
from simulator.traffic import free_speed, fullness, usual_s
from tracker.domain.eta_ranges import learned
from tracker.domain.geo import Point, moved
from tracker.domain.ways import Basis

HELSINKI, SAN_FRANCISCO = Point(60.17, 24.94), Point(37.78, -122.41)
NIGHT, RUSH = datetime(2026, 11, 26, 1, 0, tzinfo=UTC), datetime(2026, 11, 26, 16, 0, tzinfo=UTC)  # 3 and 18 o'clock in Helsinki


def planned(mps: float, pieces: int = 30) -> Way:
    """A straight way of 100 m pieces at one planned speed, with a turn at every fifth."""
    line = tuple(moved(HELSINKI, 90, 100.0 * i) for i in range(pieces + 1))
    return Way(line, tuple(100 / mps * i for i in range(pieces + 1)), tuple(range(5, pieces, 5)))


def test_streets_are_full_by_the_clock_of_the_place() -> None:
    assert fullness(HELSINKI, NIGHT) < 0.9 < 1.1 < fullness(HELSINKI, RUSH)
    assert fullness(SAN_FRANCISCO, NIGHT) > 1.1  # there it is five in the afternoon


@pytest.mark.parametrize("now", [NIGHT, RUSH], ids=["night", "rush hour"])
@pytest.mark.parametrize("mps", [7.0, 11.0], ids=["slow plan", "usual plan"])
def test_the_range_at_departure_holds_four_drives_in_five(mps: float, now: datetime) -> None:
    way, full, table = planned(mps), fullness(HELSINKI, now), learned()
    ratios = table.bases[Basis.ROAD].ratios(3000.0, way.times_s[-1], None)
    low, _, high = (ratio * full * way.times_s[-1] + table.start_s for ratio in ratios)
    took = [Drive(way, random.Random(seed), haste=free_speed(way), full=full).duration_s for seed in range(200)]
    held = sum(low <= seconds <= high for seconds in took) / len(took)
    assert 0.7 <= held <= 0.95
    assert sorted(took)[100] == pytest.approx(usual_s(way, full), rel=0.15)
