"""When a technician is on duty: weekly hours in local time, turned into one stretch of UTC round a moment."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Stretch(NamedTuple):
    """From ``start`` (included) to ``end`` (excluded), aware UTC."""

    start: datetime
    end: datetime


class WeekHours(NamedTuple):
    """``weekday`` (Monday = 0), minutes after local midnight; ``ends`` may lie beyond 1440: into the next day."""

    weekday: int
    starts: int
    ends: int


def duty_at(hours: Iterable[WeekHours], zone: str, now: datetime) -> Stretch | None:
    """The stretch of duty round ``now``, stretches that touch being one (at most three days either way); None: off duty.

    Minutes are wall-clock time, so a shift that ends at 17:00 ends at 17:00 on the day clocks change, too.
    """
    local = now.astimezone(ZoneInfo(zone)).date()
    days = [local + timedelta(days=shift) for shift in range(-3, 4)]
    hours = list(hours)
    stretches = sorted(
        Stretch(_instant(day, each.starts, zone), _instant(day, each.ends, zone))
        for day in days
        for each in hours
        if each.weekday == day.weekday()
    )
    joined: list[Stretch] = []
    for stretch in stretches:
        if joined and stretch.start <= joined[-1].end:
            joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, stretch.end))
        else:
            joined.append(stretch)
    return next((stretch for stretch in joined if stretch.start <= now < stretch.end), None)


def _instant(day: date, minutes: int, zone: str) -> datetime:
    days, rest = divmod(minutes, 1440)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), ZoneInfo(zone))
    return wall.astimezone(UTC)
