"""Why a visit, promised or on its way, needs a dispatcher, and whether its technician can be there as it was promised."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from tracker.domain.cells import moment
from tracker.domain.duty import WeekHours
from tracker.domain.shifts import Span, weekly_shifts


class Reason(StrEnum):
    """What is wrong: the first four because staff changed the plan under a promise; the last with a visit on its way."""

    INACTIVE = "inactive"
    ABSENT = "absent"
    CLOSED = "closed"
    HOURS = "hours"
    UNASSIGNED = "unassigned"
    LATE = "late"
    TRAVEL = "travel"
    MAP_CLOSED = "map_closed"


WORDS = {
    Reason.INACTIVE: "The technician is not in use any more.",
    Reason.ABSENT: "The technician is away then.",
    Reason.CLOSED: "That day is closed now.",
    Reason.HOURS: "It lies outside the technician’s working hours now.",
    Reason.UNASSIGNED: "Nobody is assigned to this visit.",
    Reason.LATE: "The visit before runs into this one.",
    Reason.TRAVEL: "The way from the visit before takes longer than was promised.",
    Reason.MAP_CLOSED: "The live map closed by itself: it took too long, or the technician left again. Call, then set the state.",
}
"""The sentences that a dispatcher reads."""


def unkept(
    hours: tuple[WeekHours, ...],
    breaks: tuple[WeekHours, ...],
    away: Sequence[Span],
    zone: str,
    closed: frozenset[date],
    work: Span,
) -> Reason | None:
    """Why an active technician with this week cannot be at a visit from its arrival to its end; None if they can."""
    if any(one.start < work.end and one.end > work.start for one in away):
        return Reason.ABSENT
    if _works(hours, breaks, zone, closed, work):
        return None
    return Reason.CLOSED if closed and _works(hours, breaks, zone, frozenset(), work) else Reason.HOURS


def _works(hours: tuple[WeekHours, ...], breaks: tuple[WeekHours, ...], zone: str, closed: frozenset[date], work: Span) -> bool:
    first, last = (moment(each).astimezone(ZoneInfo(zone)).date() for each in work)
    return any(shift.window(*work) for shift in weekly_shifts(hours, breaks, zone, first, last, closed))
