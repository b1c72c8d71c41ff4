"""The ribbon: the arrival range drawn on an axis of time. The band is as wide as the doubt."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal_web.times import clock

_BEFORE, _AFTER = timedelta(minutes=7), timedelta(minutes=5)
_NEAR = timedelta(minutes=30)
_APART = 22


@dataclass(frozen=True, slots=True)
class Mark:
    """A text below the axis: where (per cent of the width), what, and how it is anchored there."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The drawing in per cent of its width; ``book`` is the tick of the booked time, ``label`` the whole sentence."""

    now: float
    band_x: float
    band_width: float
    book: float | None
    booked: Mark | None
    low: Mark | None
    high: Mark
    doubtful: bool
    label: str


def draw(now: datetime, booked: datetime, low: datetime, high: datetime, doubtful: bool, label: str, zone: str) -> Ribbon:
    """From 7 min before now to 5 min after the late end; a booked time within half an hour of that stretches the axis."""
    start, end = now - _BEFORE, max(high, now) + _AFTER
    if booked >= now - _NEAR:
        start = min(start, booked - timedelta(minutes=3))
    if booked <= high + _NEAR:
        end = max(end, booked + timedelta(minutes=3))
    span = (end - start).total_seconds()

    def x(at: datetime) -> float:
        return int((at - start).total_seconds() / span * 1000 + 0.5) / 10

    left, right = x(max(low, now)), x(max(high, now))
    book = x(booked) if start <= booked <= end else None
    first = None if low <= now or right - left < 1 else Mark(left, clock(low, zone), _low_anchor(left, right))
    return Ribbon(
        now=x(now),
        band_x=left,
        band_width=max(1.0, int((right - left) * 10 + 0.5) / 10),
        book=book,
        booked=_booked_mark(book, [left, right] if first else [right], f"booked {clock(booked, zone)}"),
        low=first,
        high=Mark(right, clock(high, zone), _high_anchor(left, right)),
        doubtful=doubtful,
        label=label,
    )


def _booked_mark(book: float | None, labels: list[float], text: str) -> Mark | None:
    """Its text is left out where it would stand closer than 22 % to a label of the range that is shown."""
    if book is None or any(abs(book - x) < _APART for x in labels):
        return None
    return Mark(book, text, "start" if book < 12 else "end" if book > 88 else "middle")


def _low_anchor(low_x: float, high_x: float) -> str:
    return "end" if high_x - low_x < 15 else "start" if low_x < 6 else "middle"


def _high_anchor(low_x: float, high_x: float) -> str:
    return "end" if high_x > 94 else "start" if high_x - low_x < 15 and high_x < 88 else "middle"
