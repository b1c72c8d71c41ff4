"""The day so far as it tells the arrivals still to come: late work, late departures, what says nothing (E5)."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.world import NOW
from tracker.domain.appointments import State
from tracker.domain.predicting import Expected, late, mended, predict, worse


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@dataclass
class Stop:
    """A visit of an hour, promised so many minutes after NOW, twenty minutes from the one before."""

    id: str
    at_min: float
    state: State = State.SCHEDULED
    started_min: float | None = None
    traveling_min: float | None = None
    duration_min: int = 60
    travel_s: int | None = 1_200
    completed_at: datetime | None = None

    @property
    def arrival_at(self) -> datetime:
        return NOW + minutes(self.at_min)

    @property
    def started_at(self) -> datetime | None:
        return None if self.started_min is None else NOW + minutes(self.started_min)

    @property
    def traveling_at(self) -> datetime | None:
        return None if self.traveling_min is None else NOW + minutes(self.traveling_min)


A, B, C = "a", "b", "c"
WORKING, GOING, DONE, CALLED_OFF = State.IN_PROGRESS, State.TRAVELING, State.COMPLETED, State.CANCELED


@pytest.mark.parametrize(
    ("first", "now_min", "likely"),
    [
        (Stop(A, 0, WORKING, 0), 30, 90),  # on time: the promise
        (Stop(A, 0, WORKING, 25), 30, 105),  # began late
        (Stop(A, 0, WORKING, 0), 100, 126),  # overruns: a tenth of the work is left at least
        (Stop(A, 0, WORKING, 0), 200, None),  # forgotten
        (Stop(A, 0, GOING, None, 10), 15, 110),  # set off late: 20 min of travel, an hour of work, travel again
        (Stop(A, 0, GOING, None, 10), 45, 125),  # … and should be there by now
        (Stop(A, 0, DONE, 0), 100, 120),  # free, and has not set off
        (Stop(A, 0, CALLED_OFF, 0), 40, 90),  # nobody home
        (Stop(A, 0, CALLED_OFF), 40, None),
        (Stop(A, 0), 300, None),  # nobody has pressed anything
        (Stop(C, 400, WORKING, 80), 85, None),  # works on a later one: out of turn
    ],
)
def test_the_next_visit_by_the_one_before(first: Stop, now_min: float, likely: float | None) -> None:
    told = predict([Stop(B, 90), first], NOW + minutes(now_min)).get(B)
    assert (told and (told.at - NOW) / minutes(1)) == likely


def test_one_late_visit_moves_all_that_follow_and_doubt_grows() -> None:
    told = predict([Stop(A, 0, WORKING, 30), Stop(B, 80), Stop(C, 160)], NOW + minutes(31))
    assert [(told[one].at - NOW) / minutes(1) for one in (B, C)] == [110, 190]
    assert told[C].high - told[C].low > told[B].high - told[B].low


def test_ranges_are_whole_five_minutes_around_the_likely_time_and_never_before_the_promise_or_now() -> None:
    dice = random.Random(5)
    for _ in range(2_000):
        first = Stop(A, 0, dice.choice((WORKING, GOING, DONE)), dice.uniform(-30, 60), dice.uniform(-60, 0), dice.randint(5, 240))
        next_ = Stop(B, dice.uniform(10, 300), travel_s=dice.choice((None, 0, 301, 5_000)))
        now = NOW + minutes(dice.uniform(60, 400))
        for told in predict([first, next_], now).values():
            assert told.low <= told.at <= told.high
            assert told.high - told.low >= minutes(10)
            for end in (told.low, told.high):
                assert (end - NOW.replace(minute=0)) % minutes(5) == timedelta(0)
            assert told.at >= max(next_.arrival_at, now)


def test_travel_cannot_be_read_out_of_it() -> None:
    """Whoever is free after the visit before: places 6 and 14 minutes away are told alike, to the second (P2)."""
    for now_min in range(60, 130):
        day = [[Stop(A, 0, DONE, 0), Stop(B, 90, travel_s=travel)] for travel in (360, 840)]
        near, far = (predict(one, NOW + minutes(now_min)) for one in day)
        assert near == far


def test_told_when_late_again_when_clearly_worse_and_taken_back_when_mended() -> None:
    def at(count: float) -> Expected:
        return Expected(NOW, NOW + minutes(count), NOW + minutes(count + 10))

    assert [late(at(count), NOW, 15) for count in (0, 15, 16)] == [False, False, True]
    assert not late(at(600), NOW, 0)
    assert [worse(at(count), NOW + minutes(20), 15) for count in (20, 34, 35)] == [False, False, True]
    assert [mended(at(count), NOW, 15) for count in (16, 8, 7)] == [False, False, True]
