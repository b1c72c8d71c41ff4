"""The times of day that may be offered: wall-clock times of the address's own zone, on the days clocks change, too."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MIN = 1440


@lru_cache(maxsize=4096)
def times_of_day(zone: str, day: date, step_min: int) -> tuple[int, ...]:
    """Every multiple of ``step_min`` after local midnight that the clocks show on that day, as seconds since the epoch.

    A time that a change of clocks leaves out is not there; one that comes twice is there twice, an hour (or less) apart.
    """
    there = ZoneInfo(zone)
    begins, ends = (datetime.combine(each, time(), there) for each in (day, day + timedelta(days=1)))
    minutes = range(0, DAY_MIN, step_min)
    if begins.utcoffset() == ends.utcoffset() == datetime.combine(day, time(12), there).utcoffset():
        first = round(begins.timestamp())
        plain = tuple(first + 60 * minute for minute in minutes)
        if _shows(plain[0], begins):  # else this day begins in a gap, or is one
            return plain
    walls = [datetime.combine(day, time(minute // 60, minute % 60)) for minute in minutes]
    found = {_instant(wall, there, fold) for wall in walls for fold in (0, 1)}
    return tuple(sorted(each for each in found if each is not None))


def _instant(wall: datetime, zone: ZoneInfo, fold: int) -> int | None:
    """When the clocks show ``wall`` for the first (0) or second (1) time; None: never."""
    local = wall.replace(tzinfo=zone, fold=fold)
    seconds = round(local.timestamp())
    return seconds if _shows(seconds, local) else None


def _shows(seconds: int, local: datetime) -> bool:
    shown = datetime.fromtimestamp(seconds, UTC).astimezone(local.tzinfo)
    return shown.replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0)


@lru_cache(maxsize=4096)
def midnight_s(zone: str, day: date) -> int:
    """When a local day begins, as seconds since the epoch; where clocks jump over midnight, when they land."""
    return round(datetime.combine(day, time(), ZoneInfo(zone)).timestamp())
