"""What a visit under way says about itself: every sentence, the shown range and the ribbon, as a pure function of facts.

The same function stands in `static/js/story.js`, because the page must go on telling while no frame arrives; a test feeds
both with the same (also random) facts and compares every word. Sentences mark what is **strong** with two stars.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal_web import asides
from portal_web.freshness import Level, age_words
from portal_web.ribbon import Ribbon, draw
from portal_web.times import ceil_minute, clock, floor_minute, span_words, stamp, whole_minutes
from portal_web.trip import Trip, expected_by, last_seen, level_of, range_of

Window = tuple[datetime, datetime]
_AGING = frozenset({Level.LIVE, Level.DELAYED, Level.STALE})


@dataclass(frozen=True, slots=True)
class Story:
    """What the page says. ``low`` and ``high`` are whole minutes; ``by`` stands instead of them where no range is honest.

    ``seen`` is the time of the last sign, for pages on which the age in ``pill`` would not run on; None: no age is told.
    """

    level: Level
    pill: tuple[str, str]
    seen: str | None
    title: str
    label: str
    uncertain: bool
    low: datetime | None
    high: datetime | None
    by: datetime | None
    sub: str
    ribbon: Ribbon | None
    notice: str | None
    map_note: str | None
    map_label: str
    words: str | None
    privacy: str
    announce: str
    there: bool


def tell(trip: Trip, now: datetime, shown: Window | None = None) -> Story:
    """The story at ``now``; ``shown`` is the range already on the page if it should stand (the two-minute rule)."""
    level = level_of(trip, now)
    window = (shown or range_of(trip, now)) if level is not Level.LOST else None
    if window and window[0] <= now and level in (Level.PAUSED, Level.HIDDEN):
        window = _still_possible(window, now)  # nobody sees the van, so "any minute" would claim what is not known
    by = None if window else expected_by(trip, now)
    return Story(
        level=level,
        pill=_pill(trip, level, now),
        seen=stamp(last_seen(trip), trip.zone, seconds=True) if level in _AGING else None,
        title=_title(trip, level),
        label=_label(trip, level, window, now),
        uncertain=level in (Level.STALE, Level.LOST, Level.PAUSED, Level.HIDDEN),
        low=window[0] if window else None,
        high=window[1] if window else None,
        by=by,
        sub=_sub(trip, level, window, by, now),
        ribbon=_ribbon(trip, level, window, now),
        notice=asides.notice(trip, level, by),
        map_note="The van may now be anywhere on the striped stretch." if level is Level.STALE else None,
        map_label=asides.map_label(trip, level),
        words=asides.words(trip, level),
        privacy=asides.privacy(trip, level),
        announce=_announce(trip, level, window, by, now),
        there=_there(trip, level),
    )


def _still_possible(window: Window, now: datetime) -> Window | None:
    """What is left of a range that has begun, in steps of five minutes; None when less than that is left."""
    low = ceil_minute(now + timedelta(minutes=1), 5)
    return (low, window[1]) if window[1] - low >= timedelta(minutes=5) else None


def _pill(trip: Trip, level: Level, now: datetime) -> tuple[str, str]:
    if not trip.tracked:
        return "No live map", "position not shown"
    if level is Level.PAUSED and trip.paused_since:
        return "Paused", f"since {stamp(trip.paused_since, trip.zone)}"
    if level is Level.HIDDEN or trip.seen is None:
        return ("Closed", "not shown") if trip.closed else ("Just started", "not shown yet")
    seen = last_seen(trip)
    match level:
        case Level.STANDING:
            return "Standing", f"since {stamp(trip.seen.fix_at, trip.zone)}"
        case Level.STALE:
            return "Stale", f"last seen {age_words(seen, now, trip.zone)}"
        case Level.LOST:
            return "Lost", f"last seen {stamp(seen, trip.zone)}"
    return level.value.capitalize(), age_words(seen, now, trip.zone)


def _title(trip: Trip, level: Level) -> str:
    extra = {
        Level.STALE: ", position is old",
        Level.LOST: ", no position",
        Level.PAUSED: ", sharing is paused",
    }
    return f"{trip.name} is on the way{extra.get(level, '')}"


def _there(trip: Trip, level: Level) -> bool:
    """Noticed at the address, and nothing newer says otherwise."""
    return trip.arriving and level not in (Level.STALE, Level.LOST, Level.PAUSED)


def _label(trip: Trip, level: Level, window: Window | None, now: datetime) -> str:
    if _there(trip, level):
        return f"{trip.name} is arriving"
    if level is Level.LOST:
        return f"We can’t see {trip.name}’s position"
    if window is None:
        return f"{trip.name} is on the way"
    soon, at = window[0] <= now, window[0] == window[1]
    tail = "" if soon else " at about" if at else " between"
    if level in (Level.PAUSED, Level.HIDDEN):
        return f"{trip.name} is expected{tail}"
    return f"{trip.name} {'probably ' if level is Level.STALE else ''}arrives{tail}"


def _sub(trip: Trip, level: Level, window: Window | None, by: datetime | None, now: datetime) -> str:
    passed = "" if window or by else " The time it was expected has passed."
    if _there(trip, level):
        place = "the address" if trip.for_staff else "your address"
        return f"**{trip.name} has reached {place}.** This page changes when work begins."
    if level is Level.PAUSED:
        return (
            "Location sharing is paused. **The visit is still on.** "
            f"This page updates when sharing resumes or {trip.name} arrives.{passed}"
        )
    if not trip.tracked:
        return f"{trip.name} has set off. **There is no live map for this visit.** This page changes when work begins.{passed}"
    if level is Level.HIDDEN and trip.closed:
        return f"The live map of this trip has closed. **The visit is still on.** This page updates when {trip.name} arrives."
    if level is Level.HIDDEN:
        return (
            f"{trip.name} has set off. **The van appears on the map a little later,** so that earlier stops stay private.{passed}"
        )
    seen = last_seen(trip)
    if level is Level.LOST:
        minutes = max(1, int((now - seen) / timedelta(minutes=1)))
        text = f"No position for {span_words(minutes)}, so the van is no longer drawn. "
        late = "The time it was expected has passed."
        known = "This time comes from the last known position and usual driving times."
        return f"{text}{late if by and by <= now else known} **The visit is still on.**"
    if level is Level.STALE:
        since = stamp(seen, trip.zone)
        return (
            f"The range is wider because we have had no new position since {since}. "
            f"**{trip.name} is probably closer than shown.**"
        )
    return _comparison(trip, window, now)


def _comparison(trip: Trip, window: Window | None, now: datetime) -> str:
    booked = stamp(trip.booked, trip.zone)
    if window is None:
        return f"There is no closer estimate yet. {'Booked for' if trip.for_staff else 'You booked'} {booked}."
    low = max(0, whole_minutes(window[0] - floor_minute(now)))
    high = max(0, whole_minutes(window[1] - floor_minute(now)))
    if low == high or high == 0:
        countdown = f"**In about {span_words(max(1, high))}.** "
    elif window[0] <= now:
        countdown = f"**Within {span_words(high)}.** "
    else:
        countdown = f"**In {_between(low, high)}.** "
    return countdown + _against_the_booking(trip, window, booked)


def _against_the_booking(trip: Trip, window: Window, booked: str) -> str:
    early = whole_minutes(window[0] - floor_minute(trip.booked))
    late = whole_minutes(window[1] - floor_minute(trip.booked))
    booking = f"the booked {booked}" if trip.for_staff else f"the {booked} you booked"
    if early > 3:
        return f"That is {_between(early, late)} after {booking}."
    if late < -3:
        return f"That is {_between(-late, -early)} earlier than {'booked' if trip.for_staff else 'you booked'}."
    if late > 10:
        return f"That is up to {span_words(late)} after {booking}."
    return f"On time for {booking}."


def _between(low: int, high: int) -> str:
    if low == high:
        return span_words(high)
    return f"{low} to {span_words(high)}" if high < 90 else f"{span_words(low)} to {span_words(high)}"


def _ribbon(trip: Trip, level: Level, window: Window | None, now: datetime) -> Ribbon | None:
    if window is None:
        return None
    probably = "Probably" if level is Level.STALE else "Expected"
    label = (
        f"Now {clock(now, trip.zone)}. Booked arrival {clock(trip.booked, trip.zone)}. "
        f"{probably} between {clock(window[0], trip.zone)} and {clock(window[1], trip.zone)}."
    )
    doubtful = level in (Level.STALE, Level.PAUSED, Level.HIDDEN)
    return draw(floor_minute(now), trip.booked, window[0], window[1], doubtful, label, trip.zone)


def _announce(trip: Trip, level: Level, window: Window | None, by: datetime | None, now: datetime) -> str:
    if _there(trip, level):
        return f"{trip.name} is arriving."
    first = {
        Level.STALE: "The position is old. ",
        Level.PAUSED: "Location sharing is paused. ",
        Level.LOST: f"We can’t see {trip.name}’s position. ",
    }.get(level, "")
    if window is None:
        when = f" Expected by {clock(by, trip.zone)}." if by and by > now else ""
        return f"{first}{trip.name} is on the way.{when}"
    verb = "probably arrives" if level is Level.STALE else "is expected" if first or level is Level.HIDDEN else "arrives"
    if window[0] <= now:
        return f"{first}{trip.name} {verb} any minute, latest {clock(window[1], trip.zone)}."
    if window[0] == window[1]:
        return f"{first}{trip.name} {verb} at about {clock(window[0], trip.zone)}."
    return f"{first}{trip.name} {verb} between {clock(window[0], trip.zone)} and {clock(window[1], trip.zone)}."
