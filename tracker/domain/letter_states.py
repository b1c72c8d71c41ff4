"""What becomes of a letter, as the log says it (N6)."""

from datetime import datetime
from enum import StrEnum


class LetterState(StrEnum):
    """Where a letter stands. ``sent``: the mail server has it; nobody knows more."""

    WAITING = "waiting"
    RETRYING = "retrying"  # not taken so far; the last error says why
    SENT = "sent"
    PARKED = "parked"  # given up; the last error says why
    OVERTAKEN = "overtaken"  # what it would have said is not so any more, or its kind is switched off


def state_of(sent_at: datetime | None, parked_at: datetime | None, last_error: str | None) -> LetterState:
    """The state that a letter's row means."""
    if sent_at is not None:
        return LetterState.SENT
    if parked_at is not None:
        return LetterState.PARKED if last_error else LetterState.OVERTAKEN
    return LetterState.RETRYING if last_error else LetterState.WAITING
