"""Phones' clocks: how far each is off ours, and fix times put right by that."""

from datetime import datetime, timedelta

import msgspec

NEGLIGIBLE_S = 2.0
"""Less than this cannot be told from the network's delay, and is left alone."""
AGREE_S = 2.0
"""Two readings of a clock that differ by no more agree…"""
APART_S = 2.0
"""…if they came at least so far apart: what was stuck in one tunnel arrives in one burst, and proves nothing."""
ROLLOVER = timedelta(weeks=1024)
"""Old satellite receivers count weeks in ten bits and fall back by this."""
_ROLLED = (timedelta(days=-1), timedelta(days=8))


class Clock(msgspec.Struct, frozen=True):
    """What is known of one phone's clock: one per boot of the own protocol, one per device of the stock apps.

    ``ahead_s`` seconds it is ahead of ours (negative: behind), ``before_s`` the same before its last step;
    ``rival_s`` and ``rival_at`` a reading that disagreed, waiting for another of its kind.
    """

    ahead_s: float = 0.0
    before_s: float = 0.0
    rival_s: float | None = None
    rival_at: datetime | None = None


def heard_sent(clock: Clock, sent: datetime, received: datetime) -> Clock:
    """The clock after a frame that says when it was sent (own protocol).

    A reading can only be too low, by the way's delay. So a higher one is true at once; a lower one is a clock put back
    only when a second says the same.
    """
    reading = (sent - received).total_seconds()
    if reading > clock.ahead_s or clock.ahead_s - reading <= AGREE_S:
        return _at(clock, max(reading, clock.ahead_s))
    return _at(clock, reading) if _confirmed(clock, reading, received) else _doubted(clock, reading, received)


def heard_fix(clock: Clock, newest: datetime, received: datetime) -> Clock:
    """The clock after a request of a stock app, whose newest fix is all it tells.

    A fix from the future proves a clock ahead; two that agree say how much. A clock behind is **not** corrected: nothing
    tells it from old fixes sent late, and an old place must never pass for the present one.
    """
    reading = max(0.0, (newest - received).total_seconds())
    if abs(reading - clock.ahead_s) <= AGREE_S:
        return _at(clock, clock.ahead_s)
    return _at(clock, reading) if _confirmed(clock, reading, received) else _doubted(clock, reading, received)


def corrected(at: datetime, clock: Clock, received: datetime) -> datetime:
    """The fix time on our clock: rolled-over weeks put back, the phone's error taken off.

    A fix that would then lie in the future was made before the clock's last step, and is read by the clock of that time.
    """
    lost = received - at - ROLLOVER
    if _ROLLED[0] <= lost <= _ROLLED[1]:
        at += ROLLOVER
    found = _by(at, clock.ahead_s)
    if (found - received).total_seconds() > NEGLIGIBLE_S:
        earlier = _by(at, clock.before_s)
        return earlier if earlier <= received else found
    return found


def _by(at: datetime, ahead_s: float) -> datetime:
    try:
        return at if abs(ahead_s) < NEGLIGIBLE_S else at - timedelta(seconds=ahead_s)
    except OverflowError:  # a date at the end of the calendar
        return at


def _at(clock: Clock, ahead_s: float) -> Clock:
    if ahead_s == clock.ahead_s and clock.rival_s is None:
        return clock
    stepped = abs(ahead_s - clock.ahead_s) > AGREE_S
    return Clock(ahead_s, clock.ahead_s if stepped else clock.before_s)


def _confirmed(clock: Clock, reading: float, received: datetime) -> bool:
    return (
        clock.rival_s is not None
        and clock.rival_at is not None
        and abs(reading - clock.rival_s) <= AGREE_S
        and (received - clock.rival_at).total_seconds() >= APART_S
    )


def _doubted(clock: Clock, reading: float, received: datetime) -> Clock:
    """Keeps the first of agreeing readings: a second one too soon after it must not restart the wait."""
    if clock.rival_s is not None and abs(reading - clock.rival_s) <= AGREE_S:
        return clock
    return Clock(clock.ahead_s, clock.before_s, reading, received)
