"""From what the actions know to what the pages show: a visit, and the trip as this viewer may know it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from portal_web.facts import Desk, Late, Site, Technician, Visit
from portal_web.live_view import trip_of
from portal_web.trip import Arrival, Seen, Trip
from tracker.actions.house import House
from tracker.domain.appointments import STAFF, State
from tracker.domain.geo import Point, decode_polyline6, distance_m, length_m
from tracker.domain.reasons import why_chosen
from tracker.domain.visibility import told_end
from tracker.records.appointments import Appointment
from tracker.records.delays import Delay
from tracker.records.technicians import Technician as TechnicianRow

type Street = Callable[[Point], str | None]
"""The name of the street a place is on, from the address index; None if it is not known."""


def no_street(_place: Point) -> str | None:
    """Where no address index was built."""
    return None


def site_of(house: House) -> Site:
    """The company as the settings have it at this moment."""
    settings = house.settings.now
    desk = Desk(settings.desk_phone, settings.desk_hours or None) if settings.desk_phone else None
    return Site(settings.company, desk, settings.technician_tracking)


def technician_of(row: TechnicianRow | None, *, phone: bool) -> Technician | None:
    """Who comes, by first name (M3); the number only where a setting shows it."""
    if row is None:
        return None
    card = Technician(row.name, row.title, row.photo, row.vehicle, row.plate, row.phone if phone else None)
    return replace(card, name=card.first_name)


def visit_of(
    appointment: Appointment, technician: Technician | None, looker: str = "", delay: Delay | None = None, *, tracked: bool = True
) -> Visit:
    """An appointment as its customer reads it; ``looker`` is `Actor.signed`, ``delay`` what they were told of one.

    ``tracked`` False: the company shows its customers no live map (the setting `technician_tracking`).
    """
    staff = looker.partition(":")[0] in STAFF
    return Visit(
        id=appointment.id,
        booking_id=appointment.booking_id,
        state=appointment.state,
        service=appointment.service,
        duration_min=appointment.duration_min,
        address=appointment.address,
        place=appointment.place,
        zone=appointment.zone,
        arrival_at=appointment.arrival_at,
        ends_at=appointment.ends_at if staff else told_end(appointment),
        created_at=appointment.created_at,
        technician=technician,
        traveling_at=appointment.traveling_at,
        started_at=appointment.started_at,
        completed_at=appointment.completed_at,
        canceled_at=appointment.canceled_at,
        canceled_by=who_canceled(appointment.canceled_by, looker),
        cancel_reason=appointment.cancel_reason or appointment.outcome,
        for_staff=staff,
        late=Late(delay.low, delay.high, delay.told_at) if delay and appointment.state is State.SCHEDULED else None,
        why=why_chosen(appointment.chosen) if staff and technician else None,
        tracked=tracked,
    )


def who_canceled(signed: str | None, looker: str) -> str | None:
    """Who canceled, in words for whoever looks (both written as `Actor.signed`); None for another customer: no names.

    Staff read that it was the customer.
    """
    if not signed:
        return None
    if signed == looker:
        return "you"
    if signed.startswith("customer:") and looker.partition(":")[0] in STAFF:
        return "the customer"
    return {
        "technician": "the technician",
        "dispatcher": "the service desk",
        "admin": "the service desk",
        "token": "the service desk",
    }.get(signed.partition(":")[0])


def trip_from(
    visit: Visit,
    *,
    position: dict[str, Any] | None,
    eta: dict[str, Any] | None,
    route: str | None,
    paused_since: datetime | None,
    closed: bool,
    street: Street,
    arriving: bool = False,
) -> Trip | None:
    """The trip of a visit under way out of a live view's public values (`actions/trip/watching`); None unless it is traveling."""
    if visit.state is not State.TRAVELING:
        return None
    trip = replace(trip_of(visit), eta=_arrival(eta), paused_since=paused_since, closed=closed, arriving=arriving)
    if position is None:
        return trip
    here = Point(position["lat"], position["lon"])
    ahead = decode_polyline6(route) if route else []
    return replace(
        trip,
        seen=Seen(_at(position["fix_at"]), _at(position["contact_at"]), position.get("acc"), position.get("interval_s") or 5),
        reason=position.get("reason"),
        street=street(here),
        distance_m=length_m(ahead) if len(ahead) > 1 else distance_m(here, visit.place),
    )


def _arrival(eta: dict[str, Any] | None) -> Arrival | None:
    if not eta:
        return None
    return Arrival(_at(eta.get("low") or eta["at"]), _at(eta.get("high") or eta["at"]), eta["basis"])


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
