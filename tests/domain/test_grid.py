"""Times of day in every zone of the world, on every day from 2026 to 2028 on which its clocks change (F24)."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from tracker.domain.cells import moment
from tracker.domain.diaries import HERE, Diary, Promise
from tracker.domain.duty import WeekHours
from tracker.domain.geo import Point
from tracker.domain.grid import times_of_day
from tracker.domain.shifts import weekly_shifts
from tracker.domain.slots import Rules, Work, look, possible

STEP_MIN = 30
DAYS = [date(2026, 1, 1) + timedelta(days=each) for each in range(3 * 365 + 1)]
PLACE = Point(60.17, 24.94)


def changes(zone: ZoneInfo) -> list[date]:
    """The local days of a zone on which the offset at midnight and at the next one differ."""
    offsets = [datetime.combine(day, time(), zone).utcoffset() for day in DAYS]
    return [day for day, (one, next_) in zip(DAYS, pairwise(offsets), strict=False) if one != next_]


def shown(day: date, zone: ZoneInfo) -> list[int]:
    """What the clocks really show: every fifth minute of UTC round the day, told by the zone itself."""
    around = round(datetime.combine(day, time(), UTC).timestamp())
    found = []
    for second in range(around - 15 * 3600, around + 40 * 3600, 300):
        local = moment(second).astimezone(zone)
        if local.date() == day and (local.hour * 60 + local.minute) % STEP_MIN == 0:
            found.append(second)
    return found


CHANGES = [(name, day) for name in sorted(available_timezones()) for day in changes(ZoneInfo(name))]


def test_every_change_of_clocks_is_there() -> None:
    assert len({name for name, _ in CHANGES}) > 150
    assert len(CHANGES) > 900
    assert ("Europe/Helsinki", date(2027, 3, 28)) in CHANGES
    assert ("Australia/Lord_Howe", date(2027, 4, 4)) in CHANGES


def test_the_grid_is_what_the_clocks_show_in_every_zone_on_every_change() -> None:
    wrong = [(name, day) for name, day in CHANGES if list(times_of_day(name, day, STEP_MIN)) != shown(day, ZoneInfo(name))]
    assert wrong == []


def test_every_time_offered_on_a_day_of_change_can_be_booked_in_every_zone() -> None:
    """Every offer is possible by itself; and booked one after the other, no stretch lies upon another."""
    for name, day in CHANGES:
        hours = tuple(WeekHours(weekday, 0, 1440) for weekday in range(7))
        shifts = weekly_shifts(hours, (), name, day, day, frozenset())
        diary, work, rules = Diary("one", None, shifts), Work(PLACE, 3600), Rules(0)
        grid = times_of_day(name, day, STEP_MIN)
        offered = look([diary], grid, work, lambda *_: HERE, rules).offered
        assert list(offered) == list(grid), (name, day)
        booked: list[Promise] = []
        for arrival in offered:
            fit = possible(diary.with_promises(booked), work, arrival, lambda *_: HERE, rules)
            if fit is not None:
                booked.append(Promise(str(arrival), fit.begins, fit.arrival, fit.ends, PLACE))
        assert all(one.ends <= next_.begins for one, next_ in pairwise(booked))
        assert len(booked) * 3600 >= (grid[-1] - grid[0]) - 3600, (name, day)


@pytest.mark.parametrize(
    ("zone", "day", "labels", "count"),
    [
        ("Europe/Helsinki", date(2027, 3, 28), ["02:30+0200", "04:00+0300"], 46),
        ("Europe/Helsinki", date(2026, 10, 25), ["03:00+0300", "03:30+0300", "03:00+0200", "03:30+0200"], 50),
        ("Australia/Lord_Howe", date(2027, 4, 4), ["01:30+1100", "01:30+1030"], 49),
        ("Asia/Beirut", date(2027, 3, 28), ["01:00+0300"], 46),
        ("Asia/Kathmandu", date(2027, 3, 28), ["00:00+0545"], 48),
    ],
)
def test_gaps_are_left_out_and_folds_come_twice(zone: str, day: date, labels: list[str], count: int) -> None:
    local = [moment(each).astimezone(ZoneInfo(zone)) for each in times_of_day(zone, day, STEP_MIN)]
    said = [f"{each:%H:%M%z}" for each in local]
    assert len(said) == len(set(said)) == count
    places = [said.index(label) for label in labels]
    assert places == list(range(places[0], places[0] + len(labels)))
