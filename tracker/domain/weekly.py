"""Weekly hours as people write them (``Monday, 08:00 to 17:00``), and what must hold of a week of them."""

import itertools
import re
from collections.abc import Iterable

from tracker.domain.duty import WeekHours
from tracker.errors import BadHours

DAY, WEEK = 1440, 7 * 1440
"""Minutes."""
MOST = 60
"""Stretches of one week."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


def stretch(weekday: int, starts: str, ends: str) -> WeekHours:
    """A stretch of a day (Monday = 0); one that ends earlier on the clock than it begins ends on the next day."""
    start, end = minutes(starts), minutes(ends)
    if not 0 <= weekday < 7:
        raise BadHours("A weekday is a number from 1 (Monday) to 7 (Sunday).")
    if start in (end, DAY):
        raise BadHours(f"{DAYS[weekday]} {starts} to {ends} is no stretch of time. A whole day is 00:00 to 24:00.")
    return WeekHours(weekday, start, end if end > start else end + DAY)


def minutes(clock: str) -> int:
    """Minutes after midnight of ``08:00``; ``24:00`` is the end of the day."""
    match = _CLOCK.fullmatch(clock)
    if match is None or (said := int(match[1]) * 60 + int(match[2])) > DAY:
        raise BadHours(f"{clock!r} is no time of day. It reads like 08:00; the end of the day is 24:00.")
    return said


def clock(minute: int) -> str:
    """As people write it: 480 is ``08:00``, 1440 ``24:00``, 1500 ``01:00`` (of the next day)."""
    shown = minute if minute <= DAY else minute - DAY
    return f"{shown // 60:02}:{shown % 60:02}"


def checked(week: Iterable[WeekHours], what: str) -> tuple[WeekHours, ...]:
    """The stretches in order; `BadHours` names two that lie upon each other (Sunday night reaches into Monday)."""
    found = sorted(week)
    if len(found) > MOST:
        raise BadHours(f"A week has at most {MOST} stretches of {what}.")
    for one in found:
        if not (0 <= one.weekday < 7 and 0 <= one.starts < DAY and one.starts < one.ends <= one.starts + DAY):
            raise BadHours(f"{said(one)}: {what} begin on their day and last at most 24 hours.")
    around = [*found, *(found[:1] if len(found) > 1 else ())]
    for (earlier, later), turned in zip(itertools.pairwise(around), range(1, len(around)), strict=True):
        begins = later.weekday * DAY + later.starts + (WEEK if turned == len(found) else 0)
        if earlier.weekday * DAY + earlier.ends > begins:
            raise BadHours(f"The {what} {said(earlier)} and {said(later)} lie upon each other.")
    return tuple(found)


def said(one: WeekHours) -> str:
    """``Monday 08:00 to 17:00``."""
    return f"{DAYS[one.weekday % 7]} {clock(one.starts)} to {clock(one.ends)}"
