"""When a technician will come who has not set off yet, told by the day so far (E5). Pure; wide, and coarse on purpose.

A prediction is made of steps that were really taken: a day on which nobody has pressed anything says nothing. Travel counts in
steps of ten minutes, so that neither the moment of a message nor its times measure how far away the visit before is (P2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tracker.domain.appointments import State

TRAVEL_STEP = timedelta(minutes=10)
TOLD_STEP = timedelta(minutes=5)
WORK = (0.8, 1.0, 1.3)
"""Work as shares of its usual length: the soonest, the likely and the latest end."""

LEFT = (0.0, 0.1, 0.3)
"""What is at least left of work that is not completed, as shares of its usual length."""

FORGOTTEN = timedelta(hours=2)
"""Work that lasts so much longer than usual has ended, and nobody pressed it: it says nothing any more."""


class Stop(Protocol):
    """What is looked at of each visit of a day."""

    @property
    def id(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def arrival_at(self) -> datetime: ...
    @property
    def duration_min(self) -> int: ...
    @property
    def travel_s(self) -> int | None: ...
    @property
    def traveling_at(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def completed_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Expected:
    """An arrival that is expected: likely ``at``, between ``low`` and ``high``."""

    low: datetime
    at: datetime
    high: datetime


BEGUN = frozenset({State.TRAVELING, State.IN_PROGRESS, State.COMPLETED})

type Three = tuple[datetime, datetime, datetime]


def predict(day: Sequence[Stop], now: datetime) -> dict[str, Expected]:
    """The arrivals to expect at the scheduled visits of one technician's day, by id; none where the day says nothing.

    A visit that was promised before the one that is, or was, worked on is passed over: out of turn is for people to mend.
    """
    begun = [stop for stop in day if stop.state in BEGUN or (stop.state is State.CANCELED and stop.started_at)]
    if not begun:
        return {}
    last = max(begun, key=_begun_at)
    free = _free_after(last, now)
    if free is None:
        return {}
    told: dict[str, Expected] = {}
    for stop in sorted(day, key=lambda each: each.arrival_at):
        if stop.state is State.SCHEDULED and stop.arrival_at >= last.arrival_at:
            there = _arrival(stop, free)
            told[stop.id] = _outward(there)
            free = _after_work(there, stop)
    return told


def _begun_at(stop: Stop) -> datetime:
    return stop.started_at or stop.traveling_at or stop.arrival_at


def _free_after(stop: Stop, now: datetime) -> Three | None:
    """When work there ends: soonest, likely, latest; never in the past."""
    work = timedelta(minutes=stop.duration_min)
    match stop.state:
        case State.COMPLETED | State.CANCELED:
            return now, now, now
        case State.TRAVELING:
            there = max((stop.traveling_at or now) + _travel(stop), now)
            return _after_work((there, there, there), stop)
    start = stop.started_at or now
    if now > start + work + FORGOTTEN:
        return None
    low, at, high = (max(start + share * work, now + left * work) for share, left in zip(WORK, LEFT, strict=True))
    return low, at, high


def _arrival(stop: Stop, free: Three) -> Three:
    """Nobody comes sooner than was promised, who can help it."""
    low, at, high = (max(moment + _travel(stop), stop.arrival_at) for moment in free)
    return low, at, high


def _after_work(there: Three, stop: Stop) -> Three:
    low, at, high = (moment + share * timedelta(minutes=stop.duration_min) for moment, share in zip(there, WORK, strict=True))
    return low, at, high


def _travel(stop: Stop) -> timedelta:
    return max(1, round(timedelta(seconds=stop.travel_s or 0) / TRAVEL_STEP)) * TRAVEL_STEP


def _outward(there: Three) -> Expected:
    low, at, high = there
    floor = low - _since(low) % TOLD_STEP
    return Expected(floor, at, max(high + -_since(high) % TOLD_STEP, floor + 2 * TOLD_STEP))


def _since(moment: datetime) -> timedelta:
    return moment - datetime.min.replace(tzinfo=moment.tzinfo)


# -- whether it is told ------------------------------------------------------------------------------------------------

MOST_TOLD = 3
"""So often at most somebody is written to about one promise."""


def late(expected: Expected, promised: datetime, delay_min: int) -> bool:
    """True if the promise will be missed by more than the setting allows; never while the setting is 0."""
    return delay_min > 0 and expected.at - promised > timedelta(minutes=delay_min)


def worse(expected: Expected, told_at: datetime, delay_min: int) -> bool:
    """True if it is clearly later than what was told as likely."""
    return expected.at - told_at >= max(timedelta(minutes=15), timedelta(minutes=delay_min))


def mended(expected: Expected, promised: datetime, delay_min: int) -> bool:
    """True if the promise will be kept after all, more or less."""
    return expected.at - promised <= timedelta(minutes=delay_min) / 2
