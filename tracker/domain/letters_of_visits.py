"""The words of letters about a visit. Pure: facts in, words out; never a place, and an estimate says when it was made."""

from dataclasses import dataclass
from datetime import datetime

from tracker.domain.letters import Fact, Link, Sender, Words, lower
from tracker.domain.local_times import clock, day, long_day, same_day, span_words, zone_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a letter may say of an appointment. ``booked_by`` is a name if it was booked in the portal."""

    id: str
    booking_id: str
    service: str
    duration_min: int
    address: str
    zone: str
    arrival_at: datetime
    booked_by: str | None = None
    technician: str = ""
    vehicle: str = ""
    link: str = ""  # opens its page without signing in

    @property
    def first_name(self) -> str:
        """How a sentence names the technician."""
        return self.technician.split()[0] if self.technician.split() else "Your technician"

    @property
    def when(self) -> str:
        """``Mon 30 Nov, 14:00``."""
        return f"{day(self.arrival_at, self.zone)}, {clock(self.arrival_at, self.zone)}"

    def facts(self, *, who: bool = False, length: bool = True) -> tuple[Fact, ...]:
        """Its lines."""
        technician = (Fact("Technician", self.first_name, self.vehicle),) if who and self.technician else ()
        about = f"about {span_words(self.duration_min)}" if length else ""
        service = Fact("Service", self.service, about)
        return (*technician, service, Fact("Address", self.address), Fact("Booking ID", self.booking_id, code=True))

    @property
    def why(self) -> str:
        """Why somebody gets letters about it."""
        if self.booked_by:
            return f"You get this because {self.booked_by} booked this visit in the portal."
        return "You get this because you are the contact for this visit."

    def page(self, sender: Sender) -> str:
        """Its own page: behind the link if there is one, else behind the sign-in."""
        return self.link or f"{sender.url}/appointments/{self.id}/live"


ON_THE_DAY = ("On the day", "you get a message when the technician sets off, with a link to the arrival time and a live map.")


def confirmation(sender: Sender, visit: Visit) -> Words:
    """It is booked."""
    return _planned(
        sender,
        visit,
        subject=f"Booked: {visit.when}, {lower(visit.service)}",
        pill="Confirmed",
        lead="Your technician arrives",
        sub=f"{zone_words(visit.zone, visit.arrival_at)}. The calendar file is attached.",
    )


def rescheduled(sender: Sender, visit: Visit, was: datetime) -> Words:
    """It was moved."""
    before = f"{day(was, visit.zone)}, {clock(was, visit.zone)}"
    return _planned(
        sender,
        visit,
        subject=f"New time: {visit.when}, {lower(visit.service)}",
        pill="Rescheduled",
        lead=f"Your visit of {before} was moved. Your technician now arrives",
        sub=f"{zone_words(visit.zone, visit.arrival_at)}. The attached file changes your calendar.",
    )


def reminder(sender: Sender, visit: Visit, now: datetime) -> Words:
    """It is soon."""
    today = same_day(now, visit.arrival_at, visit.zone)
    return _planned(
        sender,
        visit,
        subject=f"{'Today' if today else 'Reminder'}: {visit.when}, {lower(visit.service)}",
        pill="Reminder",
        lead=f"Your technician arrives {'today' if today else 'on'}",
        sub=f"{zone_words(visit.zone, visit.arrival_at)}.",
    )


def _planned(sender: Sender, visit: Visit, *, subject: str, pill: str, lead: str, sub: str) -> Words:
    arrives = f"{long_day(visit.arrival_at, visit.zone)} at {clock(visit.arrival_at, visit.zone)}"
    return Words(
        subject=subject,
        preview=f"The technician arrives {arrives}, {zone_words(visit.zone, visit.arrival_at)}.",
        pill=pill,
        lead=lead,
        big=visit.when,
        sub=sub,
        button=Link("View appointment", visit.page(sender)),
        other=Link("Change the time or cancel", f"{sender.url}/appointments/{visit.id}/modify"),
        facts=visit.facts(),
        note=ON_THE_DAY,
        why=visit.why,
    )


def canceled(sender: Sender, visit: Visit, reason: str) -> Words:
    """It was called off."""
    return Words(
        subject=f"Canceled: {visit.when}, {lower(visit.service)}",
        preview="This visit will not take place.",
        pill="Canceled",
        state="canceled",
        lead="This visit was canceled",
        big=visit.when,
        sub=f"{zone_words(visit.zone, visit.arrival_at)}. The attached file takes it out of your calendar.",
        button=Link("Book a new visit", f"{sender.url}/book"),
        facts=(*((Fact("Reason", reason),) if reason else ()), *visit.facts()),
        why=visit.why,
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """An estimate as a letter may say it: a range, and when it was made."""

    low: datetime
    high: datetime
    as_of: datetime


def traveling(sender: Sender, visit: Visit, set_off: datetime, expected: Expected) -> Words:
    """The technician is on the way. No place, no map: the page has them, for as long as they may be seen."""
    name, zone = visit.first_name, visit.zone
    shown = "Until then the page shows where the van is, and how old that is."
    passed_on = "The link opens without signing in, so pass it on only to someone who should see the van arrive."
    low, high = clock(expected.low, zone), clock(expected.high, zone)
    return Words(
        subject=f"{name} is on the way, expected {low}" + (f" to {high}" if high != low else ""),
        preview=f"{visit.service} today. Open the link for the current arrival time and live map.",
        pill="On the way",
        state="traveling",
        lead=f"{name} set off at {clock(set_off, zone)} and is expected " + ("between" if high != low else "at"),
        big=f"{low}–{high}" if high != low else low,
        sub=f"As of {clock(expected.as_of, zone)}, {zone_words(zone, expected.as_of)}. The page always has the newest time.",
        button=Link("View live map", visit.page(sender)),
        facts=visit.facts(who=True),
        note=(f"{name} stops sharing on arrival.", passed_on if visit.link else shown),
        why="You get this because you are the contact for this visit.",
    )


def completed(sender: Sender, visit: Visit, arrived: datetime | None, done: datetime, *, asks: bool) -> Words:
    """The work is done. ``asks``: how it was (A8)."""
    view = Link("View the visit", visit.page(sender))
    began = f"{visit.first_name} arrived at {clock(arrived, visit.zone)}. " if arrived else ""
    ended = (f"Location sharing ended at {clock(arrived, visit.zone)}.",) if arrived else ("Location sharing has ended.",)
    return Words(
        subject=f"Visit completed: {lower(visit.service)}",
        preview=f"Done at {clock(done, visit.zone)}." + (" Tell us how it went." if asks else ""),
        pill="Completed",
        state="completed",
        lead=f"Your visit was completed on {day(done, visit.zone)} at",
        big=clock(done, visit.zone),
        sub=f"{began}{zone_words(visit.zone, done)}.",
        button=Link("Send feedback", visit.link or f"{visit.page(sender)}#feedback") if asks else view,  # its fragment is taken
        other=view if asks else None,
        facts=visit.facts(who=True, length=False),
        note=(ended[0], "The page shows your visit, not the technician’s position."),
        why="You get this because you are the contact for this visit.",
    )


def not_done(sender: Sender, visit: Visit, why: str) -> Words:
    """The technician came, or was on the way, and it could not be done."""
    return Words(
        subject=f"Could not be done: {lower(visit.service)}, {visit.when}",
        preview="Book a new visit, or call the service desk.",
        pill="Not done",
        state="canceled",
        lead="This visit could not be done",
        big=visit.when,
        sub=f"{zone_words(visit.zone, visit.arrival_at)}. Book a new visit, or call {sender.desk}.",
        button=Link("Book a new visit", f"{sender.url}/book"),
        facts=(*((Fact("Why", why),) if why else ()), *visit.facts(length=False)),
        why="You get this because you are the contact for this visit.",
    )
