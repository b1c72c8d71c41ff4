"""What the JSON doors take and give, as types: the code, docs/openapi.json and its test all use these."""

from datetime import datetime
from typing import Annotated

import msgspec
from starlette.responses import Response

from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.reasons import why_chosen
from tracker.domain.visibility import told_end
from tracker.records.api_tokens import ApiToken
from tracker.records.appointments import Appointment
from tracker.records.sessions import Session
from tracker.web.bodies import Moment, json_answer


class StepBody(msgspec.Struct, forbid_unknown_fields=True, rename={"seen": "from"}):
    """A step to take: as in the phone's own protocol. ``at``: when the button was pressed; ``switch``: leave another visit."""

    step: Step
    seen: State | None = None
    at: Moment | None = None
    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    switch: bool = False


class SignInBody(msgspec.Struct, forbid_unknown_fields=True):
    """E-mail and password."""

    email: str
    password: str


class SharingBody(msgspec.Struct, forbid_unknown_fields=True):
    """Pause (``on`` false) or resume the sharing of one's place."""

    on: bool
    reason: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class TechnicianBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to come; null: nobody yet."""

    technician: str | None


class Place(msgspec.Struct):
    """Degrees, WGS84."""

    lat: float
    lon: float


class AppointmentAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An appointment as the person who asks may know it; what is not known, or not theirs to know, is absent."""

    id: str
    booking_id: str
    state: State
    version: int
    service: str
    address: str
    place: Place
    zone: str
    arrival_at: datetime
    ends_at: datetime
    duration_min: int
    details: str | None = None
    traveling_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    cancel_reason: str | None = None
    outcome: str | None = None
    technician_id: str | None = None
    account_id: str | None = None
    contact_id: str | None = None
    source: str | None = None
    keep_informed: bool | None = None
    canceled_by: str | None = None
    customer: str | None = None  # in a technician's day: whom they meet …
    customer_phone: str | None = None  # … and their number until the visit is over
    why_technician: str | None = None  # for staff: "4.2 km; next best 6.0 km"


class AppointmentsAnswer(msgspec.Struct):
    """Appointments by promised arrival."""

    appointments: list[AppointmentAnswer]


class TokenSaid(msgspec.Struct):
    """The API token that was shown: what it is good for, and until when."""

    id: str
    scopes: list[str]
    expires_at: datetime


class MeAnswer(msgspec.Struct):
    """Who is asking. ``person`` is null for a token; ``token`` is there for a program, whose ``name`` is its token's."""

    person: str | None
    name: str
    role: Role
    technician: str | None
    token: TokenSaid | None = None


class SessionAnswer(msgspec.Struct):
    """One browser signed in."""

    id: str
    user_agent: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


class SessionsAnswer(msgspec.Struct):
    """The own sessions, the last used first."""

    sessions: list[SessionAnswer]


class EndedAnswer(msgspec.Struct):
    """How many sessions were ended."""

    ended: int


class SharingAnswer(msgspec.Struct):
    """Whether the technician's place is shared now."""

    on: bool


class ProblemAnswer(msgspec.Struct):
    """A refusal (RFC 9457). ``code`` is for programs, ``detail`` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def public(appointment: Appointment, actor: Actor) -> AppointmentAnswer:
    """The appointment as this person may know it."""
    names = set(AppointmentAnswer.__struct_fields__) - {"place", "why_technician", "customer", "customer_phone"}
    if not actor.staff:
        names -= {"account_id", "contact_id", "source", "keep_informed", "canceled_by"}
    if actor.role is Role.CUSTOMER:
        names -= {"outcome", "technician_id"}
    known = {name: getattr(appointment, name) for name in names}
    if actor.role is Role.CUSTOMER:
        known["ends_at"] = told_end(appointment)
    if actor.staff and appointment.technician_id:
        known["why_technician"] = why_chosen(appointment.chosen)
    return AppointmentAnswer(place=Place(appointment.lat, appointment.lon), **known)


def tagged(appointment: Appointment, actor: Actor, known: str | None = None, *, status: int = 200) -> Response:
    """The appointment with its version as ETag; 304 if it is ``known``."""
    tag = f'"{appointment.version}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if known == tag:
        return Response(status_code=304, headers=headers)
    answer = json_answer(public(appointment, actor), status)
    answer.headers.update(headers)
    return answer


def public_session(session: Session, actor: Actor) -> SessionAnswer:
    """A session in the list of its owner."""
    fields = {name: getattr(session, name) for name in SessionAnswer.__struct_fields__ if name != "current"}
    return SessionAnswer(current=session.id == actor.session, **fields)


def public_actor(actor: Actor, token: ApiToken | None = None) -> MeAnswer:
    """Who is asking, and with which token."""
    said = TokenSaid(token.id, list(token.scopes), token.expires_at) if token else None
    return MeAnswer(actor.person, actor.name, actor.role, actor.technician, said)
