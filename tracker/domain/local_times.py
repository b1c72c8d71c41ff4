"""Times as people read them: always in the zone of the visit's address, which is named."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

LOCALE = "en"


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name (kept on the address, made from its coordinates)."""
    return ZoneInfo(name)


def clock(at: datetime, zone: str) -> str:
    """``14:05``."""
    return at.astimezone(zone_of(zone)).strftime("%H:%M")


def day(at: datetime, zone: str) -> str:
    """``Tue 24 Nov``."""
    return format_date(at.astimezone(zone_of(zone)), "EEE d MMM", locale=LOCALE)


def long_day(at: datetime, zone: str) -> str:
    """``Tuesday 24 November``."""
    return format_date(at.astimezone(zone_of(zone)), "EEEE d MMMM", locale=LOCALE)


def same_day(a: datetime, b: datetime, zone: str) -> bool:
    """True if both fall on one local day of the zone."""
    return a.astimezone(zone_of(zone)).date() == b.astimezone(zone_of(zone)).date()


def zone_words(zone: str, *moments: datetime) -> str:
    """``Helsinki time (EET, UTC+2)``: the city, the zone's short name if it has one, and the offset at that moment.

    Of several moments between which the clocks change, each offset in their order: ``… (EET, UTC+2, then EEST, UTC+3)``.
    """
    city = get_timezone_location(zone, locale=LOCALE, return_city=True)
    said = dict.fromkeys(_offset(at.astimezone(zone_of(zone))) for at in sorted(moments))
    return f"{city} time ({', then '.join(said)})"


def _offset(local: datetime) -> str:
    short = local.strftime("%Z")
    return f"{short}, {offset_words(local)}" if short.isalpha() and short != "UTC" else offset_words(local)


def said_twice(at: datetime, zone: str) -> bool:
    """True in the hour that the clocks repeat: its wall time alone does not say which of two moments it is."""
    local = at.astimezone(zone_of(zone))
    return local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()


def offset_words(local: datetime) -> str:
    """``UTC+2``, ``UTC−3:30``, ``UTC``: how far an aware time's clock is from UTC."""
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}{f':{rest:02}' if rest else ''}"


def span_words(minutes: int) -> str:
    """``35 min``, ``2 h``, ``1 h 35 min``."""
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
