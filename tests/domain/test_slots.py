"""Whether a technician can come: tables of cases, and a naive calendar of minutes that must agree with the clever one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.cells import after_cell, cells, epoch_s, first_cell
from tracker.domain.crow import travel_s
from tracker.domain.diaries import BOUND, FASTEST_MPS, Diary, Promise, Travel, bound
from tracker.domain.geo import Point, distance_m
from tracker.domain.shifts import Shift, Span
from tracker.domain.slots import Chosen, Fit, Rules, Work, look, possible, unknown, way_to

HOME, PLACE, OTHER = Point(60.20, 24.90), Point(60.17, 24.94), Point(60.25, 25.00)
DAY = epoch_s(datetime(2026, 11, 25, tzinfo=UTC))


def t(hour: float, minute: float = 0) -> int:
    return round(DAY + hour * 3600 + minute * 60)


SHIFT = Shift(t(8), t(17), (Span(t(8), t(12)), Span(t(13), t(17))))
WORK = Work(PLACE, 3600)
RULES = Rules(now=t(0))


def minutes(number: float, source: str = "road"):  # type: ignore[no-untyped-def]
    return lambda *_: Travel(round(number * 60), 5000, source)


def visit(name: str, arrival: int, ends: int, *, travel_min: float = 20, place: Point = OTHER, mendable: bool = True) -> Promise:
    return Promise(name, round(arrival - travel_min * 60), arrival, ends, place, mendable)


def diary(*promises: Promise, shift: Shift = SHIFT, home: Point | None = HOME) -> Diary:
    return Diary("maya", home, (shift,), promises)


def test_two_o_clock_with_twenty_minutes_travel_is_held_from_twenty_to_two() -> None:
    fit = possible(diary(), WORK, t(14), minutes(20), RULES)
    assert fit is not None
    assert (fit.begins, fit.ends) == (t(13, 40), t(15))
    assert fit.cells == cells(t(13, 40), t(15))


def test_stretches_are_rounded_outward_before_they_are_offered() -> None:
    fit = possible(diary(), Work(PLACE, 61 * 60), t(14), minutes(20.5), RULES)
    assert fit is not None
    assert (fit.cells.start, fit.cells.stop) == (first_cell(t(13, 35)), first_cell(t(15, 5)))
    taken = visit("before", t(13), t(13, 36))  # its last cell is the one in which the travel would begin
    assert possible(diary(taken), Work(PLACE, 61 * 60), t(14), minutes(20.5), RULES) is None


@pytest.mark.parametrize(
    ("arrival", "can"),
    [
        (t(8), True),
        (t(7, 30), False),
        (t(11), True),
        (t(11, 30), False),
        (t(12), False),
        (t(13), False),
        (t(13, 20), True),
        (t(16), True),
        (t(16, 30), False),
    ],
)
def test_work_lies_in_the_shift_and_off_breaks_and_travel_off_breaks(arrival: int, can: bool) -> None:
    assert (possible(diary(), WORK, arrival, minutes(20), RULES) is not None) is can


def test_travel_from_home_lies_before_working_hours_only_if_the_rule_says_so() -> None:
    strict = RULES._replace(before_hours=False)
    assert possible(diary(), WORK, t(8), minutes(20), strict) is None
    assert possible(diary(), WORK, t(8, 20), minutes(20), strict) is not None


def test_the_way_home_fits_only_if_the_rule_says_so() -> None:
    strict = RULES._replace(way_home=True)
    assert possible(diary(), WORK, t(16), minutes(20), RULES) is not None
    assert possible(diary(), WORK, t(16), minutes(20), strict) is None
    fit = possible(diary(), WORK, t(15, 30), minutes(20), strict)
    assert fit is not None
    assert fit.home == HOME


def test_nobody_can_have_left_before_now() -> None:
    assert possible(diary(), WORK, t(14), minutes(20), Rules(now=t(13, 41))) is None
    assert possible(diary(), WORK, t(14), minutes(20), Rules(now=t(13, 40))) is not None


def test_travel_is_from_the_visit_before_and_to_the_visit_after() -> None:
    ways = {(OTHER, PLACE): Travel(600, 1000, "road"), (PLACE, OTHER): Travel(900, 1500, "road")}
    full = diary(visit("before", t(8), t(9)), visit("after", t(11), t(12), travel_min=0))
    asked: list[tuple[Point, Point]] = []

    def travel(start: Point, end: Point) -> Travel:
        asked.append((start, end))
        return ways[start, end]

    fit = possible(full, WORK, t(9, 30), travel, RULES)
    assert fit is not None
    assert asked == [(OTHER, PLACE), (PLACE, OTHER)]
    assert (fit.inward.s, fit.outward and fit.outward.s, fit.after and fit.after.id) == (600, 900, "after")
    assert fit.mended == t(10, 45)
    assert possible(full, WORK, t(9, 45), travel, RULES) is not None  # ends 10:45: just in time
    assert possible(full, WORK, t(9, 50), travel, RULES) is None
    assert possible(full, WORK, t(9, 5), travel, RULES) is None  # cannot be there before 9:10
    assert possible(full, WORK, t(9, 10), travel, RULES) is not None


def test_the_next_visits_own_travel_is_replaced_and_in_nobodys_way() -> None:
    far = diary(visit("after", t(15), t(16), travel_min=90))
    assert possible(far, WORK, t(13, 30), minutes(20), RULES) is not None  # 13:30 to 14:30 lies upon that travel


def test_nothing_is_put_before_a_visit_that_is_under_way() -> None:
    assert possible(diary(visit("after", t(15), t(16), mendable=False)), WORK, t(13, 20), minutes(5), RULES) is None


def test_an_unknown_home_is_no_hindrance_and_ranks_last() -> None:
    nowhere, somewhere = (possible(diary(home=home), WORK, t(14), minutes(20), RULES) for home in (None, HOME))
    assert nowhere is not None
    assert somewhere is not None
    assert (nowhere.origin, nowhere.begins) == (None, t(14))
    assert sorted([Chosen(nowhere, diary(), 0), Chosen(somewhere, diary(), 0)], key=lambda one: one.rank)[0].fit is somewhere


def test_the_least_distance_wins_then_time_then_the_quieter_day_then_the_id() -> None:
    fit = possible(diary(), WORK, t(14), minutes(20), RULES)
    assert fit is not None

    def one(technician: str, metres: int, seconds: int, busy: int) -> Chosen:
        return Chosen(fit._replace(technician=technician, inward=Travel(seconds, metres, "road")), diary(), busy)

    order = [
        one("d", 900, 999, 9),
        one("c", 1000, 500, 9),
        one("b", 1000, 600, 1),
        one("a", 1000, 600, 2),
        one("z", 1000, 600, 2),
    ]
    assert sorted(reversed(order), key=lambda each: each.rank) == order


def test_yesterdays_last_visit_is_not_where_the_day_begins() -> None:
    night = Promise("night", t(-8), t(-8), t(-6), OTHER)
    assert possible(diary(night), WORK, t(9), lambda a, b: Travel(60, 1, "road") if a is HOME else Travel(9000, 1, "road"), RULES)


def test_bounds_say_perhaps_and_which_travels_would_tell() -> None:
    fit = possible(diary(visit("after", t(16), t(17))), WORK, t(14), bound, RULES)
    assert fit is not None
    assert not fit.known
    assert unknown(fit, WORK) == [(HOME, PLACE), (PLACE, OTHER)]
    seen = look([diary()], [t(14), t(3)], WORK, bound, RULES)
    assert (seen.offered, seen.wanted) == ({}, {(HOME, PLACE)})
    assert look([diary()], [t(14), t(3)], WORK, minutes(20, "distance"), RULES).offered == {t(14): "distance"}


# -- against a naive calendar ------------------------------------------------------------------------------------------

places = st.builds(Point, st.floats(60.0, 60.4), st.floats(24.5, 25.3))
ways = st.integers(0, 90).map(lambda each: each * 60 + 7)


@st.composite
def days(draw: st.DrawFn) -> tuple[Diary, dict[tuple[Point, Point], Travel], Work]:
    """A day with visits that were promised one after the other, and travel times between all its places."""
    where = draw(st.lists(places, min_size=3, max_size=6, unique=True))
    travel = {(a, b): Travel(draw(ways), round(distance_m(a, b)), "road") for a in where for b in where}
    starts = draw(st.integers(0, 20)) * 1800 + t(4)
    middle = starts + draw(st.integers(1, 8)) * 1800
    again = middle + draw(st.integers(0, 4)) * 900
    shift = Shift(starts, again + 14400, (Span(starts, middle), Span(again, again + 14400)))
    book = Diary("one", where[0], (shift,))
    for number, place in enumerate(where[2:]):
        arrival = draw(st.integers(0, 96)) * 900 + DAY
        work = Work(place, draw(st.integers(1, 10)) * 660)
        fit = possible(book, work, arrival, lambda a, b: travel[a, b], Rules(now=0))
        if fit is not None:
            book = kept(book, fit, str(number), place)
    return book, travel, Work(where[1], draw(st.integers(1, 12)) * 600)


def kept(book: Diary, fit: Fit, name: str, place: Point) -> Diary:
    """The diary after the fit was promised, the next visit's travel promised anew."""
    others = [
        one._replace(begins=fit.mended) if fit.after is not None and fit.mended is not None and one.id == fit.after.id else one
        for one in book.promises
    ]
    return book.with_promises([*others, Promise(name, fit.begins, fit.arrival, fit.ends, place)])


