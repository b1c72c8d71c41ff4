"""The lists of appointments as values to print: one row each, with the sentence that says what matters now."""

from dataclasses import dataclass
from datetime import datetime

from portal_web.chosen_view import own_words
from portal_web.facts import Visit
from portal_web.feedback_view import Feedback
from portal_web.offers import Offers
from portal_web.story import Story, tell
from portal_web.times import short_day, stamp, zone_of, zone_words
from portal_web.trip import Trip
from tracker.domain.appointments import State


@dataclass(frozen=True, slots=True)
class Row:
    """One appointment in a list: ``when`` is the bold sentence, ``story`` exists while traveling, ``offers`` for its customer.

    ``own`` says a promised time in the reader's own zone, where that is known and another; ``feedback`` is there when it is over.
    """

    visit: Visit
    weekday: str
    day: str
    month: str
    when: str
    story: Story | None = None
    offers: Offers | None = None
    own: str | None = None
    feedback: Feedback | None = None


def row_of(
    visit: Visit,
    trip: Trip | None,
    now: datetime,
    offers: Offers | None = None,
    own_zone: str | None = None,
    feedback: Feedback | None = None,
) -> Row:
    """A visit as a row; ``trip`` is given while it travels."""
    story = tell(trip, now) if trip else None
    local = visit.arrival_at.astimezone(zone_of(visit.zone))
    return Row(
        visit=visit,
        weekday=local.strftime("%a"),
        day=str(local.day),
        month=local.strftime("%b"),
        when=_when(visit, story, now),
        story=story,
        offers=offers,
        own=own_words(visit.arrival_at, visit.zone, own_zone),
        feedback=feedback,
    )


def _when(visit: Visit, story: Story | None, now: datetime) -> str:
    zone = visit.zone
    match visit.state:
        case State.TRAVELING if story:
            return _on_the_way(visit, story, now)
        case State.IN_PROGRESS if visit.started_at:
            return f"**{visit.name} started at {stamp(visit.started_at, zone)}**"
        case State.COMPLETED if visit.completed_at:
            arrived = f"Arrived {stamp(visit.started_at, zone)}, done" if visit.started_at else "Done"
            by = f", by {visit.name}" if visit.technician else ""
            return f"{arrived} {stamp(visit.completed_at, zone)}{by}"
        case State.CANCELED:
            by = f" by {visit.canceled_by}" if visit.canceled_by else ""
            return f"Canceled{by}{f' on {short_day(visit.canceled_at, zone)}' if visit.canceled_at else ''}"
    if visit.late:
        low, high = stamp(visit.late.low, zone), stamp(visit.late.high, zone)
        return f"**Running late, arrives {low} to {high}** instead of {stamp(visit.arrival_at, zone)}"
    return f"**Technician arrives {stamp(visit.arrival_at, zone)}**"


def _on_the_way(visit: Visit, story: Story, now: datetime) -> str:
    zone = visit.zone
    if story.low and story.high:
        if story.low <= now:
            return f"**{visit.name} arrives any minute, latest {stamp(story.high, zone)}**"
        return f"**{visit.name} arrives {stamp(story.low, zone)} to {stamp(story.high, zone)}**"
    return f"**{visit.name} is expected by {stamp(story.by, zone)}**" if story.by else f"**{visit.name} is on the way**"


def zones_foot(visits: list[Visit]) -> str:
    """``All times are Helsinki time (EET, UTC+2).``, or that each is the address's own; both offsets if clocks change."""
    zones = sorted({visit.zone for visit in visits})
    if not zones:
        return ""
    said = [zone_words(zone, *(one.arrival_at for one in visits if one.zone == zone)) for zone in zones]
    return f"All times are {said[0]}." if len(said) == 1 else f"Times are those of each address: {', '.join(said)}."


def due_words(visit: Visit, now: datetime) -> str:
    """``due in 13 min`` and ``14 min late`` for what has not begun, within three hours; else nothing."""
    minutes = round((visit.arrival_at - now).total_seconds() / 60)
    if visit.state not in {State.SCHEDULED, State.TRAVELING} or abs(minutes) > 180:
        return ""
    return f"due in {minutes} min" if minutes > 0 else f"{-minutes} min late" if minutes < -1 else "due now"


def today_words(now: datetime, zone: str) -> str:
    """``Tue 24 Nov``."""
    local = now.astimezone(zone_of(zone))
    return f"{local.strftime('%a')} {local.day} {local.strftime('%b')}"
