"""The states of an appointment as one table: which step leads where, and who may take it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where an appointment stands. Nothing leaves ``canceled``."""

    SCHEDULED = "scheduled"
    TRAVELING = "traveling"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELED = "canceled"


class Role(StrEnum):
    """Who is acting (O7). ``link_holder`` and ``anonymous`` are roles of requests, not of people."""

    CUSTOMER = "customer"
    TECHNICIAN = "technician"
    DISPATCHER = "dispatcher"
    ADMIN = "admin"
    LINK_HOLDER = "link_holder"
    ANONYMOUS = "anonymous"


STAFF = frozenset({Role.DISPATCHER, Role.ADMIN})


class Step(StrEnum):
    """What can be done to an appointment; the value is what the phone's protocol says."""

    START_TRAVEL = "start_travel"
    ARRIVE = "arrive"
    COMPLETE = "complete"
    NOT_DONE = "not_done"
    CANCEL = "cancel"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Move:
    """One arrow of the state diagram: where it leads and which roles may take it."""

    to: State
    roles: frozenset[Role]


_FIELD = frozenset({Role.TECHNICIAN}) | STAFF
_ANYONE = frozenset({Role.CUSTOMER}) | STAFF

MOVES: dict[tuple[State, Step], Move] = {
    (State.SCHEDULED, Step.START_TRAVEL): Move(State.TRAVELING, _FIELD),
    (State.SCHEDULED, Step.ARRIVE): Move(State.IN_PROGRESS, _FIELD),
    (State.SCHEDULED, Step.CANCEL): Move(State.CANCELED, _ANYONE),
    (State.TRAVELING, Step.ARRIVE): Move(State.IN_PROGRESS, _FIELD),
    (State.TRAVELING, Step.NOT_DONE): Move(State.CANCELED, _FIELD),
    (State.TRAVELING, Step.CANCEL): Move(State.CANCELED, _ANYONE),
    (State.TRAVELING, Step.UNDO): Move(State.SCHEDULED, _FIELD),
    (State.IN_PROGRESS, Step.COMPLETE): Move(State.COMPLETED, _FIELD),
    (State.IN_PROGRESS, Step.NOT_DONE): Move(State.CANCELED, _FIELD),
    (State.IN_PROGRESS, Step.UNDO): Move(State.TRAVELING, _FIELD),
    (State.COMPLETED, Step.UNDO): Move(State.IN_PROGRESS, _FIELD),
}
"""Every arrow there is; what is not here cannot be done. The diagram in docs/states.md is made from this table."""


def pressed(pressed_at: datetime | None, since: datetime, now: datetime) -> datetime:
    """When a button was pressed, as far as that can be: not in the future, not before the state it left (``since``)."""
    return now if pressed_at is None else min(now, max(pressed_at, since))
