"""Single values as phones write them, turned into SI units and UTC; what cannot be understood is None, never an error."""

import re
from datetime import UTC, datetime, timedelta
from math import isfinite

KNOT_MPS = 1852 / 3600
"""One knot in metres per second (the international nautical mile)."""

KMH_MPS = 1 / 3.6
"""One kilometre per hour in metres per second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\s*[+-]?(\d{1,24}(\.\d{0,24})?|\.\d{1,24})([eE][+-]?\d{1,3})?\s*", re.ASCII)
_LOST_PLUS = re.compile(r"(.+T.+) (\d\d:?\d\d)", re.ASCII)
_MS, _US, _NS = 1e11, 1e14, 1e17


def number(value: object) -> float | None:
    """A finite number out of a JSON number or a decimal text; None for anything else (booleans, NaN, 1e400, words)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return found if isfinite(found) else None


def not_negative(value: object, unit: float = 1.0) -> float | None:
    """A number ≥ 0 times its unit; negative means "unknown" in every phone's language (speed)."""
    found = number(value)
    return None if found is None or found < 0 else found * unit


def accuracy_m(value: object) -> float | None:
    """Metres, 68 %; zero and below mean "unknown": no phone knows its place exactly."""
    return not_negative(value) or None


def course_deg(value: object) -> float | None:
    """Degrees clockwise from north, 0 ≤ x < 360; negative means unknown."""
    found = not_negative(value)
    return None if found is None else found % 360


def battery(value: object, full: float) -> float | None:
    """The battery as 0–1 where the phone counts to ``full`` (100 or 1); outside its scale means unknown."""
    found = not_negative(value)
    return None if found is None or found > full else found / full


def moment(value: object) -> datetime | None:
    """Aware UTC of seconds, milli-, micro- or nanoseconds since 1970, or of an ISO 8601 text.

    The scale of a number is told by its size: 1e11 seconds is the year 5138, 1e11 milliseconds is 1973. A text without
    zone is UTC. A plus that was sent unescaped in a query (and so arrived as a blank) is put back.
    """
    seconds = number(value)
    try:
        if seconds is not None:
            return _EPOCH + timedelta(seconds=_in_seconds(seconds))
        return _iso(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _in_seconds(value: float) -> float:
    size = abs(value)
    if size < _MS:
        return value
    return value / (1e3 if size < _US else 1e6 if size < _NS else 1e9)


def _iso(text: str) -> datetime:
    if lost := _LOST_PLUS.fullmatch(text):
        text = f"{lost[1]}+{lost[2]}"
    found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
