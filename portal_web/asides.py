"""What stands beside the time of a visit under way: the notice, the map in words, who sees what (see `story`)."""

from datetime import datetime

from portal_web.freshness import Level
from portal_web.times import clock, stamp
from portal_web.trip import REASONS, Trip, distance_words, last_seen


def notice(trip: Trip, level: Level, by: datetime | None) -> str | None:
    """What to do when the position is old or lost; None when there is nothing to say."""
    if level is Level.LOST and by and trip.for_staff:
        return f"**Call {trip.name}.** The customer is asked to call the service desk after {stamp(by, trip.zone)}."
    if level is Level.LOST and by:
        return f"**Nothing for you to do.** Call the service desk if {trip.name} has not arrived by {stamp(by, trip.zone)}."
    if level is Level.STALE:
        reason = REASONS.get(trip.reason or "", "").format(name=trip.name)
        first = reason or "**The visit is going ahead.**"
        second = " The visit is going ahead." if reason else ""
        return f"{first}{second} This page updates by itself as soon as a new position arrives."
    return None


def words(trip: Trip, level: Level) -> str | None:
    """The map as a sentence; None while there is nothing on it."""
    if trip.seen is None or level in (Level.PAUSED, Level.HIDDEN):
        return None
    where = f"on {trip.street}" if trip.street else None
    away = f"{distance_words(trip.distance_m)} away" if trip.distance_m is not None else None
    if away and trip.eta and trip.eta.basis == "road":
        away += " by road"
    seen = stamp(last_seen(trip), trip.zone, seconds=True)
    if level in (Level.STALE, Level.LOST):
        place = ", ".join(part for part in (f"{where} at {seen}" if where else f"at {seen}", away) if part)
        return f"Without the map: last seen {place}. No position since."
    verb = "is standing" if level is Level.STANDING else "is"
    place = ", ".join(part for part in (where, away) if part) or ("on the way" if trip.for_staff else "on the way to you")
    accuracy = f", accurate to about {max(1, int(trip.seen.acc + 0.5))} m" if trip.seen.acc else ""
    taken = stamp(trip.seen.fix_at, trip.zone, seconds=True)
    return f"Without the map: {trip.name} {verb} {place}. Position taken at {taken}{accuracy}."


def privacy(trip: Trip, level: Level) -> str:
    """Who sees what, and until when."""
    if not trip.tracked:
        if trip.for_staff:
            return "**Customers are shown no live map.** The setting technician tracking is off."
        return f"**{trip.name}’s location is not shown on this page.** It says when work begins, and when it is done."
    if level is Level.PAUSED:
        return "**Technicians can pause sharing,** for a break for example. While it is paused no position is sent or stored."
    if trip.for_staff:
        return (
            f"**{trip.name} stops sharing with the customer on arrival.** The customer sees what you see here, "
            "and never earlier stops. Your look is written down."
        )
    return (
        f"**{trip.name} stops sharing on arrival.** You can see the van only while {trip.name} travels to you. "
        "Earlier stops are never shown."
    )


def map_label(trip: Trip, level: Level) -> str:
    """What the map's picture shows, for who cannot see it."""
    on = f" on {trip.street}" if trip.street else ""
    address = "the address" if trip.for_staff else "your address"
    same = " The same information is in the text beside the map."
    match level:
        case Level.LOST:
            return f"Map of {address}. There is no recent position for {trip.name}’s van."
        case Level.PAUSED:
            return f"Map of {address}. {trip.name}’s location is not shared at the moment."
        case Level.HIDDEN:
            return f"Map of {address}. {trip.name}’s van is not shown{'' if trip.closed or not trip.tracked else ' yet'}."
        case Level.STALE:
            at = clock(last_seen(trip), trip.zone)
            return (
                f"Map with the last known position of {trip.name}’s van, seen at {at}{on}, and {address}. "
                "The van has probably moved closer since then."
            )
    return f"Map with {trip.name}’s van{on} and {address}.{same}"
