"""An appointment as a calendar entry: for the file that its customer takes, and for letters."""

from datetime import datetime, timedelta

from tracker.domain.appointments import State
from tracker.domain.calendar import Entry, Method, calendar_file
from tracker.domain.tongues import ENGLISH, Tongue
from tracker.records.appointments import Appointment
from tracker.records.settings import Settings


def calendar_of(
    appointment: Appointment,
    url: str,
    settings: Settings,
    now: datetime,
    *,
    method: Method = Method.PUBLISH,
    people: tuple[str, str] | None = None,
    tongue: Tongue = ENGLISH,
) -> bytes:
    """The file. ``url`` is the service's public address: its host makes the UID one of ours, the entry links to the page.

    ``people``: the addresses of who asks and who is asked, which a file sent by letter must name (RFC 5546).
    """
    host = url.partition("://")[2].partition("/")[0].partition(":")[0]
    say = tongue.say
    lines = [say("The technician arrives at the start of this entry."), say("Booking ID {id}", id=appointment.booking_id)]
    if settings.desk_phone:
        lines.append(say("Service desk: {phone}", phone=settings.desk_phone))
    entry = Entry(
        uid=f"{appointment.id}@{host}",
        sequence=appointment.sequence,
        title=say("{service} ({company})", service=appointment.service, company=settings.company),
        starts_at=appointment.arrival_at,
        ends_at=appointment.arrival_at + timedelta(minutes=appointment.duration_min),
        zone=appointment.zone,
        address=appointment.address,
        place=appointment.place,
        words="\n".join(lines),
        url=f"{url}/appointments/{appointment.id}/live",
        canceled=appointment.state is State.CANCELED,
        organizer=people[0] if people else None,
        attendee=people[1] if people else None,
    )
    return calendar_file(entry, now, company=settings.company, method=method)
