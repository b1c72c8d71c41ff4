"""How old a position is, in one word: by two ages, that of the fix and that of the last contact (M5).

`static/js/freshness.js` says the same in the browser, where the ages run on; a test holds the two together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal_web.times import stamp


class Level(StrEnum):
    """The freshness of a position. ``PAUSED`` and ``HIDDEN`` are set by the visit, not by age."""

    LIVE = "live"
    STANDING = "standing"
    DELAYED = "delayed"
    STALE = "stale"
    LOST = "lost"
    PAUSED = "paused"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Limits:
    """Up to which age (seconds) a position counts as live, delayed, stale; above it is lost."""

    live_s: int
    delayed_s: int
    stale_s: int


def limits(interval_s: int) -> Limits:
    """The limits for a device that sends every ``interval_s`` seconds."""
    return Limits(max(15, 2 * interval_s), max(60, 4 * interval_s), max(300, 20 * interval_s))


def level(fix_at: datetime, contact_at: datetime, interval_s: int, now: datetime) -> Level:
    """The level at ``now``. Contact newer than the fix means that the phone is there and has not moved: then its age counts."""
    bounds = limits(interval_s)
    age = (now - max(fix_at, contact_at)).total_seconds()
    if age <= bounds.live_s:
        return Level.LIVE if (now - fix_at).total_seconds() <= bounds.live_s else Level.STANDING
    if age <= bounds.delayed_s:
        return Level.DELAYED
    return Level.STALE if age <= bounds.stale_s else Level.LOST


def age_words(at: datetime, now: datetime, zone: str) -> str:
    """``now``, ``6 s ago``, ``4 min ago``, after ten minutes the time: ``14:01``. Never negative."""
    seconds = int((now - at) / timedelta(seconds=1))
    if seconds < 1:
        return "now"
    if seconds < 60:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < 600 else stamp(at, zone)
