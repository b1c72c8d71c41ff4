"""Simulated drives keep the hours of real ones: the range shown holds by day and by night, in slow streets and quick ones."""

import random
from datetime import UTC, datetime

import pytest

from simulator.driving import Way
from simulator.traffic import drive, fullness, usual_s
from tracker.domain.eta_ranges import learned
from tracker.domain.geo import Point, moved
from tracker.domain.ways import Basis

HELSINKI, SAN_FRANCISCO = Point(60.17, 24.94), Point(37.78, -122.41)
NIGHT, RUSH = datetime(2026, 11, 26, 1, 0, tzinfo=UTC), datetime(2026, 11, 26, 16, 0, tzinfo=UTC)  # 3 and 18 o'clock in Helsinki


def planned(mps: float, straight: int, pieces: int = 30) -> Way:
    """A staircase of 100 m pieces at one planned speed, with a corner after every ``straight`` pieces."""
    line = [HELSINKI]
    for i in range(pieces):
        line.append(moved(line[-1], 90 * (i // straight % 2), 100.0))
    return Way(tuple(line), tuple(100 / mps * i for i in range(pieces + 1)), tuple(range(straight, pieces, straight)))


def test_streets_are_full_by_the_clock_of_the_place() -> None:
    assert fullness(HELSINKI, NIGHT) < 0.9 < 1.1 < fullness(HELSINKI, RUSH)
    assert fullness(SAN_FRANCISCO, NIGHT) > 1.1  # there it is five in the afternoon


@pytest.mark.parametrize("now", [NIGHT, RUSH], ids=["night", "rush hour"])
@pytest.mark.parametrize(("mps", "straight"), [(7.5, 2), (9.0, 4)], ids=["slow plan", "quicker plan"])
def test_the_range_at_departure_holds_four_drives_in_five(mps: float, straight: int, now: datetime) -> None:
    way, full, table = planned(mps, straight), fullness(HELSINKI, now), learned()
    ratios = table.bases[Basis.ROAD].ratios(3000.0, way.times_s[-1], None)
    low, _, high = (ratio * full * way.times_s[-1] + table.start_s for ratio in ratios)
    took = [drive(way, random.Random(seed), now).duration_s for seed in range(200)]
    held = sum(low <= seconds <= high for seconds in took) / len(took)
    assert 0.7 <= held <= 0.95
    assert sorted(took)[100] == pytest.approx(usual_s(way, full), rel=0.15)
