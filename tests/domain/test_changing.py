"""What customers may change, by state, setting and hour (A3–A7)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain import changing
from tracker.domain.appointments import State

ARRIVAL = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Company:
    modify_allowed: bool = True
    modify_until_h: int = 0
    cancel_allowed: bool = True
    cancel_until_h: int = 0
    customer_cancels_traveling: bool = True


FREE = Company()


def asked(state: State, rules: Company, hours_before: float) -> tuple[str | None, str | None]:
    now = ARRIVAL - timedelta(hours=hours_before)
    return (changing.modify_refusal(state, ARRIVAL, rules, now), changing.cancel_refusal(state, ARRIVAL, rules, now))


@pytest.mark.parametrize(
    ("state", "modify", "cancel"),
    [
        (State.SCHEDULED, None, None),
        (State.TRAVELING, changing.SET_OFF, None),
        (State.IN_PROGRESS, changing.STARTED, changing.STARTED),
        (State.COMPLETED, changing.COMPLETED, changing.COMPLETED),
        (State.CANCELED, changing.CANCELED, changing.CANCELED),
    ],
)
def test_each_state_says_what_can_be_done(state: State, modify: str | None, cancel: str | None) -> None:
    assert asked(state, FREE, 48) == (modify, cancel)


def test_no_setting_lets_a_customer_change_what_has_begun_or_is_over() -> None:
    for state in (State.IN_PROGRESS, State.COMPLETED, State.CANCELED):
        assert None not in asked(state, FREE, 1_000)


def test_hours_before_arrival_limit_each_for_itself() -> None:
    rules = replace(FREE, modify_until_h=24, cancel_until_h=1)
    assert asked(State.SCHEDULED, rules, 24) == (None, None)
    modify, cancel = asked(State.SCHEDULED, rules, 23.99)
    assert modify == "A visit can be moved until 24 hours before arrival. Call the service desk."
    assert cancel is None
    assert asked(State.SCHEDULED, rules, 0.99)[1] == "A visit can be canceled until 1 hour before arrival. Call the service desk."


def test_without_a_limit_a_late_technician_can_still_be_canceled() -> None:
    assert asked(State.SCHEDULED, FREE, -0.5) == (None, None)


def test_switched_off_means_off_in_every_state() -> None:
    off = replace(FREE, modify_allowed=False, cancel_allowed=False)
    assert all("here. Call the service desk." in str(said) for said in asked(State.SCHEDULED, off, 48))
    assert asked(State.TRAVELING, off, 0)[1] == "Visits can’t be canceled here. Call the service desk."


def test_canceling_on_the_way_is_a_setting_of_its_own() -> None:
    rules = replace(FREE, customer_cancels_traveling=False)
    assert asked(State.TRAVELING, rules, 0)[1] == changing.ON_THE_WAY
    assert asked(State.SCHEDULED, rules, 1)[1] is None


def test_setting_off_reopens_nothing_that_the_hours_had_closed() -> None:
    rules = replace(FREE, cancel_until_h=24)
    assert asked(State.SCHEDULED, rules, 1)[1] == asked(State.TRAVELING, rules, 1)[1] is not None


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (FREE, "You can change until the technician sets off, and cancel until the technician arrives."),
        (replace(FREE, customer_cancels_traveling=False), "You can change or cancel until the technician sets off."),
        (replace(FREE, modify_until_h=2, cancel_until_h=2), "You can change or cancel until 2 hours before arrival."),
        (
            replace(FREE, modify_until_h=24),
            "You can change until 24 hours before arrival, and cancel until the technician arrives.",
        ),
        (replace(FREE, modify_allowed=False, cancel_allowed=False), "To change or cancel, call the service desk."),
        (replace(FREE, modify_allowed=False), "You can cancel until the technician arrives; to change, call the service desk."),
        (replace(FREE, cancel_allowed=False), "You can change until the technician sets off; to cancel, call the service desk."),
    ],
)
def test_who_books_is_told_until_when(rules: Company, words: str) -> None:
    assert changing.until_words(rules) == words
