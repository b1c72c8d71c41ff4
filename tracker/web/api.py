"""JSON for programs: the same actions and refusals as the pages have (docs/openapi.json)."""

from datetime import timedelta

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from tracker.actions import agenda
from tracker.actions.booking.keyed import Keyed
from tracker.actions.people import accounts, tokens
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.sharing import set_sharing
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.appointments import STAFF, Role
from tracker.domain.scopes import ANY
from tracker.errors import NotAllowed
from tracker.web import (
    api_attention,
    api_catalog,
    api_customers,
    api_letters,
    api_links,
    api_settings,
    api_technicians,
    booking,
    openapi,
    surveys,
)
from tracker.web.answers import (
    AppointmentAnswer,
    AppointmentsAnswer,
    EndedAnswer,
    MeAnswer,
    SessionsAnswer,
    SharingAnswer,
    SharingBody,
    SignInBody,
    StepBody,
    TechnicianBody,
    public,
    public_actor,
    public_session,
    tagged,
)
from tracker.web.bodies import body_of, json_answer, key_of, moment_of, version_of
from tracker.web.guard import EVERYBODY, SIGNED_IN, actor_of, guard_of, house_of
from tracker.web.identity import network_of
from tracker.web.openapi import Operation


def routes() -> list[BaseRoute]:
    """The doors of this module, and their description at `/api/v1/openapi.json`."""
    return openapi.routes(operations())


def operations() -> list[Operation]:
    """Every door: method, path, endpoint, roles, what it gives and takes."""
    one, technician = "/api/v1/appointments/{appointment}", frozenset({Role.TECHNICIAN})
    read, write = "appointments:read", "appointments:write"
    same, once, stale = ("If-Match",), ("If-Match", "Idempotency-Key"), (409, 412)
    return [
        Operation("GET", "/api/v1/me", me, SIGNED_IN, MeAnswer, scope=ANY),
        Operation("GET", "/api/v1/sessions", list_sessions, SIGNED_IN, SessionsAnswer),
        Operation("POST", "/api/v1/sessions", sign_in, EVERYBODY, MeAnswer, SignInBody, status=201, refusals=(401, 429)),
        Operation("DELETE", "/api/v1/sessions", end_other_sessions, SIGNED_IN, EndedAnswer),
        Operation("DELETE", "/api/v1/sessions/{session}", end_session, SIGNED_IN, None, status=204),
        Operation(
            "GET", "/api/v1/appointments", list_appointments, SIGNED_IN, AppointmentsAnswer, query=("from", "to"), scope=read
        ),
        Operation(
            "GET", one, read_appointment, SIGNED_IN, AppointmentAnswer, headers=("If-None-Match",), refusals=(304,), scope=read
        ),
        Operation(
            "POST", f"{one}/steps", step, SIGNED_IN, AppointmentAnswer, StepBody, headers=once, refusals=stale, scope=write
        ),
        Operation(
            "PUT",
            f"{one}/technician",
            assign,
            STAFF,
            AppointmentAnswer,
            TechnicianBody,
            headers=same,
            refusals=stale,
            scope=write,
        ),
        Operation("GET", "/api/v1/technician/today", today, technician, AppointmentsAnswer),
        Operation("PUT", "/api/v1/technician/sharing", share, technician, SharingAnswer, SharingBody),
        *api_customers.operations(),
        *api_links.operations(),
        *booking.operations(),
        *surveys.operations(),
        *api_catalog.operations(),
        *api_technicians.operations(),
        *api_letters.operations(),
        *api_attention.operations(),
        *api_settings.operations(),
    ]


# -- who ---------------------------------------------------------------------------------------------------------------


async def me(request: Request) -> Response:
    """Who is asking; a program reads what its token is good for, and until when."""
    actor = actor_of(request)
    return json_answer(public_actor(actor, await tokens.own_token(house_of(request), actor)))


