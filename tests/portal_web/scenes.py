"""The scenes of the design: one visit in Helsinki, Tuesday 24 November 2026, 14:02, in every state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from portal_web.facts import Desk, Site, Technician, Visit
from portal_web.live_view import trip_of
from portal_web.trip import Arrival, Seen, Trip
from tracker.domain.appointments import State
from tracker.domain.geo import Point

SITE = Site("Waypoint", Desk("+358 000 000 000", "Weekdays 8:00 to 17:00"))
AINO = Technician("Aino Esimerkki", "Heat pump technician", None, "White van", "ABC-123", "+358 000 000 000")


def at(clock: str, day: int = 24) -> datetime:
    """A time of the scene: ``14:02`` or ``14:02:11``, Helsinki (UTC+2)."""
    return datetime.fromisoformat(f"2026-11-{day:02}T{clock if clock.count(':') == 2 else clock + ':00'}+02:00").astimezone(UTC)


NOW = at("14:02:17")

SCHEDULED = Visit(
    id="5ec1e7000000a1b2",
    booking_id="WP-7K3F-21",
    state=State.SCHEDULED,
    service="Heat pump inspection",
    duration_min=60,
    address="Korkeavuorenkatu 24 B 3",
    place=Point(60.16617, 24.94617),
    zone="Europe/Helsinki",
    arrival_at=at("14:00"),
    ends_at=at("15:00"),
    created_at=at("10:12", day=22),
    technician=AINO,
)
TRAVELING = replace(SCHEDULED, state=State.TRAVELING, traveling_at=at("13:48"), ends_at=at("15:08"))
IN_PROGRESS = replace(TRAVELING, state=State.IN_PROGRESS, started_at=at("14:09"), ends_at=at("15:10"))
COMPLETED = replace(IN_PROGRESS, state=State.COMPLETED, completed_at=at("15:06"))
CANCELED = replace(
    TRAVELING,
    state=State.CANCELED,
    canceled_at=at("13:52"),
    canceled_by="Kaisa Kokeilu",
    cancel_reason="The heat pump works again after a restart.",
)

ETA = Arrival(at("14:05"), at("14:12"), "road")
LIVE = replace(
    trip_of(TRAVELING),
    seen=Seen(at("14:02:11"), at("14:02:11"), 45.0, 5),
    eta=ETA,
    street="Kaivokatu",
    distance_m=1200.0,
)


def aged(trip: Trip, seconds: int) -> Trip:
    """The same trip with a position (and last contact) so many seconds older than now."""
    assert trip.seen
    then = NOW - timedelta(seconds=seconds)
    return replace(trip, seen=replace(trip.seen, fix_at=then, contact_at=then))


DELAYED = aged(LIVE, 45)
STALE = aged(LIVE, 4 * 60)
LOST = aged(LIVE, 13 * 60)
STANDING = replace(aged(LIVE, 4 * 60), seen=Seen(NOW - timedelta(minutes=4), NOW - timedelta(seconds=3), 45.0, 5))
PAUSED = replace(trip_of(TRAVELING), paused_since=at("14:02"), eta=Arrival(at("13:50"), at("14:25"), "booked"))
HIDDEN = replace(trip_of(TRAVELING), eta=Arrival(at("13:45"), at("14:30"), "booked"))

SCENES: dict[str, tuple[Visit, Trip | None]] = {
    "confirmed": (SCHEDULED, None),
    "traveling": (TRAVELING, LIVE),
    "standing": (TRAVELING, STANDING),
    "delayed": (TRAVELING, DELAYED),
    "stale": (TRAVELING, STALE),
    "lost": (TRAVELING, LOST),
    "paused": (TRAVELING, PAUSED),
    "hidden": (TRAVELING, HIDDEN),
    "in-progress": (IN_PROGRESS, None),
    "completed": (COMPLETED, None),
    "canceled": (CANCELED, None),
}