@given(days(), st.integers(0, 96 * 3))
def test_what_is_promised_never_overlaps_and_everybody_arrives_in_time(
    day: tuple[Diary, dict[tuple[Point, Point], Travel], Work], quarter: int
) -> None:
    book, travel, work = day
    fit = possible(book, work, DAY + quarter * 300, lambda a, b: travel[a, b], Rules(now=0))
    if fit is not None:
        book = kept(book, fit, "new", work.place)
    seen: set[int] = set()
    at, free_from = book.home, 0
    for one in book.promises:
        stretch = set(cells(one.begins, one.ends))
        assert not stretch & seen
        seen |= stretch
        assert at is not None
        came_from = way_to(book, one)
        assert came_from in (at, book.home)
        assert one.begins + travel[came_from, one.place].s <= one.arrival  # type: ignore[index]
        assert first_cell(one.begins) >= after_cell(free_from)
        assert any(span.start <= one.arrival and one.ends <= span.end for span in book.shifts[0].work)
        at, free_from = one.place, one.ends


@given(days(), st.integers(0, 96 * 3))
def test_a_refusal_has_a_reason(day: tuple[Diary, dict[tuple[Point, Point], Travel], Work], quarter: int) -> None:
    """Where `possible` says no, the naive calendar of cells finds the collision, the break or the travel that does not fit."""
    book, travel, work = day
    arrival = DAY + quarter * 300
    if possible(book, work, arrival, lambda a, b: travel[a, b], Rules(now=0)) is not None:
        return
    ends = arrival + work.duration_s
    shift = book.shifts[0]
    window = next((span for span in shift.work if span.start <= arrival and ends <= span.end), None)
    if window is None:
        return
    earlier = [one for one in book.promises if one.arrival < arrival]
    later = [one for one in book.promises if one.arrival >= arrival]
    origin = earlier[-1].place if earlier else book.home
    begins = arrival - travel[origin, work.place].s  # type: ignore[index]
    reasons = [bool(set(cells(begins, ends)) & set(cells(one.begins, one.ends))) for one in earlier]
    reasons.append(begins < window.start and not (origin is book.home and window.start == shift.start))
    if later:
        leaves = later[0].arrival - travel[work.place, later[0].place].s
        after_break = next((span for span in shift.work if span.start <= later[0].arrival < span.end), None)
        reasons.append(after_cell(ends) > first_cell(leaves))
        reasons.append(after_break is not None and leaves < after_break.start)
    assert any(reasons)


@given(places, places)
def test_no_travel_is_less_than_its_bound(start: Point, end: Point) -> None:
    least = bound(start, end)
    assert least.source == BOUND
    assert least.m <= distance_m(start, end)
    assert least.s <= max(travel_s(start, end), distance_m(start, end) / FASTEST_MPS)


def test_a_shift_without_an_end_forgets_where_one_was_long_ago() -> None:
    endless = Shift(t(-100), t(100), (Span(t(-100), t(100)),))
    old = Promise("old", t(-20), t(-20), t(-19), OTHER)
    for arrival, origin in ((t(2), HOME), (t(-4), OTHER)):
        fit = possible(diary(old, shift=endless), WORK, arrival, minutes(20), Rules(now=t(-99)))
        assert fit is not None
        assert fit.origin == origin
