"""Times as people read them: always in the zone of the visit's address, which is named."""

from datetime import UTC, datetime, timedelta

from babel.dates import format_date
from markupsafe import Markup

from tracker.domain.local_times import (
    LOCALE,
    clock,
    day,
    long_day,
    offset_words,
    said_twice,
    same_day,
    span_words,
    zone_of,
    zone_words,
)

__all__ = ["LOCALE", "clock", "day", "long_day", "offset_words", "said_twice", "same_day", "span_words", "zone_of", "zone_words"]

_MINUTE = timedelta(minutes=1)


def clock_s(at: datetime, zone: str) -> str:
    """``14:02:11``."""
    return at.astimezone(zone_of(zone)).strftime("%H:%M:%S")


def short_day(at: datetime, zone: str) -> str:
    """``22 Nov``."""
    return format_date(at.astimezone(zone_of(zone)), "d MMM", locale=LOCALE)


def machine(at: datetime) -> str:
    """What stands in ``<time datetime>``: UTC to the second, the same text that the page's script writes."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tag(at: datetime, text: str) -> Markup:
    """``<time datetime="…">text</time>``, escaped."""
    return Markup('<time datetime="{}">{}</time>').format(machine(at), text)


def stamp(at: datetime, zone: str, seconds: bool = False) -> str:
    """A time inside a sentence, as `pages.rich` turns it into ``<time>``: ``[14:01](2026-11-24T12:01:07Z)``."""
    return f"[{clock_s(at, zone) if seconds else clock(at, zone)}]({machine(at)})"


def floor_minute(at: datetime) -> datetime:
    """The whole minute at or before."""
    return at.replace(second=0, microsecond=0)


def ceil_minute(at: datetime, minutes: int = 1) -> datetime:
    """The whole minute at or after; with ``minutes`` the next multiple of so many minutes of the epoch."""
    step = timedelta(minutes=minutes)
    over = (at - datetime(1970, 1, 1, tzinfo=UTC)) % step
    return at + (step - over) if over else at


def likely_done(ends_at: datetime, now: datetime) -> datetime:
    """When work that has begun is likely done: as planned, or within the next five minutes once that is over."""
    return ends_at if ends_at > now else ceil_minute(now, 5)


def whole_minutes(span: timedelta) -> int:
    """Whole minutes of a span between whole minutes."""
    return round(span / _MINUTE)
