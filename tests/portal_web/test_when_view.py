"""Days and times to choose from, as they are printed."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from portal_web.chosen_view import held_words, local_day, moment, own_words
from portal_web.when_view import Asked, strip_of, zone_shown

HELSINKI = "Europe/Helsinki"
MONDAY = date(2026, 11, 30)


@dataclass(frozen=True)
class Offer:
    arrival_at: datetime


@dataclass(frozen=True)
class Day:
    day: date
    offers: list[Offer] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    first: date
    days: list[Day]
    zone: str = HELSINKI
    next_free: date | None = None
    source: str = "road"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def week(first: date, **times: list[str]) -> Found:
    days = [first + timedelta(days=each) for each in range(7)]
    return Found(first, [Day(day, [Offer(at(each)) for each in times.get(f"d{day.day}", [])]) for day in days])


NOVEMBER = week(
    date(2026, 11, 25),
    d26=["2026-11-26T09:00+02:00"],
    d30=["2026-11-30T08:30+02:00", "2026-11-30T12:00+02:00", "2026-11-30T14:00+02:00", "2026-11-30T18:30+02:00"],
)
TODAY, HORIZON = date(2026, 11, 24), 57


def test_the_first_day_with_a_time_is_shown_until_another_is_chosen() -> None:
    assert strip_of(NOVEMBER, Asked(), TODAY, HORIZON).day == "2026-11-26"
    assert strip_of(NOVEMBER, Asked(day=MONDAY), TODAY, HORIZON).day == "2026-11-30"
    assert strip_of(NOVEMBER, Asked(at=at("2026-11-30T14:00+02:00")), TODAY, HORIZON).day == "2026-11-30"
    elsewhere = Asked(day=date(2026, 12, 24), at=at("2026-12-24T14:00+02:00"))
    assert strip_of(NOVEMBER, elsewhere, TODAY, HORIZON).day == "2026-11-26"


def test_a_week_says_for_each_day_how_many_times_and_for_the_chosen_one_which() -> None:
    strip = strip_of(NOVEMBER, Asked(day=MONDAY, at=at("2026-11-30T14:00+02:00")), TODAY, HORIZON)
    assert strip.months == "November to December 2026"
    assert [(day.weekday, day.number, day.count) for day in strip.days[:2]] == [("Wed", "25", "full"), ("Thu", "26", "1 time")]
    assert strip.days[5].label == "Monday 30 November, 4 times"
    assert [day.full for day in strip.days] == [True, False, True, True, True, False, True]
    assert [(group.heading, [slot.clock for slot in group.slots]) for group in strip.groups] == [
        ("Monday 30 November, morning", ["08:30"]),
        ("Afternoon", ["12:00", "14:00"]),
        ("Evening", ["18:30"]),
    ]
    [chosen] = [slot for group in strip.groups for slot in group.slots if slot.chosen]
    assert chosen.value == "2026-11-30T12:00:00Z"


def test_what_was_just_taken_stays_in_its_place_and_cannot_be_pressed() -> None:
    strip = strip_of(NOVEMBER, Asked(day=MONDAY, taken=at("2026-11-30T10:00+02:00")), TODAY, HORIZON)
    assert [(slot.clock, slot.note) for slot in strip.groups[0].slots] == [("08:30", None), ("10:00", "taken")]
    moving = strip_of(NOVEMBER, Asked(day=MONDAY, own=at("2026-11-30T12:00+02:00")), TODAY, HORIZON)
    assert [(slot.clock, slot.note) for slot in moving.groups[1].slots] == [("12:00", "your present time"), ("14:00", None)]


def test_weeks_are_paged_between_today_and_the_horizon() -> None:
    ends = [
        (strip.earlier, strip.later)
        for strip in (
            strip_of(week(date(2026, 11, 24)), Asked(), TODAY, HORIZON),
            strip_of(week(date(2026, 11, 27)), Asked(), TODAY, HORIZON),
            strip_of(week(date(2027, 1, 14)), Asked(), TODAY, HORIZON),
        )
    ]
    assert ends == [(None, "2026-12-01"), ("2026-11-24", "2026-12-04"), ("2027-01-07", None)]


def test_an_empty_week_leads_to_the_next_free_day() -> None:
    found = Found(date(2026, 12, 1), week(date(2026, 12, 1)).days, next_free=date(2026, 12, 8))
    strip = strip_of(found, Asked(), TODAY, HORIZON)
    assert strip.none == "No times in this week. The next free time is Tue 8 Dec."
    assert strip.next_free
    assert (strip.next_free.value, strip.next_free.words) == ("2026-12-08", "Tue 8 Dec")
    never = strip_of(Found(date(2026, 12, 1), week(date(2026, 12, 1)).days), Asked(), TODAY, HORIZON)
    assert never.none == "No times are free as far as we plan ahead. Call the service desk."
    assert never.next_free is None


def test_in_the_hour_that_the_clocks_repeat_each_time_is_said_with_its_offset() -> None:
    autumn = week(date(2026, 10, 25), d25=["2026-10-25T03:30+03:00", "2026-10-25T03:30+02:00", "2026-10-25T04:00+02:00"])
    [group] = strip_of(autumn, Asked(), TODAY, HORIZON).groups
    assert [slot.clock for slot in group.slots] == ["03:30 EEST", "03:30 EET", "04:00"]
    assert len({slot.value for slot in group.slots}) == 3
    one_left = week(date(2026, 10, 25), d25=["2026-10-25T03:30+02:00", "2026-10-25T04:00+02:00"])
    [group] = strip_of(one_left, Asked(), TODAY, HORIZON).groups
    assert [slot.clock for slot in group.slots] == ["03:30 EET", "04:00"]  # it alone would not say which of the two is meant


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (["2027-03-26T14:00+02:00"], "EET, UTC+2"),
        (["2027-03-29T14:00+03:00"], "EEST, UTC+3"),
        (["2027-03-28T01:00+02:00", "2027-03-28T14:00+03:00"], "EET, UTC+2, then EEST, UTC+3"),
        ([], "EET, UTC+2"),
    ],
)
def test_the_zone_is_named_as_it_is_at_the_times_that_are_shown(times: list[str], words: str) -> None:
    """Not as it is when they are looked at: in March next week's times may be an hour from what "now" would say."""
    found = week(date(2027, 3, 23), **{f"d{times[0][8:10]}": times} if times else {})
    strip = strip_of(found, Asked(), TODAY, HORIZON)
    assert zone_shown(strip, HELSINKI, at("2027-03-23T12:00+02:00")) == f"Helsinki time ({words})"
    assert zone_shown(None, HELSINKI, at("2027-07-01T12:00+03:00")) == "Helsinki time (EEST, UTC+3)"


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (HELSINKI, None),
        ("Europe/Kyiv", None),
        (None, None),
        ("Europe/Stockholm", "That is 13:00 where you are."),
        ("Pacific/Auckland", "That is Tue 1 Dec, 01:00 where you are."),
    ],
)
def test_the_own_zone_is_added_where_it_differs(own: str | None, words: str | None) -> None:
    assert own_words(at("2026-11-30T14:00+02:00"), HELSINKI, own) == words


def test_the_hold_says_how_long_without_seconds() -> None:
    now = at("2026-11-30T14:00+02:00")
    assert held_words(now + timedelta(minutes=5), now) == "Held for you for the next 5 min."
    assert held_words(now + timedelta(seconds=61), now) == "Held for you for the next 2 min."
    assert held_words(now + timedelta(seconds=1), now) == "Held for you for the next 1 min."


@pytest.mark.parametrize("said", [None, "", "x", "2026-11-30T14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "0"])
def test_a_time_nobody_offered_is_no_time(said: str | None) -> None:
    assert moment(said) is None


def test_moments_and_days_are_read_back_as_they_were_sent() -> None:
    assert moment("2026-11-30T12:00:00Z") == at("2026-11-30T14:00+02:00")
    assert local_day("2026-11-30") == MONDAY
    assert [local_day(each) for each in (None, "", "30.11.2026", "0001-01-01", "9999-12-31")] == [None] * 5
