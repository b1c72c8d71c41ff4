"""An appointment as a calendar entry (RFC 5545): one UID for good, a SEQUENCE that rises, the zone of its address described."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vGeo, vText, vUri

from tracker.domain.geo import Point


class Method(StrEnum):
    """What the file is for: to keep, to ask somebody into their calendar, to take it out again (RFC 5546)."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands in the entry. ``uid`` must never change, ``sequence`` rises with each move and cancellation.

    ``organizer`` and ``attendee`` are addresses, for REQUEST and CANCEL; who booked has accepted, and is asked for no answer.
    """

    uid: str
    sequence: int
    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    address: str
    place: Point
    words: str
    url: str
    canceled: bool = False
    organizer: str | None = None
    attendee: str | None = None


def calendar_file(entry: Entry, now: datetime, *, company: str, method: Method = Method.PUBLISH) -> bytes:
    """The whole file, UTF-8 with CRLF. ``now`` becomes its DTSTAMP. ``method`` CANCEL needs ``entry.canceled``."""
    made = _file(entry, now, company, method, entry.zone)
    if not all(_described(made, at, entry.zone) for at in (entry.starts_at, entry.ends_at)):
        made = _file(entry, now, company, method, "UTC")
    return bytes(made.to_ical())


def _file(entry: Entry, now: datetime, company: str, method: Method, zone: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", vText(f"-//technician-tracker//{company}//EN"))
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    calendar.add_component(_event(entry, now, zone))
    day = timedelta(days=400)  # both changes of the clocks round it, and no rule of another decade
    calendar.add_missing_timezones(first_date=(entry.starts_at - day).date(), last_date=(entry.ends_at + day).date())
    return calendar


def _described(made: Calendar, at: datetime, zone: str) -> bool:
    """True if the file's own description of the zone, which many readers go by, has the right offset then.

    The library looks for changes of the clocks in steps of 64 days, and may miss two that lie nearer (Morocco's Ramadan).
    """
    local = at.astimezone(ZoneInfo(zone))
    own = (one.to_tz(lookup_tzid=False) for one in made.timezones)
    return all(local.replace(tzinfo=each).utcoffset() == local.utcoffset() for each in own if not local.fold)


def _event(entry: Entry, now: datetime, zone: str) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", _local(entry.starts_at, zone))
    event.add("dtend", _local(entry.ends_at, zone))
    event.add("summary", entry.title)
    event.add("location", entry.address)
    event.add("geo", vGeo((entry.place.lat, entry.place.lon)))
    event.add("description", entry.words)
    event.add("url", vUri(entry.url))
    event.add("status", "CANCELLED" if entry.canceled else "CONFIRMED")
    if entry.organizer is not None and entry.attendee is not None:
        event.add("organizer", _address(entry.organizer))
        event.add("attendee", _address(entry.attendee, partstat="ACCEPTED", rsvp="FALSE"))
    event.add("transp", "TRANSPARENT" if entry.canceled else "OPAQUE")
    return event


def _address(email: str, **parameters: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    for name, value in parameters.items():
        address.params[name] = value
    return address


def _local(at: datetime, zone: str) -> datetime:
    """Wall time of a zone; UTC in the hour that the clocks repeat, whose second turn a wall time cannot say."""
    local = at.astimezone(ZoneInfo(zone)).replace(microsecond=0)
    return at.astimezone(UTC).replace(microsecond=0) if local.fold else local
