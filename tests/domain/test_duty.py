"""Duty by the clock on the wall: touching stretches are one, nights reach into the next day, clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.duty import Stretch, WeekHours, duty_at

OFFICE = [WeekHours(weekday, 8 * 60, 12 * 60) for weekday in range(5)] + [WeekHours(w, 12 * 60 + 30, 17 * 60) for w in range(5)]
HELSINKI = "Europe/Helsinki"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-24T08:00+02:00", "2026-11-24T08:00+02:00", "2026-11-24T12:00+02:00"),
        ("2026-11-24T14:02+02:00", "2026-11-24T12:30+02:00", "2026-11-24T17:00+02:00"),
        ("2026-07-01T14:02+03:00", "2026-07-01T12:30+03:00", "2026-07-01T17:00+03:00"),
    ],
)
def test_on_duty(now: str, start: str, end: str) -> None:
    assert duty_at(OFFICE, HELSINKI, at(now)) == Stretch(at(start), at(end))


@pytest.mark.parametrize(
    "now", ["2026-11-24T07:59:59+02:00", "2026-11-24T12:15+02:00", "2026-11-24T17:00+02:00", "2026-11-28T10:00+02:00"]
)
def test_off_duty(now: str) -> None:
    assert duty_at(OFFICE, HELSINKI, at(now)) is None
    assert duty_at([], HELSINKI, at(now)) is None


def test_a_night_reaches_into_the_next_day() -> None:
    night = [WeekHours(6, 22 * 60, 30 * 60)]  # Sunday 22:00 to Monday 06:00
    stretch = Stretch(at("2026-11-22T22:00+02:00"), at("2026-11-23T06:00+02:00"))
    assert duty_at(night, HELSINKI, at("2026-11-23T05:59+02:00")) == stretch
    assert duty_at(night, HELSINKI, at("2026-11-23T06:00+02:00")) is None


def test_a_shift_ends_by_the_wall_clock_on_the_night_it_is_set_back() -> None:
    night = [WeekHours(5, 22 * 60, 30 * 60)]
    stretch = duty_at(night, HELSINKI, at("2026-10-25T01:00+03:00"))
    assert stretch == Stretch(at("2026-10-24T22:00+03:00"), at("2026-10-25T06:00+02:00"))
    assert stretch.end - stretch.start == timedelta(hours=9)


def test_round_the_clock_is_one_long_stretch() -> None:
    now = at("2026-11-24T00:00+02:00")
    stretch = duty_at([WeekHours(w, 0, 1440) for w in range(7)], HELSINKI, now)
    assert stretch is not None
    assert stretch.start <= now - timedelta(days=2)
    assert stretch.end >= now + timedelta(days=2)
