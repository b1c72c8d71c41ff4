"""F13: whatever the phone's clock says, the order stays right and nothing from the future blocks the marker."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.clocks import ROLLOVER, Clock, corrected, heard_fix, heard_sent
from tracker.domain.pings import Believed, Ping, judge

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OFF = [timedelta(seconds=90), timedelta(hours=24), timedelta(days=3652), timedelta(hours=1)]
ALL_OFF = [*OFF, *(-off for off in OFF), timedelta(0)]


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize("off", ALL_OFF, ids=str)
def test_the_own_protocol_puts_any_clock_right_at_once(off: timedelta) -> None:
    clock = heard_sent(Clock(), NOW + off, NOW + seconds(0.2))
    fix = corrected(NOW - seconds(1) + off, clock, NOW + seconds(0.2))
    if off < timedelta(0):  # behind: believed from the second frame on, a late frame looks the same
        clock = heard_sent(clock, NOW + off + seconds(5), NOW + seconds(5.2))
        fix = corrected(NOW - seconds(1) + off, clock, NOW + seconds(5.2))
    assert abs(fix - (NOW - seconds(1))) <= seconds(0.3)


def test_a_small_difference_is_the_networks() -> None:
    clock = heard_sent(Clock(), NOW - seconds(1.5), NOW)
    assert corrected(NOW - seconds(3), clock, NOW) == NOW - seconds(3)


def test_a_burst_out_of_a_tunnel_is_no_clock_put_back() -> None:
    clock = Clock()
    for n in range(10):
        clock = heard_sent(clock, NOW - seconds(60) + seconds(n), NOW + seconds(n * 0.01))
    assert clock.ahead_s == 0


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_step_in_the_middle_of_a_trip_keeps_the_order(step: int) -> None:
    clock, last, moves = Clock(), None, []
    for n in range(60):
        true = NOW + seconds(5 * n)
        off = seconds(step if n >= 30 else 0)
        clock = heard_sent(clock, true + off, true + seconds(0.1))
        ping = Ping(at=corrected(true + off, clock, true), lat=60 + n * 1e-4, lon=24.9, acc=5)
        verdict = judge(ping, last, true + seconds(0.1))
        last, moves = verdict.last, [*moves, verdict.moves]
    assert moves.count(False) <= 1
    assert all(moves[32:])
    assert last is not None
    assert abs(last.at - (NOW + seconds(295))) <= seconds(0.3)


def test_what_was_fixed_before_a_step_back_is_read_by_the_old_clock() -> None:
    clock = Clock(ahead_s=-3600, before_s=0)
    assert corrected(NOW - seconds(5), clock, NOW) == NOW - seconds(5)
    assert corrected(NOW - seconds(3605), clock, NOW) == NOW - seconds(5)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=8)])
def test_lost_weeks_come_back(late: timedelta) -> None:
    assert corrected(NOW - late - ROLLOVER, Clock(), NOW) == NOW - late


@pytest.mark.parametrize("off", OFF, ids=str)
def test_a_stock_phone_ahead_is_put_right_and_cannot_freeze_the_marker(off: timedelta) -> None:
    clock, last, moved = Clock(), None, 0
    for n in range(20):
        now = NOW + seconds(15 * n)
        clock = heard_fix(clock, now + off - seconds(1), now)
        ping = Ping(at=corrected(now + off - seconds(1), clock, now), lat=60 + n * 1e-4, lon=24.9, acc=5)
        verdict = judge(ping, last, now)
        moved += verdict.moves
        last = verdict.last
        assert last is None or last.at <= now + seconds(30)
    assert moved >= 18


def test_a_stock_phone_behind_shows_its_age_rather_than_an_old_place_as_new() -> None:
    clock = Clock()
    for n in range(20):
        clock = heard_fix(clock, NOW - seconds(3600 - 15 * n), NOW + seconds(15 * n))
    assert corrected(NOW - seconds(3600), clock, NOW) == NOW - seconds(3600)


def test_a_stock_phone_put_right_again_is_believed_again() -> None:
    clock = Clock()
    for n in range(3):
        clock = heard_fix(clock, NOW + seconds(3600 + 15 * n), NOW + seconds(15 * n))
    assert clock.ahead_s == 3600
    for n in range(3, 6):
        clock = heard_fix(clock, NOW + seconds(15 * n - 1), NOW + seconds(15 * n))
    assert clock.ahead_s == 0


def test_one_fix_from_the_future_is_refused_and_forgotten() -> None:
    good = Ping(at=NOW, lat=60, lon=24.9)
    last: Believed | None = judge(good, None, NOW).last
    verdict = judge(Ping(at=NOW + timedelta(days=3652), lat=60, lon=24.9), last, NOW)
    assert (verdict.rule, verdict.last) == ("from_the_future", last)
    assert judge(Ping(at=NOW + seconds(5), lat=60, lon=24.9001), last, NOW + seconds(5)).moves


def test_the_end_of_the_calendar() -> None:
    first, final = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for ahead in (1e9, -1e9):
        assert corrected(first, Clock(ahead), NOW) is not None
        assert corrected(final, Clock(ahead), NOW) is not None
