"""Surveys: how a visit was, from one to five stars; who may say so, and until when (A8)."""

from datetime import datetime
from typing import Protocol

from tracker.domain.appointments import Role, State
from tracker.domain.texts import several_lines
from tracker.domain.visibility import Watched, Watcher
from tracker.errors import BadInput, FeedbackRead, NotCompleted, SurveysOff

STARS = {1: "Poor", 2: "Fair", 3: "Okay", 4: "Good", 5: "Great"}
"""What each number of stars is called."""

MOST_COMMENT = 1000
"""Characters of a comment."""


class Rules(Protocol):
    """The setting that asks for feedback at all."""

    @property
    def surveys(self) -> bool: ...


class Answering(Watcher, Protocol):
    """What the rule needs to know about who answers."""

    @property
    def view_only(self) -> bool:
        """True for who holds a link that was made to look through only."""
        ...


def may_answer(who: Answering, visit: Watched) -> bool:
    """True for a contact of the visit's account and whoever has the link of its letters: nobody of the company rates itself."""
    if who.role is Role.LINK_HOLDER:
        return who.appointment == visit.id and not who.view_only
    return who.role is Role.CUSTOMER and visit.account_id in who.accounts


def check_open(state: State, read_at: datetime | None, rules: Rules) -> None:
    """Raise what stands against an answer now; ``read_at`` is when staff read the one that is there, if they did."""
    if not rules.surveys:
        raise SurveysOff
    if state is not State.COMPLETED:
        raise NotCompleted
    if read_at is not None:
        raise FeedbackRead


def is_open(state: State, read_at: datetime | None, rules: Rules) -> bool:
    """True if an answer can be given or changed now."""
    return rules.surveys and state is State.COMPLETED and read_at is None


def checked(stars: int, comment: str | None) -> tuple[int, str | None]:
    """An answer as it is kept: the comment without what nobody sees, None for an empty one; `BadInput` says what to mend."""
    if stars not in STARS:
        raise BadInput("Choose from 1 (poor) to 5 (great).")
    words = several_lines(comment or "")
    if len(words) > MOST_COMMENT:
        raise BadInput(f"A comment may have at most {MOST_COMMENT} characters.")
    return stars, words or None
