"""The live page of a visit as values to print: one function of the visit's state, the facts of its trip, and the time."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from portal_web.facts import Visit
from portal_web.story import Story, tell
from portal_web.times import clock, likely_done, long_day, same_day, short_day, stamp
from portal_web.trip import Trip
from tracker.domain.appointments import State

NO_POSITION = "**This page shows no position of the technician.**"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the four steps: its word, ``done``/``now``/``later``, and when."""

    word: str
    mood: str
    at: datetime | None = None
    before: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class LiveView:
    """What the templates of the live page print besides the visit itself.

    ``map`` is ``trip`` (large), ``place`` (a strip with the address) or None; ``story`` exists while traveling.
    """

    state: str
    title: str
    skip_to: str
    steps: tuple[Step, ...]
    map: str | None
    map_label: str = ""
    headline: str = ""
    privacy: str = ""
    story: Story | None = None
    late: str = ""
    started_at: datetime | None = None
    done_at: datetime | None = None
    canceled: str = ""


def look_at(visit: Visit, trip: Trip | None, now: datetime) -> LiveView:
    """The page of this visit. ``trip`` is given exactly while the visit is traveling."""
    match visit.state:
        case State.TRAVELING if trip:
            return _traveling(visit, trip, now)
        case State.IN_PROGRESS:
            return _in_progress(visit, now)
        case State.COMPLETED:
            return _completed(visit)
        case State.CANCELED:
            return _canceled(visit, now)
    return _scheduled(visit, now)


def trip_of(visit: Visit) -> Trip:
    """What is known of a trip without any position: the plan. Others add what they may show."""
    travel_ends = visit.ends_at - timedelta(minutes=visit.duration_min)
    told = Trip(visit.name, visit.zone, booked=visit.arrival_at, planned=travel_ends)
    return replace(told, for_staff=visit.for_staff, tracked=visit.tracked)


def _map_of_the_address(visit: Visit) -> str:
    return f"Map of {'the' if visit.for_staff else 'your'} address, {visit.address}."


def _scheduled(visit: Visit, now: datetime) -> LiveView:
    arrival = visit.late.low if visit.late else visit.arrival_at
    day = "today" if same_day(arrival, now, visit.zone) else f"on {long_day(arrival, visit.zone)}"
    who = visit.technician.first_name if visit.technician else "the technician"
    to = "the customer" if visit.for_staff else "you"
    privacy = (
        f"**{visit.name}’s location is not shared yet.** "
        f"The live map opens here when {who} sets off to {to}, and closes on arrival."
        if visit.tracked
        else f"**{visit.name}’s location is not shown on this page.** It says when {who} sets off to {to}."
    )
    return LiveView(
        state="scheduled",
        title="Visit confirmed",
        skip_to="visit details",
        steps=steps(visit),
        map="place",
        map_label=_map_of_the_address(visit),
        headline=f"Technician now arrives {day} between" if visit.late else f"Technician arrives {day} at",
        privacy=privacy,
        late=_late(visit),
    )


def _late(visit: Visit) -> str:
    """What is known of a delay before anybody has set off; empty: nothing."""
    if visit.late is None:
        return ""
    booked, as_of = stamp(visit.arrival_at, visit.zone), stamp(visit.late.as_of, visit.zone)
    whose = "It was booked for" if visit.for_staff else "You booked"
    return f"**{visit.name} is running later than booked.** {whose} {booked}. The visit is still on. As of {as_of}."


def _traveling(visit: Visit, trip: Trip, now: datetime) -> LiveView:
    story = tell(trip, now)
    return LiveView(
        state="traveling",
        title=story.title,
        skip_to="arrival status",
        steps=steps(visit),
        map="trip" if story.level in ("live", "standing", "delayed", "stale") else "place",
        map_label=story.map_label,
        story=story,
    )


def _in_progress(visit: Visit, now: datetime) -> LiveView:
    started = visit.started_at or now
    at = stamp(started, visit.zone)
    return LiveView(
        state="in_progress",
        title=f"{visit.name} is working",
        skip_to="visit status",
        steps=steps(visit),
        map="place",
        map_label=_map_of_the_address(visit),
        headline=f"{visit.name} is working. Likely done around",
        privacy=f"**Location sharing ended at {at},** when {visit.name} arrived. Nobody can see the van on this page any more."
        if visit.tracked
        else NO_POSITION,
        started_at=started,
        done_at=likely_done(visit.ends_at, now),
    )


def _completed(visit: Visit) -> LiveView:
    start, end = visit.started_at or visit.arrival_at, visit.completed_at or visit.ends_at
    return LiveView(
        state="completed",
        title="Visit completed",
        skip_to="visit summary",
        steps=steps(visit),
        map=None,
        headline=f"{long_day(start, visit.zone)}, {stamp(start, visit.zone)} to {stamp(end, visit.zone)}",
        privacy=f"**Location sharing ended at {stamp(start, visit.zone)}.** This page shows no position of the technician."
        if visit.tracked
        else NO_POSITION,
    )


def _canceled(visit: Visit, now: datetime) -> LiveView:
    at = visit.canceled_at or now
    day = "today" if same_day(at, now, visit.zone) else f"on {short_day(at, visit.zone)}"
    by = f" by {visit.canceled_by}" if visit.canceled_by else ""
    shared = visit.traveling_at is not None and visit.tracked
    ended = f" The live map for this visit closed at {stamp(at, visit.zone)}." if shared else ""
    return LiveView(
        state="canceled",
        title="Visit canceled",
        skip_to="visit status",
        steps=(),
        map=None,
        headline="This visit is canceled",
        canceled=f"Canceled {day} at {stamp(at, visit.zone)}{by}. Nobody is coming.",
        privacy=f"**{'Location sharing has ended.' if shared else 'No location was shared.'}**{ended}",
    )


def steps(visit: Visit) -> tuple[Step, ...]:
    """Confirmed, On the way, In progress, Completed, each with its time; the present one is ``now``."""
    zone, order = visit.zone, (State.SCHEDULED, State.TRAVELING, State.IN_PROGRESS, State.COMPLETED)
    present = order.index(visit.state) if visit.state in order else -1
    words = ("Confirmed", "On the way", "In progress", "Completed")
    times = (visit.created_at, visit.traveling_at, visit.started_at, visit.completed_at)
    made = []
    for i, (word, at) in enumerate(zip(words, times, strict=True)):
        mood = "done" if i < present or visit.state is State.COMPLETED else "now" if i == present else "later"
        if at is None or mood == "later":
            made.append(Step(word, mood))
            continue
        text = short_day(at, zone) if i == 0 else clock(at, zone)
        made.append(Step(word, mood, at, "since " if mood == "now" and i else "", text))
    return tuple(made)
