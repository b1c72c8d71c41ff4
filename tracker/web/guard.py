"""Every door of the house: who may knock there, found out before anything behind it is touched."""

import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Literal

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.domain.accounts import ANONYMOUS, Actor
from tracker.domain.appointments import STAFF, Role
from tracker.domain.scopes import ANY
from tracker.errors import LinkInactive, NotAllowed, NotFound, NotSignedIn, NulCharacter, Refusal
from tracker.web.bodies import asking_if_late, at_most
from tracker.web.identity import Guard
from tracker.web.problems import refuse
from tracker.web.slim import apart

type Kind = Literal["page", "api", "machine"]
"""``page``: HTML for people, forms carry a token. ``api``: JSON with the cookie, or a phone's or program's token as Bearer.
``machine``: no cookie is looked at."""

SIGNED_IN = frozenset({Role.CUSTOMER, Role.TECHNICIAN, Role.DISPATCHER, Role.ADMIN})
VIEWERS = SIGNED_IN | {Role.LINK_HOLDER}
"""A link's cookie is looked at by doors that name its holder and the appointment, and by no others."""
EVERYBODY = frozenset(Role)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES = 64 * 1024
"""What a door takes at most unless it says otherwise."""

type Endpoint = Callable[[Request], Awaitable[Response]]
type SocketEndpoint = Callable[[WebSocket], Awaitable[None]]


def guard_of(connection: HTTPConnection) -> Guard:
    """The installation's guard."""
    guard: Guard = connection.app.state.guard
    return guard


def house_of(connection: HTTPConnection) -> House:
    """The process's house."""
    return guard_of(connection).house


def actor_of(connection: HTTPConnection) -> Actor:
    """Who is asking, as the door found out."""
    actor: Actor = connection.state.actor
    return actor


# -- doors -------------------------------------------------------------------------------------------------------------


class Door(Route):
    """A route that says who may use it. `create_app` takes no other."""

    roles: frozenset[Role]
    kind: Kind
    scope: str | None  # what an API token must be good for; None: no API token opens this door

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["tracker.template"], scope["tracker.kind"] = self.path, self.kind
        await super().handle(scope, receive, send)


class Shown(Response):
    """An answer that may show a place: made and sent in one piece, after its session or link was looked up once more.

    Whoever ends that session or link waits for it, or breaks it off: nothing shown to it comes after the end's own answer.
    """

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        super().__init__()
        self._request, self._endpoint = request, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, house, actor = self._request, house_of(self._request), actor_of(self._request)
        with house.hub.reading(f"session {actor.session}") if actor.session else contextlib.nullcontext():
            if actor.session:
                request.state.actor = await _still(house, actor)
            response = await self._endpoint(request)
            guard_of(request).finish(request, response)
            await response(scope, receive, send)


async def _still(house: House, actor: Actor) -> Actor:
    known = await accounts.again(house, actor)
    if known is None:
        raise NotSignedIn if actor.link is None else LinkInactive
    return known[0]


class SocketDoor(WebSocketRoute):
    """A WebSocket route that says who may use it."""

    roles: frozenset[Role]

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().handle(dict(scope) | {"tracker.template": self.path}, receive, send)


class Files(Mount):
    """Static files for everybody: nothing in them depends on who asks."""

    roles = EVERYBODY

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["tracker.template"], scope["tracker.kind"] = f"{self.path}/…", "page"
        await super().handle(scope, receive, send)


def door(
    path: str,
    endpoint: Endpoint,
    *,
    roles: Collection[Role],
    methods: Collection[str] = ("GET",),
    kind: Kind = "page",
    name: str | None = None,
    most_bytes: int = BODY_BYTES,
    scope: str | None = None,
    places: bool = False,
) -> Door:
    """A route for these roles and nobody else. The endpoint finds the actor with `actor_of`.

    ``places``: its answer may show where a technician is, so no end of a session or link is overtaken by it (`Shown`).

    ``scope`` (of `domain/scopes`): programs with an API token that is good for it are let in, too; `ANY`: with any token.

    A ``page`` that takes a POST finds its form checked: ``await request.form()``. Anonymous callers of a door that is not
    theirs get `NotSignedIn`, others `NotAllowed`.
    """
    allowed = frozenset(roles)

    async def guarded(request: Request) -> Response:
        guard = guard_of(request)
        body = at_most(most_bytes, request.receive)

        async def again() -> None:
            await _found(guard, request, allowed, kind, scope)

        request = Request(request.scope, body if kind == "machine" else asking_if_late(body, again), request._send)
        _refuse_nul(request)
        await admitted(guard, request, allowed, kind, scope)
        if places:
            return Shown(request, endpoint)
        response = await endpoint(request)
        guard.finish(request, response)
        return response

    made = Door(path, guarded, methods=list(methods), name=name or endpoint.__name__)
    made.roles, made.kind, made.scope = allowed, kind, scope
    return made


