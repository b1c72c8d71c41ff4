"""The driving model: no van is ever faster, harder on its brakes or further off the line than a real one."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.driving import ACCELERATE_MPS2, BRAKE_MPS2, FASTEST_MPS, Drive, Moment, Way, straight_way
from simulator.receiver import Receiver
from simulator.report import percentile
from simulator.routing import osrm_way, valhalla_way
from tracker.domain.geo import Point, distance_m, encode_polyline6, length_m, moved

HOME = Point(60.1699, 24.9384)


@st.composite
def ways(draw: st.DrawFn) -> Way:
    """Crooked lines whose times may say anything up to absurd speeds."""
    line, times = [HOME], [0.0]
    for _ in range(draw(st.integers(1, 25))):
        metres = draw(st.floats(0.5, 800))
        line.append(moved(line[-1], draw(st.floats(0, 359)), metres))
        times.append(times[-1] + metres / draw(st.floats(0.5, 400)))
    crossings = draw(st.lists(st.integers(0, len(line) - 1), unique=True))
    return Way(tuple(line), tuple(times), tuple(crossings))


@settings(max_examples=60)
@given(way=ways(), seed=st.integers(0, 5))
def test_no_drive_breaks_the_limits(way: Way, seed: int) -> None:
    drive = Drive(way, random.Random(seed))
    tenths = range(int(drive.duration_s * 10) + 12)
    moments = [drive.at(i / 10) for i in tenths]
    for a, b in pairwise(moments):
        assert 0 <= b.speed <= FASTEST_MPS
        assert -BRAKE_MPS2 * 0.1 - 1e-6 <= b.speed - a.speed <= ACCELERATE_MPS2 * 0.1 + 1e-6
        assert distance_m(a.point, b.point) <= FASTEST_MPS * 0.1 + 0.01
    assert moments[0].speed == 0
    assert moments[-1].speed == pytest.approx(0, abs=1e-9)
    assert distance_m(moments[-1].point, way.line[-1]) < 0.2
    driven = sum(distance_m(a.point, b.point) for a, b in pairwise(moments))
    assert driven <= length_m(way.line) + 1


def test_speed_is_the_change_of_place() -> None:
    drive = Drive(straight_way(HOME, moved(HOME, 30, 900), 13.0), random.Random(1))
    for t in range(5, int(drive.duration_s) - 5):
        covered = distance_m(drive.at(t - 0.5).point, drive.at(t + 0.5).point)
        assert covered == pytest.approx(drive.at(t).speed, abs=0.3)


def test_the_same_seed_drives_the_same_way_and_another_does_not() -> None:
    line = tuple(moved(HOME, 90, 100.0 * i) for i in range(12))
    way = Way(line, tuple(9.0 * i for i in range(12)), tuple(range(1, 11)))
    durations = [Drive(way, random.Random(seed)).duration_s for seed in (1, 1, 2, 3)]
    assert durations[0] == durations[1]
    assert len(set(durations)) > 1


def test_a_red_light_is_a_stand_at_the_crossing() -> None:
    line = (HOME, moved(HOME, 0, 400), moved(HOME, 0, 800))
    drives = [Drive(Way(line, (0, 40, 80), (1,)), random.Random(seed)) for seed in range(16)]
    standing = [
        [t for t in range(int(d.duration_s)) if d.at(t).speed < 1 and distance_m(d.at(t).point, line[1]) < 0.5] for d in drives
    ]
    held_up = [seconds for seconds in standing if seconds]
    assert 0 < len(held_up) < len(drives)
    assert all(3 <= len(seconds) <= 130 for seconds in held_up)


def test_drives_spread_around_the_plan_as_real_trips_do() -> None:
    line = tuple(moved(HOME, 90, 100.0 * i) for i in range(21))  # 2 km planned at 10 m/s
    way = Way(line, tuple(10.0 * i for i in range(21)), (5, 11, 16))
    ratios = [Drive(way, random.Random(seed)).duration_s / 200 for seed in range(400)]
    p10, p50, p90 = (percentile(ratios, share) for share in (0.1, 0.5, 0.9))
    assert 1.0 < p10 < 1.6  # taxi trips of this length, with bends: 1.35, 1.95, 3.0
    assert 1.5 < p50 < 2.15
    assert 2.1 < p90 < 3.2


@pytest.mark.parametrize(("line", "times"), [((HOME,), (0.0,)), ((HOME, HOME), (5.0, 1.0)), ((HOME, HOME), (0.0,))])
def test_what_is_not_a_way_is_refused(line: tuple[Point, ...], times: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"times|places"):
        Way(line, times)


def test_a_receiver_errs_slowly_and_says_how_much() -> None:
    receiver = Receiver(random.Random(4), sigma_m=4.0)
    start = datetime(2026, 5, 4, 12, tzinfo=UTC)
    fixes = [receiver.read(start + timedelta(seconds=i), Moment(HOME, 10.0, 90.0)) for i in range(3000)]
    errors = [distance_m(fix.point, HOME) for fix in fixes]
    steps = [distance_m(a.point, b.point) for a, b in pairwise(fixes)]
    assert 3 < sum(errors) / len(errors) < 8
    assert sum(steps) / len(steps) < 0.35 * sum(errors) / len(errors)  # neighbours err alike
    inside = sum(error <= (fix.acc or 0) for error, fix in zip(errors, fixes, strict=True)) / len(fixes)
    assert 0.5 < inside < 0.9
    assert pstdev([fix.speed or 0 for fix in fixes]) < 0.5
    assert fixes[-1].battery is not None
    assert fixes[0].battery is not None
    assert fixes[-1].battery < fixes[0].battery


def test_a_standing_receiver_gives_no_course() -> None:
    receiver = Receiver(random.Random(4))
    fixes = [receiver.read(datetime(2026, 5, 4, 12, 0, i, tzinfo=UTC), Moment(HOME, 0.0, 90.0)) for i in range(20)]
    assert {fix.course for fix in fixes} == {None}


def test_routers_answers_become_ways() -> None:
    line = [HOME, moved(HOME, 0, 100), moved(HOME, 0, 300), moved(moved(HOME, 0, 300), 90, 50)]
    rounded = [Point(round(p.lat, 6), round(p.lon, 6)) for p in line]
    shape = encode_polyline6(line)
    manoeuvres = [
        {"begin_shape_index": 0, "end_shape_index": 2, "time": 30.0},
        {"begin_shape_index": 2, "end_shape_index": 3, "time": 10.0},
        {"begin_shape_index": 3, "end_shape_index": 3, "time": 0.0},
    ]
    way = valhalla_way({"trip": {"legs": [{"shape": shape, "maneuvers": manoeuvres}]}})
    assert way.line == tuple(rounded)
    assert way.times_s == pytest.approx((0, 10, 30, 40), abs=0.05)
    assert way.crossings == (2,)
    steps = [{"maneuver": {"location": [p.lon, p.lat]}} for p in (rounded[0], rounded[2], rounded[3])]
    leg = {"annotation": {"duration": [10.0, 20.0, 10.0]}, "steps": steps}
    assert osrm_way({"routes": [{"geometry": shape, "legs": [leg]}]}) == Way(tuple(rounded), (0, 10, 30, 40), (2,))