async def sign_in(request: Request) -> Response:
    """Begin a session: 201 with its cookie."""
    body = await body_of(request, SignInBody)
    signed = await accounts.sign_in(
        house_of(request),
        body.email,
        body.password,
        address=network_of(request),
        user_agent=request.headers.get("user-agent"),
    )
    answer = json_answer(public_actor(signed.actor), 201)
    guard_of(request).remember(answer, signed.token, signed.expires_at)
    return answer


async def list_sessions(request: Request) -> Response:
    """The own sessions, the last used first."""
    actor = actor_of(request)
    found = await accounts.sessions_of(house_of(request), actor)
    return json_answer(SessionsAnswer([public_session(each, actor) for each in found]))


async def end_session(request: Request) -> Response:
    """End one of the own sessions: 204 once its sockets are closed."""
    actor, session = actor_of(request), request.path_params["session"]
    await accounts.end_session(house_of(request), actor, session)
    answer = Response(status_code=204)
    if session == actor.session:
        guard_of(request).forget(answer)
    return answer


async def end_other_sessions(request: Request) -> Response:
    """End all own sessions but this one; how many."""
    return json_answer(EndedAnswer(await accounts.end_other_sessions(house_of(request), actor_of(request))))


# -- appointments ------------------------------------------------------------------------------------------------------


async def list_appointments(request: Request) -> Response:
    """The appointments of the person who asks, from ``from`` (now − 31 days) to ``to`` (``from`` + 62 days)."""
    actor, now = actor_of(request), house_of(request).clock()
    start = moment_of(request, "from") or now - timedelta(days=31)
    end = moment_of(request, "to") or start + timedelta(days=62)
    found = await agenda.agenda(house_of(request), actor, start, end)
    return json_answer(AppointmentsAnswer([public(each, actor) for each in found]))


async def today(request: Request) -> Response:
    """What a technician has to do today and whom they meet, and what is under way; for the app and the phone's token."""
    house, actor = house_of(request), actor_of(request)
    found = await agenda.today(house, actor)
    met = await agenda.met_at(house, found)
    jobs = [replace(public(each, actor), customer=met[each.id].name, customer_phone=met[each.id].phone) for each in found]
    return json_answer(AppointmentsAnswer(jobs))


async def read_appointment(request: Request) -> Response:
    """One appointment, its version as ETag."""
    actor = actor_of(request)
    found = await agenda.appointment_for(house_of(request), actor, request.path_params["appointment"])
    return tagged(found, actor, request.headers.get("if-none-match"))


async def step(request: Request) -> Response:
    """Take a step: 200 with the appointment as it stands afterwards. The same Idempotency-Key takes it once."""
    actor, body = actor_of(request), await body_of(request, StepBody)
    wish = Wish(
        step=body.step,
        seen=body.seen,
        version=version_of(request),
        pressed_at=body.at,
        request=Keyed.of(actor, key_of(request), "step", request.path_params["appointment"], body),
        switch=body.switch,
        reason=body.reason,
        device=actor.device,
    )
    done = await take_step(house_of(request), actor, request.path_params["appointment"], wish)
    return tagged(done, actor)


async def assign(request: Request) -> Response:
    """Give the appointment to another technician."""
    actor, body = actor_of(request), await body_of(request, TechnicianBody)
    appointment = request.path_params["appointment"]
    done = await hand_over(house_of(request), actor, appointment, body.technician, version=version_of(request))
    return tagged(done, actor)


async def share(request: Request) -> Response:
    """Pause or resume sharing: answered when nothing of it can be seen any more."""
    actor, body = actor_of(request), await body_of(request, SharingBody)
    if actor.technician is None:
        raise NotAllowed
    await set_sharing(house_of(request), actor, actor.technician, body.on, body.reason)
    return json_answer(SharingAnswer(body.on))


# -- reading requests, writing answers ---------------------------------------------------------------------------------
