"""Being at the door and leaving it again: what ends a leg, and what does not (P1)."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.world import NOW
from tracker.domain.dwell import DWELL, LEAVES, Dwell, seen_at

RADIUS_M = 100.0


def after(*fixes: tuple[float, float]) -> Dwell:
    """The dwell after fixes of (seconds, metres away)."""
    dwell = Dwell()
    for seconds, away in fixes:
        dwell = seen_at(dwell, NOW + timedelta(seconds=seconds), away, RADIUS_M)
    return dwell


@pytest.mark.parametrize(
    ("fixes", "been_there", "left"),
    [
        ([(0, 5000), (60, 3000)], False, False),
        ([(0, 400), (10, 80), (20, 20), (30, 300)], False, False),  # drove past
        ([(0, 80), (100, 30), (110, 400)], False, False),  # waited at a light beside the house
        ([(0, 80), (121, 30)], True, False),
        ([(0, 80), (121, 30), (400, 120)], True, False),  # noise at the edge
        ([(0, 80), (121, 30), (400, 149), (500, 10)], True, False),
        ([(0, 80), (121, 30), (400, 151)], True, True),
        ([(0, 80), (121, 30), (400, 900), (500, 10)], True, True),  # back again: it stays over
        ([(0, 80), (60, 130), (121, 30), (200, 400)], True, True),  # a step outside is no new arrival
        ([(0, 80), (60, 170), (70, 30), (150, 400)], False, False),  # out and in again: the wait begins anew
    ],
)
def test_there_for_a_while_then_gone(fixes: list[tuple[float, float]], been_there: bool, left: bool) -> None:
    dwell = after(*fixes)
    assert (dwell.been_there, dwell.left) == (been_there, left)


def test_f12_parked_at_the_door_with_noise_is_not_left() -> None:
    """F12, for leaving: half an hour at 15 m from the address, σ = 15 m, a thousand times (short: errors drift over 30 s)."""
    dice, left, there = random.Random(12), 0, 0
    for _ in range(1_000):
        east, north, dwell = dice.gauss(0, 15), dice.gauss(0, 15), Dwell()
        for second in range(0, 1_800, 5):
            east, north = (0.85 * each + 0.53 * dice.gauss(0, 15) for each in (east, north))
            dwell = seen_at(dwell, NOW + timedelta(seconds=second), (east**2 + (15 + north) ** 2) ** 0.5, RADIUS_M)
        left, there = left + dwell.left, there + dwell.been_there
    print(f"1,000 times parked: {there} arrived, {left} left by noise")
    assert (there, left) == (1_000, 0)


def test_leaving_is_noticed_at_the_first_fix_beyond() -> None:
    track = [(float(n), 10.0) for n in range(0, int(DWELL.total_seconds()) + 10, 5)] + [(300.0 + n, 20.0 * n) for n in range(20)]
    dwell = Dwell()
    for (_, before), (seconds, away) in pairwise([(0.0, 0.0), *track]):
        dwell = seen_at(dwell, NOW + timedelta(seconds=seconds), away, RADIUS_M)
        if dwell.left:
            assert away > LEAVES * RADIUS_M >= before
            return
    raise AssertionError("never left")
