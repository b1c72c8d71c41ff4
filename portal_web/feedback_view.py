"""A visit's feedback as values to print: the form, what was said, or what staff have not read yet (A8)."""

from dataclasses import dataclass
from datetime import datetime

from portal_web.times import same_day, short_day, stamp
from tracker.domain import surveys
from tracker.domain.appointments import State
from tracker.domain.surveys import STARS, Rules
from tracker.records.surveys import Survey


@dataclass(frozen=True, slots=True)
class Feedback:
    """``mode``: ``form`` (to be sent), ``sent`` (by whoever looks), ``unread`` and ``read`` (for staff)."""

    mode: str
    stars: int = 0
    comment: str = ""
    sentence: str = ""
    changeable: bool = False

    @property
    def rated(self) -> str:
        """``4 of 5, good``."""
        return f"{self.stars} of {len(STARS)}, {STARS[self.stars].lower()}"


def feedback_of(
    state: State, survey: Survey | None, rules: Rules, now: datetime, zone: str, *, answers: bool, staff: bool
) -> Feedback | None:
    """What stands on the page of a visit; None: nothing. ``answers``: whoever looks may say how it was."""
    if state is not State.COMPLETED or not (answers or staff):
        return None
    if survey is None:
        return Feedback("form") if answers and rules.surveys else None
    sent, said = _at(survey.changed_at, now, zone), survey.comment or ""
    if answers:
        open_ = surveys.is_open(state, survey.read_at, rules)
        return Feedback("sent", survey.stars, said, f"**Thank you.** Your feedback was sent {sent}.", open_)
    if survey.read_at is None:
        return Feedback("unread", survey.stars, sentence=f"Sent {sent}, not read yet.")
    return Feedback("read", survey.stars, said, f"Sent {sent}.")


def _at(moment: datetime, now: datetime, zone: str) -> str:
    day = "" if same_day(moment, now, zone) else f"on {short_day(moment, zone)} "
    return f"{day}at {stamp(moment, zone)}"
