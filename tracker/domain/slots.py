"""Whether a technician can come at a time: the one function that search and booking share, and the choice among those who can.

All moments are whole seconds since the epoch; stretches are compared in cells, so rounded outward before they are offered.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tracker.domain.cells import after_cell, cells, first_cell
from tracker.domain.diaries import BOUND, HERE, Diary, Lookup, Promise, Travel
from tracker.domain.geo import Point
from tracker.domain.shifts import SAME_SHIFT_S, Shift

REMEMBERED_S = 16 * 3600
"""A visit that ended longer ago says no more where the technician is, even in a shift without an end."""


class Work(NamedTuple):
    """What is wanted: where, and for how many seconds."""

    place: Point
    duration_s: int


class Rules(NamedTuple):
    """The company's rules (settings), and now: nobody can have left earlier."""

    now: int
    before_hours: bool = True
    way_home: bool = False


class Fit(NamedTuple):
    """That a technician can come: the stretch to promise, and the travel before and after it.

    ``after`` is the next promise whose travel begins at ``mended`` from now on, with ``outward`` from the new place.
    """

    technician: str
    begins: int
    arrival: int
    ends: int
    inward: Travel
    origin: Point | None
    after: Promise | None = None
    outward: Travel | None = None
    home: Point | None = None  # where the way home leads, if it must fit
    homeward: Travel | None = None

    @property
    def known(self) -> bool:
        """Whether the travel was really looked up, not only bounded."""
        return all(travel is None or travel.source != BOUND for travel in (self.inward, self.outward, self.homeward))

    @property
    def source(self) -> str:
        """``road`` if all travel was found on roads, else ``distance``."""
        travels = (self.inward, self.outward, self.homeward)
        return "road" if all(travel is None or travel.source == "road" for travel in travels) else "distance"

    @property
    def cells(self) -> range:
        """The cells of the stretch."""
        return cells(self.begins, self.ends)

    @property
    def mended(self) -> int | None:
        """When the technician leaves for the next promise from now on."""
        return None if self.after is None or self.outward is None else self.after.arrival - self.outward.s


def possible(diary: Diary, work: Work, arrival: int, travel: Lookup, rules: Rules) -> Fit | None:
    """How the technician can arrive then and do the work, or None (B4, B5).

    The work lies in one working span; the travel from the previous visit of the shift (else from home) fits before it and
    the travel to the next visit of the shift after it, both off breaks; from home it may begin before the shift if
    the rules say so. ``travel`` may answer with bounds; then the answer is "perhaps" (see `Fit.known`).
    """
    ends = arrival + work.duration_s
    shift = diary.shift_at(arrival)
    window = shift.window(arrival, ends) if shift else None
    if shift is None or window is None:
        return None
    before, free_from, after = diary.around(arrival)
    if after_cell(free_from) > first_cell(arrival) or (after and after.arrival < ends):
        return None
    origin = before.place if before and _same_shift(before.ends, arrival, shift) else diary.home
    inward = HERE if origin is None else travel(origin, work.place)
    begins = arrival - inward.s
    from_home = origin is diary.home and window.start == shift.start and rules.before_hours
    if begins < rules.now or first_cell(begins) < after_cell(free_from) or (begins < window.start and not from_home):
        return None
    fit = Fit(diary.technician, begins, arrival, ends, inward, origin)
    return _before_next(fit, diary, shift, after, work, travel, rules)


def _same_shift(earlier_end: int, later_arrival: int, shift: Shift) -> bool:
    near = later_arrival - earlier_end <= REMEMBERED_S
    return near and earlier_end > shift.start - SAME_SHIFT_S and later_arrival < shift.end + SAME_SHIFT_S


def _before_next(
    fit: Fit, diary: Diary, shift: Shift, after: Promise | None, work: Work, travel: Lookup, rules: Rules
) -> Fit | None:
    """The second half of `possible`: what comes after the work must still be reached in time."""
    if after is None or not _same_shift(fit.ends, after.arrival, shift):
        if rules.way_home and diary.home is not None:
            fit = fit._replace(home=diary.home, homeward=travel(work.place, diary.home))
            if fit.ends + fit.homeward.s > shift.end:  # type: ignore[union-attr]
                return None
        return fit if after is None or first_cell(after.begins) >= after_cell(fit.ends) else None
    if not after.mendable:
        return None
    outward = travel(work.place, after.place)
    leaves = after.arrival - outward.s
    window = shift.window(after.arrival, after.arrival + 1)
    into_a_break = window is not None and leaves < window.start and leaves < after.begins
    if first_cell(leaves) < after_cell(fit.ends) or into_a_break:
        return None
    return fit._replace(after=after, outward=outward)


def way_to(diary: Diary, promise: Promise) -> Point | None:
    """Where the technician comes from to a promise: the previous visit of the shift, else home; None: not known."""
    before, _, _ = diary.around(promise.arrival)
    if before is None or before.id == promise.id:
        return diary.home
    shift = diary.shift_at(promise.arrival)
    if shift is None:  # put there by staff: whoever was visited within the last hours
        return before.place if promise.arrival - before.ends <= SAME_SHIFT_S else diary.home
    return before.place if _same_shift(before.ends, promise.arrival, shift) else diary.home


class Look(NamedTuple):
    """One look at many times: which can be offered (with the travel's source), and which travels would say more."""

    offered: dict[int, str]
    wanted: set[tuple[Point, Point]]


def look(diaries: Iterable[Diary], times: Iterable[int], work: Work, travel: Lookup, rules: Rules, enough: int = 2) -> Look:
    """For each time the first technician (nearest first) who can come for certain, else the travels of ``enough`` who may."""
    offered: dict[int, str] = {}
    wanted: set[tuple[Point, Point]] = set()
    diaries = list(diaries)
    for time in times:
        perhaps = 0
        for diary in diaries:
            fit = possible(diary, work, time, travel, rules)
            if fit is None:
                continue
            if fit.known:
                offered[time] = fit.source
                break
            wanted.update(unknown(fit, work))
            perhaps += 1
            if perhaps == enough:
                break
    return Look(offered, wanted)


def unknown(fit: Fit, work: Work) -> list[tuple[Point, Point]]:
    """The travels of a fit that are only bounded as yet."""
    pairs = []
    if fit.inward.source == BOUND and fit.origin is not None:
        pairs.append((fit.origin, work.place))
    if fit.outward is not None and fit.outward.source == BOUND and fit.after is not None:
        pairs.append((work.place, fit.after.place))
    if fit.homeward is not None and fit.homeward.source == BOUND and fit.home is not None:
        pairs.append((work.place, fit.home))
    return pairs


class Chosen(NamedTuple):
    """A technician who can come, with what decides between several (B6)."""

    fit: Fit
    diary: Diary
    busy: int  # promises on that day

    @property
    def rank(self) -> tuple[bool, int, int, int, str]:
        """Least travel distance first; ties: travel time, fewer appointments that day, id. Unknown origins come last."""
        fit = self.fit
        return fit.origin is None, fit.inward.m, fit.inward.s, self.busy, fit.technician
