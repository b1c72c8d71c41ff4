"""Faults on request: each does what it says, and a seed repeats it exactly."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from simulator.faults import Cut, Event, Faults, FindNetwork, LoseNetwork, Repeat, Say, SetClock, spoilt
from simulator.tracks import Fix, Track, make_track
from tracker.domain.geo import distance_m, moved

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOME = Fix(NOON, 60.17, 24.94)


def track() -> Track:
    return make_track("t", [Fix(NOON + timedelta(seconds=i), *moved(HOME.point, 90, 10.0 * i), acc=5.0) for i in range(600)])


def spoil(*texts: str, seed: int = 3) -> list[Event]:
    return spoilt(track(), Faults.parse(texts), random.Random(seed))


def fixes(events: list[Event]) -> list[Fix]:
    return [fix for event in events if isinstance(event.deed, Say) for fix in event.deed.fixes]


def kinds(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event.deed, kind)]


def test_without_faults_every_fix_is_said_when_it_was_made() -> None:
    events = spoil()
    assert fixes(events) == list(track().fixes)
    assert [event.at_s for event in events] == [float(i) for i in range(600)]


def test_a_seed_repeats_everything_and_another_seed_does_not() -> None:
    all_of_them = ("noise=8", "jumps=0.05:900", "duplicates=0.3", "shuffle=0.3:60", "kills=4", "dead=2:50", "tunnels=2:30")
    assert spoil(*all_of_them) == spoil(*all_of_them)
    assert spoil(*all_of_them) != spoil(*all_of_them, seed=4)


def test_noise_moves_every_fix_a_little() -> None:
    off = [distance_m(a.point, b.point) for a, b in zip(fixes(spoil("noise=8")), track().fixes, strict=True)]
    assert 8 < sum(off) / len(off) < 12.5  # the mean of a two-dimensional error is 1.25 σ
    assert max(off) < 50


def test_jumps_are_rare_and_far() -> None:
    off = [distance_m(a.point, b.point) for a, b in zip(fixes(spoil("jumps=0.05:900")), track().fixes, strict=True)]
    far = [metres for metres in off if metres > 1]
    assert 15 < len(far) < 50
    assert all(449 < metres < 1351 for metres in far)


def test_a_tunnel_has_no_fix_and_ends_vaguely() -> None:
    left = fixes(spoil("tunnels=2:60"))
    assert 470 <= len(left) <= 485
    assert sum(fix.acc == 60.0 for fix in left) == 2


def test_duplicates_are_repeats_of_the_phone() -> None:
    assert 140 < len(kinds(spoil("duplicates=0.3"), Repeat)) < 220


def test_shuffled_fixes_come_late_but_keep_their_time() -> None:
    events = spoil("shuffle=0.3:60")
    said = fixes(events)
    assert sorted(said, key=lambda fix: fix.at) == list(track().fixes)
    assert said != list(track().fixes)
    delays = [event.at_s - (fix.at - NOON).total_seconds() for event, fix in zip(events, said, strict=True)]
    assert 0.2 < sum(delay > 0 for delay in delays) / 600 < 0.4
    assert max(delays) <= 60
    assert min(delays) == 0


def test_an_app_that_sleeps_says_many_at_once() -> None:
    events = spoil("burst=30")
    assert len(events) == 20
    assert all(len(event.deed.fixes) == 30 for event in events if isinstance(event.deed, Say))
    assert fixes(events) == list(track().fixes)


def test_dead_zones_begin_and_end_inside_the_track() -> None:
    events = spoil("dead=2:50")
    lost, found = kinds(events, LoseNetwork), kinds(events, FindNetwork)
    assert sorted(round(b.at_s - a.at_s) for a, b in zip(lost, found, strict=True)) == [50, 50]
    assert all(0 < event.at_s < 600 for event in lost + found)


def test_kills_and_clocks() -> None:
    assert len(kinds(spoil("kills=7"), Cut)) == 7
    assert kinds(spoil("clock=90:120"), SetClock) == [Event(120, SetClock(90))]
    assert spoil("clock=-3600")[0] == Event(0, SetClock(-3600))


@pytest.mark.parametrize(
    ("text", "why"), [("nois=3", "there are noise"), ("noise", "NAME=NUMBER"), ("noise=much", "not numbers")]
)
def test_a_fault_that_is_none_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Faults.parse([text])
