"""The words of letters of the day itself: late, on the way, at the door, done, or not done. Pure, and never a place."""

from dataclasses import dataclass
from datetime import datetime

from tracker.domain.appointments import State
from tracker.domain.letters import Fact, Link, Sender, Words
from tracker.domain.letters_of_visits import Visit


@dataclass(frozen=True, slots=True)
class Expected:
    """An estimate as a letter may say it: a range, and when it was made."""

    low: datetime
    high: datetime
    as_of: datetime


def traveling(sender: Sender, visit: Visit, set_off: datetime, expected: Expected) -> Words:
    """The technician is on the way. No place, no map: the page has them, for as long as they may be seen."""
    tongue, say, name, zone = sender.tongue, sender.tongue.say, visit.name(sender.tongue), visit.zone
    low, high = tongue.clock(expected.low, zone), tongue.clock(expected.high, zone)
    live = sender.live_map
    shown = say("Until then the page shows where the van is, and how old that is.")
    passed_on = say("The link opens without signing in, so pass it on only to someone who should see the van arrive.")
    left, as_of, there = tongue.clock(set_off, zone), tongue.clock(expected.as_of, zone), tongue.zone(zone, expected.as_of)
    if high != low:
        subject = say("{name} is on the way, expected {low} to {high}", name=name, low=low, high=high)
        lead = say("{name} set off at {time} and is expected between", name=name, time=left)
    else:
        subject = say("{name} is on the way, expected {time}", name=name, time=low)
        lead = say("{name} set off at {time} and is expected at", name=name, time=left)
    return Words(
        subject=subject,
        preview=say("{service} today. Open the link for the current arrival time and live map.", service=visit.service)
        if live
        else say("{service} today.", service=visit.service),
        pill=say("On the way"),
        state="traveling",
        lead=lead,
        big=tongue.between(low, high) if high != low else low,
        sub=say("As of {time}, {zone}. The page always has the newest time.", time=as_of, zone=there)
        if live
        else say("As of {time}, {zone}.", time=as_of, zone=there),
        button=Link(say("View live map") if live else say("View appointment"), visit.page(sender)),
        facts=visit.facts(tongue, who=True),
        note=(say("{name} stops sharing on arrival.", name=name), passed_on if visit.link else shown) if live else None,
        why=say("You get this because you are the contact for this visit."),
    )


def delay(sender: Sender, visit: Visit, expected: Expected, *, can_move: bool) -> Words:
    """Nobody has set off yet, and it will be later than promised. ``can_move``: another time can be chosen in the portal."""
    tongue, say, zone = sender.tongue, sender.tongue.say, visit.zone
    name, was = visit.name(tongue), tongue.clock(visit.arrival_at, zone)
    low, high, as_of = (tongue.clock(moment, zone) for moment in (expected.low, expected.high, expected.as_of))
    told = {"was": was, "time": as_of, "zone": tongue.zone(zone, expected.as_of)}
    if can_move:
        sub = say("Instead of {was}. As of {time}, {zone}. Does that not suit you? Choose another time.", **told)
        other = Link(say("Change the time or cancel"), f"{sender.url}/appointments/{visit.id}/modify")
    else:
        sub = say("Instead of {was}. As of {time}, {zone}. Does that not suit you? Call {desk}.", desk=sender.desk, **told)
        other = None
    return Words(
        subject=say("{name} is running late, expected {low} to {high}", name=name, low=low, high=high),
        preview=say("The visit is still on. New arrival: between {low} and {high}.", low=low, high=high),
        pill=say("Running late"),
        lead=say("{name} is running later than booked and is expected between", name=name),
        big=tongue.between(low, high),
        sub=sub,
        button=Link(say("View appointment"), visit.page(sender)),
        other=other,
        facts=visit.facts(tongue, who=True),
        note=(say("The visit is still on."), say("You get a message when {name} sets off.", name=name)),
        why=say("You get this because you are the contact for this visit."),
    )


