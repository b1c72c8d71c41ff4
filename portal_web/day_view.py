"""The company's day as values to print: what needs attention first, then who is on the way, at work, to come, done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal_web.facts import Visit
from portal_web.freshness import Level
from portal_web.story import Story, tell
from portal_web.times import likely_done, stamp, whole_minutes
from portal_web.trip import Trip, range_of
from tracker.domain.appointments import State
from tracker.domain.attention import WORDS, Reason

LATE = timedelta(minutes=5)
"""Arriving (or setting off) so much after the promise is late."""

TAGS = {
    Reason.INACTIVE: "not in use",
    Reason.ABSENT: "away",
    Reason.CLOSED: "closed",
    Reason.HOURS: "off hours",
    Reason.UNASSIGNED: "unassigned",
    Reason.TRAVEL: "too tight",
    Reason.MAP_CLOSED: "map closed",
}
"""The word on the right for why a visit needs a dispatcher."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why somebody should look: ``rank`` orders the list, ``css`` is the colour, ``tag`` the word on the right."""

    rank: int
    css: str
    tag: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One appointment of the day: for whom, by whom (full names), what matters now, and the trouble if there is any."""

    visit: Visit
    customer: str
    technician: str | None
    words: str
    story: Story | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """The lines by what they ask of a dispatcher; each appointment stands in one list only."""

    attention: tuple[Line, ...]
    groups: tuple[tuple[str, str, tuple[Line, ...]], ...]
    over: tuple[Line, ...]


def line_of(visit: Visit, trip: Trip | None, now: datetime, customer: str, technician: str | None, flag: str | None) -> Line:
    """A visit as a line; ``trip`` is given while it travels."""
    story = tell(trip, now) if trip else None
    trouble = trouble_of(visit, trip, story, now, flag)
    return Line(visit, customer, technician, _words(visit, story, now), story, trouble)


def arranged(lines: list[Line]) -> Day:
    """Trouble first, the gravest on top; then by state, each by its promised arrival; what is over last."""
    by_time = sorted(lines, key=lambda line: line.visit.arrival_at)
    troubled = tuple(sorted((line for line in by_time if line.trouble), key=_gravity))
    calm = [line for line in by_time if not line.trouble]

    def those(state: State) -> tuple[Line, ...]:
        return tuple(line for line in calm if line.visit.state is state)

    groups = (
        ("way", "On the way", those(State.TRAVELING)),
        ("work", "In progress", those(State.IN_PROGRESS)),
        ("next", "Still to come", those(State.SCHEDULED)),
    )
    over = tuple(line for line in reversed(calm) if line.visit.state in {State.COMPLETED, State.CANCELED})
    return Day(troubled, tuple(group for group in groups if group[2]), over)


def _gravity(line: Line) -> int:
    return line.trouble.rank if line.trouble else 99


def trouble_of(visit: Visit, trip: Trip | None, story: Story | None, now: datetime, flag: str | None) -> Trouble | None:
    """The gravest of: late, likely late, no fresh position, nobody assigned, flagged; None if all is well."""
    if visit.state is State.TRAVELING and trip and story:
        closed = waiting(Reason.MAP_CLOSED) if flag == Reason.MAP_CLOSED else None
        return _late(trip, now) or closed or _unseen(visit, story)
    if visit.state is State.IN_PROGRESS and now > visit.ends_at + LATE:
        minutes = whole_minutes(now - visit.ends_at)
        return Trouble(2, "risk", f"{minutes} min over", f"Was to end at {stamp(visit.ends_at, visit.zone)}.")
    if visit.state is not State.SCHEDULED:
        return None
    if visit.technician is None:
        return waiting(Reason.UNASSIGNED)
    if now > visit.arrival_at + LATE:
        minutes = whole_minutes(now - visit.arrival_at)
        return Trouble(0, "late", f"{minutes} min late", f"{visit.name} has not set off.")
    return waiting(Reason(flag)) if flag else None


def waiting(reason: Reason) -> Trouble:
    """The trouble of a visit to come that cannot stay as it is."""
    rank = {Reason.MAP_CLOSED: 3, Reason.LATE: 5, Reason.TRAVEL: 5}.get(reason, 4)
    return Trouble(rank, "open", TAGS.get(reason, "look at it"), WORDS[reason])


def _late(trip: Trip, now: datetime) -> Trouble | None:
    window = range_of(trip, now)
    if window is None or (trip.eta and trip.eta.basis == "booked"):
        return None
    early, late = (whole_minutes(end - trip.booked) for end in window)
    if window[0] - trip.booked > LATE:
        return Trouble(0, "late", f"+{early} to {late} min", f"Arrives {_range(trip, window)}.")
    if window[1] - trip.booked > 2 * LATE:
        return Trouble(1, "risk", f"up to +{late} min", f"Arrives {_range(trip, window)}.")
    return None


def _unseen(visit: Visit, story: Story) -> Trouble | None:
    if story.level in (Level.STALE, Level.LOST):
        seen = story.seen or story.pill[1].removeprefix("last seen ")
        return Trouble(3, "stale", story.level.value, f"Last seen {seen}. Call {visit.name}.")
    return None


def _range(trip: Trip, window: tuple[datetime, datetime]) -> str:
    return f"{stamp(window[0], trip.zone)} to {stamp(window[1], trip.zone)}"


def _words(visit: Visit, story: Story | None, now: datetime) -> str:
    zone = visit.zone
    match visit.state:
        case State.TRAVELING if story and story.low and story.high:
            if story.low <= now:
                return f"**Any minute, latest {stamp(story.high, zone)}**"
            return f"**Arrives {stamp(story.low, zone)} to {stamp(story.high, zone)}**"
        case State.TRAVELING if story and story.by:
            return f"**Expected by {stamp(story.by, zone)}**"
        case State.IN_PROGRESS if visit.started_at:
            return f"Since {stamp(visit.started_at, zone)}, until about {stamp(likely_done(visit.ends_at, now), zone)}"
        case State.COMPLETED if visit.completed_at:
            return f"Done {stamp(visit.completed_at, zone)}"
        case State.CANCELED:
            return "Canceled" + (f" by {visit.canceled_by}" if visit.canceled_by else "")
    return ""
