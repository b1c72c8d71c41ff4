"""One arrival time as people read it before it is theirs: in the address's zone and in their own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from portal_web.times import clock, day, machine, zone_of, zone_words


@dataclass(frozen=True, slots=True)
class Chosen:
    """The time chosen so far: ``words`` stand on the button that books it, ``own`` says it in the reader's own zone."""

    at: datetime
    value: str
    zone: str
    zone_words: str
    day: str
    clock: str
    words: str
    own: str | None = None


def chosen_of(at: datetime, zone: str, own_zone: str | None) -> Chosen:
    """A time as the summary and the buttons say it."""
    said, on = clock(at, zone), day(at, zone)
    words = f"{on}, {said}"
    own = own_words(at, zone, own_zone)
    return Chosen(at, machine(at), zone, zone_words(zone, at), on, said, words, own)


def near_of(nearest: Iterable[datetime], zone: str) -> tuple[Chosen, ...]:
    """Times offered instead of one that was taken, in order."""
    return tuple(chosen_of(at, zone, None) for at in sorted(nearest))


def own_words(at: datetime, zone: str, own_zone: str | None) -> str | None:
    """``That is 13:00 where you are.``; None where it is the same time (`static/js/booking.js` says it for a browser's zone)."""
    if not own_zone or at.astimezone(zone_of(own_zone)).replace(tzinfo=None) == at.astimezone(zone_of(zone)).replace(tzinfo=None):
        return None
    other_day = "" if day(at, zone) == day(at, own_zone) else f"{day(at, own_zone)}, "
    return f"That is {other_day}{clock(at, own_zone)} where you are."


def held_words(expires_at: datetime, now: datetime) -> str:
    """``Held for you for the next 5 min.``"""
    return f"Held for you for the next {minutes_left(expires_at, now)} min."


def minutes_left(expires_at: datetime, now: datetime) -> int:
    """Whole minutes of a hold, one at least."""
    return max(1, -(-int((expires_at - now).total_seconds()) // 60))


def moment(said: str | None) -> datetime | None:
    """A time that a button of ours sent; None for anything else."""
    try:
        at = datetime.fromisoformat(said or "")
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo and 2000 <= at.year <= 2200 else None


def local_day(said: str | None) -> date | None:
    """A day that a button of ours sent; None for anything else."""
    try:
        found = date.fromisoformat(said or "")
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None
