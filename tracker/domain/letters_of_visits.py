"""The words of letters about a visit. Pure: facts in, words out; never a place, and an estimate says when it was made."""

from dataclasses import dataclass
from datetime import datetime

from tracker.domain.letters import Fact, Link, Sender, Words
from tracker.domain.local_times import same_day
from tracker.domain.tongues import Tongue


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a letter may say of an appointment. ``in_portal``: its reader booked it there."""

    id: str
    booking_id: str
    service: str
    duration_min: int
    address: str
    zone: str
    arrival_at: datetime
    in_portal: bool = False
    technician: str = ""
    vehicle: str = ""
    link: str = ""  # opens its page without signing in

    def name(self, tongue: Tongue) -> str:
        """How a sentence names the technician."""
        return next(iter(self.technician.split()), tongue.say("Your technician"))

    def when(self, tongue: Tongue) -> str:
        """``Mon 30 Nov, 14:00``."""
        return tongue.moment(self.arrival_at, self.zone)

    def facts(self, tongue: Tongue, *, who: bool = False, length: bool = True) -> tuple[Fact, ...]:
        """Its lines."""
        say = tongue.say
        technician = (Fact(say("Technician"), self.name(tongue), self.vehicle),) if who and self.technician else ()
        about = say("about {span}", span=tongue.span(self.duration_min)) if length else ""
        service = Fact(say("Service"), self.service, about)
        booking = Fact(say("Booking ID"), self.booking_id, code=True)
        return (*technician, service, Fact(say("Address"), self.address), booking)

    def why(self, tongue: Tongue) -> str:
        """Why somebody gets letters about it."""
        if self.in_portal:
            return tongue.say("You get this because you booked this visit in the portal.")
        return tongue.say("You get this because you are the contact for this visit.")

    def page(self, sender: Sender) -> str:
        """Its own page: behind the link if there is one, else behind the sign-in."""
        return self.link or f"{sender.url}/appointments/{self.id}/live"


def confirmation(sender: Sender, visit: Visit) -> Words:
    """It is booked."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    return _planned(
        sender,
        visit,
        subject=say("Booked: {when}, {service}", when=when, service=service),
        pill=say("Confirmed"),
        lead=say("Your technician arrives"),
        sub=say("{zone}. The calendar file is attached.", zone=tongue.zone(visit.zone, visit.arrival_at)),
    )


def rescheduled(sender: Sender, visit: Visit, was: datetime) -> Words:
    """It was moved."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    before = tongue.moment(was, visit.zone)
    return _planned(
        sender,
        visit,
        subject=say("New time: {when}, {service}", when=when, service=service),
        pill=say("Rescheduled"),
        lead=say("Your visit of {before} was moved. Your technician now arrives", before=before),
        sub=say("{zone}. The attached file changes your calendar.", zone=tongue.zone(visit.zone, visit.arrival_at)),
    )


def reminder(sender: Sender, visit: Visit, now: datetime) -> Words:
    """It is soon."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    today = same_day(now, visit.arrival_at, visit.zone)
    began = say("Today: {when}, {service}", when=when, service=service)
    subject = began if today else say("Reminder: {when}, {service}", when=when, service=service)
    return _planned(
        sender,
        visit,
        subject=subject,
        pill=say("Reminder"),
        lead=say("Your technician arrives today") if today else say("Your technician arrives on"),
        sub=say("{zone}.", zone=tongue.zone(visit.zone, visit.arrival_at)),
    )


def _planned(sender: Sender, visit: Visit, *, subject: str, pill: str, lead: str, sub: str) -> Words:
    tongue, say = sender.tongue, sender.tongue.say
    day, time = tongue.long_day(visit.arrival_at, visit.zone), tongue.clock(visit.arrival_at, visit.zone)
    zone = tongue.zone(visit.zone, visit.arrival_at)
    followed = say("you get a message when the technician sets off, with a link to the arrival time and a live map.")
    on_the_day = followed if sender.live_map else say("you get a message when the technician sets off.")
    return Words(
        subject=subject,
        preview=say("The technician arrives {day} at {time}, {zone}.", day=day, time=time, zone=zone),
        pill=pill,
        lead=lead,
        big=visit.when(tongue),
        sub=sub,
        button=Link(say("View appointment"), visit.page(sender)),
        other=Link(say("Change the time or cancel"), f"{sender.url}/appointments/{visit.id}/modify"),
        facts=visit.facts(tongue),
        note=(say("On the day"), on_the_day),
        why=visit.why(tongue),
    )


def canceled(sender: Sender, visit: Visit, reason: str) -> Words:
    """It was called off."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    zone = tongue.zone(visit.zone, visit.arrival_at)
    return Words(
        subject=say("Canceled: {when}, {service}", when=when, service=service),
        preview=say("This visit will not take place."),
        pill=say("Canceled"),
        state="canceled",
        lead=say("This visit was canceled"),
        big=when,
        sub=say("{zone}. The attached file takes it out of your calendar.", zone=zone),
        button=Link(say("Book a new visit"), f"{sender.url}/book"),
        facts=(*((Fact(say("Reason"), reason),) if reason else ()), *visit.facts(tongue)),
        why=visit.why(tongue),
    )


def new_link(sender: Sender, visit: Visit) -> Words:
    """A new link was asked for with an older one. Where links open nothing (blocked, or long over) the sign-in does."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    if visit.link:
        preview, lead = say("It opens your visit without signing in."), say("A new link was asked for. It opens your visit of")
        label, nothing = say("Open your visit"), say("Then do nothing: the link came to you alone.")
    else:
        preview, lead = say("Sign in to see your visit."), say("A new link was asked for. Sign in to see your visit of")
        label, nothing = say("Sign in to see it"), say("Then do nothing: nothing was changed.")
    return Words(
        subject=say("Your new link: {when}, {service}", when=when, service=service),
        preview=preview,
        pill=say("New link"),
        lead=lead,
        big=when,
        sub=say("{zone}.", zone=tongue.zone(visit.zone, visit.arrival_at)),
        button=Link(label, visit.page(sender)),
        facts=visit.facts(tongue),
        note=(say("Was it not you?"), nothing),
        why=say("You get this because a new link was asked for with an older one of yours."),
    )