def arriving(sender: Sender, visit: Visit, at: datetime) -> Words:
    """The technician is at the address, or a few steps from it. No place: that it is theirs, they know."""
    tongue, say, name, zone = sender.tongue, sender.tongue.say, visit.name(sender.tongue), visit.zone
    return Words(
        subject=say("{name} is arriving", name=name),
        preview=say("{service} begins in a moment.", service=visit.service),
        pill=say("Arriving"),
        state="traveling",
        lead=say("{name} reached your address at", name=name),
        big=tongue.clock(at, zone),
        sub=say("{zone}. Please make sure that {name} can come in.", zone=tongue.zone(zone, at), name=name),
        button=Link(say("View live map"), visit.page(sender)),
        facts=visit.facts(tongue, who=True),
        note=(say("{name} stops sharing when work begins.", name=name), say("From then on the page shows no position.")),
        why=say("You get this because you are the contact for this visit."),
    )


def completed(sender: Sender, visit: Visit, arrived: datetime | None, done: datetime, *, asks: bool) -> Words:
    """The work is done. ``asks``: how it was (A8)."""
    tongue, say, zone = sender.tongue, sender.tongue.say, sender.tongue.zone(visit.zone, done)
    view = Link(say("View the visit"), visit.page(sender))
    feedback = Link(say("Send feedback"), visit.link or f"{visit.page(sender)}#feedback")  # a link's fragment is taken
    time = tongue.clock(done, visit.zone)
    preview = say("Done at {time}. Tell us how it went.", time=time) if asks else say("Done at {time}.", time=time)
    sub, shared = say("{zone}.", zone=zone), say("Location sharing has ended.")
    if arrived:
        time = tongue.clock(arrived, visit.zone)
        sub = say("{name} arrived at {time}. {zone}.", name=visit.name(tongue), time=time, zone=zone)
        shared = say("Location sharing ended at {time}.", time=time)
    return Words(
        subject=say("Visit completed: {service}", service=tongue.inside(visit.service)),
        preview=preview,
        pill=say("Completed"),
        state="completed",
        lead=say("Your visit was completed on {day} at", day=tongue.day(done, visit.zone)),
        big=tongue.clock(done, visit.zone),
        sub=sub,
        button=feedback if asks else view,
        other=view if asks else None,
        facts=visit.facts(tongue, who=True, length=False),
        note=(shared, say("The page shows your visit, not the technician’s position.")),
        why=say("You get this because you are the contact for this visit."),
    )


def taken_back(sender: Sender, visit: Visit, was: State) -> Words:
    """We wrote too soon that somebody was on the way, or that it was done."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    if was is State.COMPLETED:
        big, label = "", say("View the visit")
        subject = say("Not completed yet: {service}", service=service)
        pill, lead = say("In progress"), say("We wrote too soon that your visit was completed. Work goes on.")
        sub = say("You get a message when it is done.")
    else:
        big, label = when, say("View appointment")
        subject = say("Not on the way yet: {service}, {when}", service=service, when=when)
        pill, lead = say("Scheduled"), say("We wrote too soon that the technician was on the way. The visit is planned for")
        zone = tongue.zone(visit.zone, visit.arrival_at)
        sub = say("{zone}. You get a message when the technician sets off.", zone=zone)
    return Words(
        subject=subject,
        preview=say("The visit is still on."),
        pill=pill,
        lead=lead,
        big=big,
        sub=sub,
        button=Link(label, visit.page(sender)),
        facts=visit.facts(tongue, length=False),
        why=say("You get this because you are the contact for this visit."),
    )


def not_done(sender: Sender, visit: Visit, why: str) -> Words:
    """The technician came, or was on the way, and it could not be done."""
    tongue, say = sender.tongue, sender.tongue.say
    when, service = visit.when(tongue), tongue.inside(visit.service)
    zone = tongue.zone(visit.zone, visit.arrival_at)
    return Words(
        subject=say("Could not be done: {service}, {when}", service=service, when=when),
        preview=say("Book a new visit, or call the service desk."),
        pill=say("Not done"),
        state="canceled",
        lead=say("This visit could not be done"),
        big=when,
        sub=say("{zone}. Book a new visit, or call {desk}.", zone=zone, desk=sender.desk),
        button=Link(say("Book a new visit"), f"{sender.url}/book"),
        facts=(*((Fact(say("Why"), why),) if why else ()), *visit.facts(tongue, length=False)),
        why=say("You get this because you are the contact for this visit."),
    )
