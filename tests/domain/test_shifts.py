"""When technicians work: hours, breaks, absences, holidays, nights, and the days on which clocks change."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.cells import epoch_s, moment
from tracker.domain.duty import WeekHours
from tracker.domain.shifts import Shift, Span, joined, shifts_without, weekly_shifts, without

HELSINKI = "Europe/Helsinki"
DAY = date(2026, 11, 25)
"""A Wednesday."""
EIGHT_TO_FIVE = tuple(WeekHours(day, 480, 1020) for day in range(7))


def s(hour: int, minute: int = 0, day: int = 25, month: int = 11) -> int:
    """UTC."""
    return epoch_s(datetime(2026, month, day, hour, minute, tzinfo=UTC))


def on(day: int, shifts: tuple[Shift, ...]) -> list[tuple[Span, ...]]:
    return [shift.work for shift in shifts if moment(shift.start).day == day]


def test_a_day_is_its_hours_without_breaks() -> None:
    lunch = tuple(WeekHours(day, 720, 750) for day in range(7))
    shifts = weekly_shifts(EIGHT_TO_FIVE, lunch, HELSINKI, DAY, DAY, frozenset())
    assert on(25, shifts) == [(Span(s(6), s(10)), Span(s(10, 30), s(15)))]


def test_hours_with_a_gap_are_one_shift_and_far_apart_two() -> None:
    split = (WeekHours(2, 480, 720), WeekHours(2, 780, 1020))
    (shift,) = weekly_shifts(split, (), HELSINKI, DAY, DAY, frozenset())
    assert (shift.start, shift.end) == (s(6), s(15))
    assert len(shift.work) == 2
    apart = (WeekHours(2, 360, 600), WeekHours(2, 1020, 1260))
    assert len(weekly_shifts(apart, (), HELSINKI, DAY, DAY, frozenset())) == 2


def test_nobody_begins_on_a_closed_day_but_the_night_before_is_worked_to_its_end() -> None:
    night = tuple(WeekHours(day, 1320, 1800) for day in range(7))  # 22:00 to 6:00
    shifts = weekly_shifts(night, (), HELSINKI, DAY, DAY, frozenset({DAY}))
    assert [(shift.start, shift.end) for shift in shifts] == [(s(20, day=24), s(4)), (s(20, day=26), s(4, day=27))]


def test_absences_are_taken_out() -> None:
    shifts = shifts_without(
        weekly_shifts(EIGHT_TO_FIVE, (), HELSINKI, DAY, DAY, frozenset()), [Span(s(5), s(8)), Span(s(7), s(9))]
    )
    assert on(25, shifts) == [(Span(s(9), s(15)),)]
    (only,) = [shift for shift in shifts if moment(shift.start).day == 25]
    assert (only.start, only.end) == (s(6), s(15))  # the shift itself is as long as it was
    assert only.window(s(9), s(15)) == Span(s(9), s(15))
    assert only.window(s(8, 59), s(10)) is None


def test_a_shift_ends_at_the_wall_clock_when_clocks_change() -> None:
    back = date(2026, 10, 25)
    (shift,) = [
        one
        for one in weekly_shifts((WeekHours(6, 0, 1020),), (), HELSINKI, back, back, frozenset())
        if one.start == s(21, day=24, month=10)
    ]
    assert shift.end == s(15, day=25, month=10)  # 18 hours: the hour from three to four comes twice


spans = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 60)).map(lambda each: Span(each[0], each[0] + each[1])), max_size=8
)


@given(spans, spans)
def test_without_is_what_is_in_the_one_and_not_in_the_other(some: list[Span], holes: list[Span]) -> None:
    left = without(joined(some), joined(holes))
    inside = {second for span in left for second in range(span.start, span.end)}
    assert sum(span.end - span.start for span in left) == len(inside)
    assert inside == {n for a in some for n in range(a.start, a.end)} - {n for a in holes for n in range(a.start, a.end)}
