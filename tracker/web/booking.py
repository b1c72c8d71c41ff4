"""Booking for programs: what can be chosen, which times are free, hold one, book, move, cancel (docs/openapi.json)."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.booking import booking, holding, moving
from tracker.actions.booking.booking import Need
from tracker.actions.booking.keyed import Keyed
from tracker.actions.letters.keeping_informed import keep_informed
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import STAFF, Role, State, Step
from tracker.errors import NotBookable, PreconditionRequired
from tracker.web.answers import AppointmentAnswer, tagged
from tracker.web.bodies import asked, body_of, json_answer, key_of, version_of, within_reach
from tracker.web.booking_answers import (
    ArrivalBody,
    BookBody,
    CancelBody,
    ChoicesAnswer,
    ChoicesQuery,
    HoldAnswer,
    InformedBody,
    TimesAnswer,
    TimesQuery,
    public_choices,
    public_hold,
    public_times,
)
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation

WHO = frozenset({Role.CUSTOMER}) | STAFF


def operations() -> list[Operation]:
    """The doors of this module."""
    one, held = "/api/v1/appointments/{appointment}", "/api/v1/booking/hold"
    once, stale = ("Idempotency-Key",), (409, 412)
    read, write = "appointments:read", "appointments:write"
    move_headers, move_refusals = ("If-Match", *once), (*stale, 428)
    return [
        Operation("GET", "/api/v1/booking/choices", choices, WHO, ChoicesAnswer, asks=ChoicesQuery, refusals=(404,), scope=read),
        Operation("GET", "/api/v1/booking/times", times, WHO, TimesAnswer, asks=TimesQuery, refusals=(404,), scope=read),
        Operation("PUT", held, hold, WHO, HoldAnswer, BookBody, refusals=(404, 409)),
        Operation("POST", f"{held}/extend", extend_hold, WHO, HoldAnswer, refusals=(409,)),
        Operation("DELETE", held, drop_hold, WHO, None, status=204),
        Operation(
            "POST",
            "/api/v1/appointments",
            book,
            WHO,
            AppointmentAnswer,
            BookBody,
            status=201,
            headers=once,
            refusals=(404, 409),
            scope=write,
        ),
        Operation(
            "PUT",
            f"{one}/arrival",
            move,
            WHO,
            AppointmentAnswer,
            ArrivalBody,
            headers=move_headers,
            refusals=move_refusals,
            scope=write,
        ),
        Operation(
            "PUT",
            f"{one}/informed",
            inform,
            STAFF,
            AppointmentAnswer,
            InformedBody,
            headers=("If-Match",),
            refusals=stale,
            scope=write,
        ),
        Operation(
            "POST",
            f"{one}/cancel",
            cancel,
            WHO,
            AppointmentAnswer,
            CancelBody,
            headers=("If-Match", *once),
            refusals=stale,
            scope=write,
        ),
    ]


async def choices(request: Request) -> Response:
    """The services and assets of an account, and where the work would be. Without `account`: the one last chosen."""
    query, actor = asked(request, ChoicesQuery), actor_of(request)
    found = await booking.choices(house_of(request), actor, _account(actor, query.account), query.asset)
    return json_answer(public_choices(found))


async def times(request: Request) -> Response:
    """The arrivals that can be booked, by local day of the address. `moving`: for an appointment that is to be moved."""
    query, actor = asked(request, TimesQuery), actor_of(request)
    need = Need(account=_account(actor, query.account), service_type=query.service_type, asset=query.asset)
    first = within_reach(query.first, "first") if query.first else None
    found = await booking.times(house_of(request), actor, need, first, query.days, moving=query.moving)
    return json_answer(public_times(found))


async def hold(request: Request) -> Response:
    """Hold an arrival for this session for some minutes; what it held before is given back."""
    body, actor = await body_of(request, BookBody), actor_of(request)
    return json_answer(public_hold(await holding.hold(house_of(request), actor, _need(actor, body), _arrival(body))))


async def extend_hold(request: Request) -> Response:
    """Hold it as long again, once."""
    return json_answer(public_hold(await holding.extend_hold(house_of(request), actor_of(request))))


async def drop_hold(request: Request) -> Response:
    """Give the hold back; 204 also if there is none."""
    await holding.drop_hold(house_of(request), actor_of(request))
    return Response(status_code=204)


async def book(request: Request) -> Response:
    """Book an arrival: 201 with the appointment. The same Idempotency-Key books once; 409 names the nearest free times."""
    body, actor = await body_of(request, BookBody), actor_of(request)
    booked = await booking.book(house_of(request), actor, _need(actor, body), _arrival(body), key=key_of(request))
    answer = tagged(booked, actor, status=201)
    answer.headers["Location"] = f"/api/v1/appointments/{booked.id}"
    return answer


async def move(request: Request) -> Response:
    """Give an appointment another arrival. If-Match must name the version that was seen (428), else 412."""
    body, actor = await body_of(request, ArrivalBody), actor_of(request)
    if "if-match" not in request.headers:
        raise PreconditionRequired
    appointment, version, key = request.path_params["appointment"], version_of(request), key_of(request)
    return tagged(await moving.move(house_of(request), actor, appointment, _arrival(body), version=version, key=key), actor)


async def inform(request: Request) -> Response:
    """Keep the customer informed of this appointment, or not."""
    body, actor = await body_of(request, InformedBody), actor_of(request)
    appointment, version = request.path_params["appointment"], version_of(request)
    return tagged(await keep_informed(house_of(request), actor, appointment, body.on, version=version), actor)


async def cancel(request: Request) -> Response:
    """Cancel, with a reason; once for one Idempotency-Key. A technician on the way is turned around only with `on_the_way`."""
    body, actor = await body_of(request, CancelBody), actor_of(request)
    seen = State.TRAVELING if body.on_the_way else None
    appointment = request.path_params["appointment"]
    keyed = Keyed.of(actor, key_of(request), "cancel", appointment, body)
    wish = Wish(step=Step.CANCEL, reason=body.reason, version=version_of(request), seen=seen, request=keyed)
    return tagged(await take_step(house_of(request), actor, appointment, wish), actor)


def _need(actor: Actor, body: BookBody) -> Need:
    return Need(
        account=_account(actor, body.account),
        service_type=body.service_type,
        asset=body.asset,
        details=body.details,
        contact=body.contact,
        keep_informed=body.keep_informed,
    )


def _arrival(body: BookBody | ArrivalBody) -> datetime:
    return within_reach(body.arrival_at, "arrival_at")


def _account(actor: Actor, named: str | None) -> str:
    account = named or actor.account
    if account is None:
        raise NotBookable("Name the account to book for.")
    return account
