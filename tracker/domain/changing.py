"""What a customer may do to an appointment now and, if not, why in words (A3–A7). Staff are not bound by it."""

from datetime import datetime, timedelta
from typing import Protocol

from tracker.domain.appointments import State


class Rules(Protocol):
    """The settings that limit customers (A6, A7). Hours count back from the promised arrival; 0: until departure."""

    @property
    def modify_allowed(self) -> bool: ...
    @property
    def modify_until_h(self) -> int: ...
    @property
    def cancel_allowed(self) -> bool: ...
    @property
    def cancel_until_h(self) -> int: ...
    @property
    def customer_cancels_traveling(self) -> bool: ...


STARTED = "Work has started, so this visit can’t be changed."
SET_OFF = "The technician has set off, so the time can’t be changed here. Call the service desk."
ON_THE_WAY = "Your technician is already on the way. Please call the service desk."
COMPLETED = "This visit is over."
CANCELED = "This visit was canceled."


def modify_refusal(state: State, arrival_at: datetime, rules: Rules, now: datetime) -> str | None:
    """Why a customer cannot move a visit now; None: they can."""
    if state is not State.SCHEDULED:
        return SET_OFF if state is State.TRAVELING else _past_words(state)
    if not rules.modify_allowed:
        return "Visits can’t be moved here. Call the service desk."
    return _too_late("moved", arrival_at, rules.modify_until_h, now)


def cancel_refusal(state: State, arrival_at: datetime, rules: Rules, now: datetime) -> str | None:
    """Why a customer cannot cancel a visit now; None: they can, a traveling one after they confirmed a second time (A7)."""
    if state not in (State.SCHEDULED, State.TRAVELING):
        return _past_words(state)
    if not rules.cancel_allowed:
        return "Visits can’t be canceled here. Call the service desk."
    if state is State.TRAVELING and not rules.customer_cancels_traveling:
        return ON_THE_WAY
    return _too_late("canceled", arrival_at, rules.cancel_until_h, now)


def until_words(rules: Rules) -> str:
    """One sentence for who is about to book: until when a visit can be moved and canceled."""
    moved = _until(rules.modify_until_h) if rules.modify_allowed else None
    canceled = _until_canceled(rules) if rules.cancel_allowed else None
    if moved == canceled:
        return f"You can change or cancel {moved}." if moved else "To change or cancel, call the service desk."
    if not (moved and canceled):
        can, cannot = ("change", "cancel") if moved else ("cancel", "change")
        return f"You can {can} {moved or canceled}; to {cannot}, call the service desk."
    return f"You can change {moved}, and cancel {canceled}."


def cancel_words(rules: Rules) -> str:
    """One sentence: until when a visit can be canceled."""
    return f"You can cancel {_until_canceled(rules)}." if rules.cancel_allowed else "To cancel, call the service desk."


def _past_words(state: State) -> str:
    return {State.IN_PROGRESS: STARTED, State.COMPLETED: COMPLETED, State.CANCELED: CANCELED}[state]


def _too_late(done: str, arrival_at: datetime, until_h: int, now: datetime) -> str | None:
    if until_h == 0 or now <= arrival_at - timedelta(hours=until_h):
        return None
    return f"A visit can be {done} until {_hours(until_h)} before arrival. Call the service desk."


def _until_canceled(rules: Rules) -> str:
    way = rules.cancel_until_h == 0 and rules.customer_cancels_traveling  # still possible on the way, asked twice
    return "until the technician arrives" if way else _until(rules.cancel_until_h)


def _until(until_h: int) -> str:
    return f"until {_hours(until_h)} before arrival" if until_h else "until the technician sets off"


def _hours(hours: int) -> str:
    return f"{hours} hour{'s' if hours != 1 else ''}"