def _refuse_nul(request: Request) -> None:
    if any(isinstance(value, str) and "\x00" in value for value in request.path_params.values()):
        raise NotFound  # no id of ours has a NUL, and PostgreSQL takes none
    if any("\x00" in part for pair in request.query_params.multi_items() for part in pair):
        raise NulCharacter


async def admitted(guard: Guard, request: Request, roles: frozenset[Role], kind: Kind, scope: str | None = None) -> Actor:
    """Who is let in through a door for these roles, with the origin and the form checked; else a `Refusal`."""
    actor = request.state.actor = await _found(guard, request, roles, kind, scope)
    if kind == "page" and request.method not in SAFE:
        await guard.check_form(request)
    return actor


async def _found(guard: Guard, request: Request, roles: frozenset[Role], kind: Kind, scope: str | None) -> Actor:
    """Who asks; `NotSignedIn` also for who was somebody else when the same request was asked before."""
    before: Actor | None = getattr(request.state, "actor", None)
    if kind == "machine":
        actor = ANONYMOUS
    elif kind == "api" and "authorization" in request.headers:
        actor = await guard.bearer(request)
    else:
        if request.method not in SAFE:
            guard.check_origin(request)
        actor = await guard.actor(request)
        if Role.LINK_HOLDER in roles and "appointment" in request.path_params:
            actor = await guard.holder(request, request.path_params["appointment"], actor)
    if not (actor.token and scope and roles & STAFF):  # what admins alone may, a token may that an admin made for it
        _let_in(actor, roles)
    if actor.token and scope not in actor.scopes and scope != ANY:
        raise NotAllowed("This token is not good for that." + (f" It needs the scope {scope}." if scope else ""))
    if before is not None and _right(before) != _right(actor):
        raise NotSignedIn
    return actor


def _right(actor: Actor) -> tuple[object, ...]:
    """What a request is carried out with."""
    return actor.role, actor.session, actor.token, actor.device, actor.link, actor.technician, actor.accounts, actor.scopes


def socket(
    path: str, endpoint: SocketEndpoint, *, roles: Collection[Role], without_origin: bool = False, name: str | None = None
) -> SocketDoor:
    """A WebSocket for these roles. Refused before it is accepted: 403 for another site's page, 401 or 403 for a role.

    ``without_origin``: without one (a phone) it is let in as anonymous, its cookie unread; the endpoint asks for its token.
    """
    allowed = frozenset(roles)

    async def guarded(websocket: WebSocket) -> None:
        guard = guard_of(websocket)
        try:
            phone = without_origin and "origin" not in websocket.headers
            if not phone:
                guard.check_origin(websocket)
            actor = ANONYMOUS if phone else await apart(guard.actor(websocket))
            if actor is ANONYMOUS and Role.LINK_HOLDER in allowed:
                actor = await apart(guard.any_holder(websocket))
            _let_in(actor, allowed)
        except Refusal as refusal:
            await refuse(websocket, refusal)
            return
        websocket.state.actor = actor
        try:
            await endpoint(websocket)
        except Refusal as refusal:  # after the handshake there are close codes only: an answer would be written into the stream
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # closed already, or gone
                await websocket.close(1008, refusal.code)

    made = SocketDoor(path, guarded, name=name or endpoint.__name__)
    made.roles = allowed
    return made


def unguarded(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Routes that do not say who may use them: `create_app` refuses to start with one."""
    return [route for route in routes if not isinstance(route, Door | SocketDoor | Files)]


def _let_in(actor: Actor, roles: frozenset[Role]) -> None:
    if actor.role not in roles:
        raise NotSignedIn if actor.role is Role.ANONYMOUS else NotAllowed
