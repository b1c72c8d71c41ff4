"""When a technician works: weekly hours of the own zone without breaks, absences, holidays and closed days."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tracker.domain.duty import WeekHours

SAME_SHIFT_S = 3 * 3600
"""Hours less than this apart are one shift: nobody goes home between morning and afternoon."""


class Span(NamedTuple):
    """From ``start`` (included) to ``end`` (excluded), seconds since the epoch."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Shift:
    """One day's (or night's) work: from its first hour to its last, and the spans within in which work may be promised."""

    start: int
    end: int
    work: tuple[Span, ...]

    def window(self, start: int, end: int) -> Span | None:
        """The working span that holds a stretch whole, if one does."""
        index = bisect_right(self.work, start, key=_start) - 1
        return self.work[index] if index >= 0 and self.work[index].end >= end else None


def _start(span: Span) -> int:
    return span.start


@lru_cache(maxsize=2048)
def weekly_shifts(
    hours: tuple[WeekHours, ...], breaks: tuple[WeekHours, ...], zone: str, first: date, last: date, closed: frozenset[date]
) -> tuple[Shift, ...]:
    """The shifts that touch the local days ``first`` to ``last``, by start, absences not yet taken out.

    Hours belong to the day on which they begin: a night that begins before a closed day is worked to its end.
    """
    there = ZoneInfo(zone)
    days = [first + timedelta(days=each) for each in range(-1, (last - first).days + 2)]
    worked = joined(_spans(hours, [day for day in days if day not in closed], there))
    rests = joined(_spans(breaks, days, there))
    shifts: list[list[Span]] = []
    for span in worked:
        if shifts and span.start - shifts[-1][-1].end < SAME_SHIFT_S:
            shifts[-1].append(span)
        else:
            shifts.append([span])
    return tuple(Shift(spans[0].start, spans[-1].end, without(spans, rests)) for spans in shifts)


def shifts_without(shifts: Sequence[Shift], away: Iterable[Span]) -> tuple[Shift, ...]:
    """The shifts with a technician's absences taken out of the working spans."""
    absent = joined(away)
    if not absent:
        return tuple(shifts)
    return tuple(Shift(shift.start, shift.end, without(shift.work, absent)) for shift in shifts)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible, in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        elif span.end > span.start:
            result.append(span)
    return result


def without(spans: Sequence[Span], holes: Sequence[Span]) -> tuple[Span, ...]:
    """What is left of ``spans`` where ``holes`` are taken out; both in order and without overlap."""
    left: list[Span] = []
    for start, end in spans:
        for hole in holes:
            if hole.end <= start or hole.start >= end:
                continue
            if hole.start > start:
                left.append(Span(start, hole.start))
            start = max(start, hole.end)
        if end > start:
            left.append(Span(start, end))
    return tuple(left)


def _spans(weekly: Iterable[WeekHours], days: Iterable[date], zone: ZoneInfo) -> list[Span]:
    rows = list(weekly)
    return [
        Span(_instant_s(day, row.starts, zone), _instant_s(day, row.ends, zone))
        for day in days
        for row in rows
        if row.weekday == day.weekday()
    ]


def _instant_s(day: date, minutes: int, zone: ZoneInfo) -> int:
    """When the wall clock shows so many minutes after that day's midnight; beyond 1440: on the next day."""
    days, rest = divmod(minutes, 1440)
    return round(datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone).timestamp())
