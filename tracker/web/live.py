"""Where viewers knock: /ws/live (a visit, or the board for staff) and the polling address for those without sockets."""

import asyncio
import hashlib
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.actions.trip import watching
from tracker.actions.trip.views import stamp
from tracker.domain.accounts import Actor
from tracker.errors import Refusal
from tracker.live.staff import BoardWatch, Box
from tracker.live.viewers import Door, Watch
from tracker.web.doors import DirectDoor, door_of
from tracker.web.guard import VIEWERS, actor_of, door, guard_of, house_of, socket
from tracker.web.pace import Pace
from tracker.web.slim import apart

WATCH_S = 5.0
"""The first frame must come within this."""
LONGEST = 4096
"""Bytes of a viewer's frame at most."""
PER_SECOND, BURST = 500.0, 1000.0
"""Frames a viewer may send: one `seen` for each update of a phone that speaks far too often; more is closed with 4429. (Those
that are heard where they come in and answer an update are not counted: there are no more of them than of updates.)"""
SOCKETS = 64
"""Open sockets of one session at most."""

log = structlog.get_logger()


class Said(msgspec.Struct):
    """Any frame of a viewer."""

    type: str
    appointment: str | None = None
    epoch: str | None = None
    offset: int | None = None
    short: bool = False
    board: bool = False
    bbox: Box | None = None


class _Closed(Exception):
    """End this socket with a close code (None: it is gone already)."""

    def __init__(self, code: int | None) -> None:
        self.code = code


class _Words:
    """What one viewer says, read with the limits that keep a loud one from being a burden."""

    __slots__ = ("_pace", "_socket", "count")

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._pace = Pace(PER_SECOND, BURST, monotonic())
        self.count = 0

    async def next(self) -> Said:
        """The next frame. Raises _Closed: gone, binary (1003), too big (1009), too fast (4429), not understood (1008)."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise _Closed(None)
        text = message.get("text")
        if text is None:
            raise _Closed(1003)
        if len(text) > LONGEST:
            raise _Closed(1009)
        self.count += 1
        if self._pace.spent(monotonic()):
            raise _Closed(4429)
        try:
            return msgspec.json.decode(text, type=Said)
        except (msgspec.DecodeError, UnicodeError):
            raise _Closed(1008) from None

    async def seen(self) -> int:
        """The next frame, which must be ``seen``: its offset."""
        said = await self.next()
        if said.type != "seen" or said.offset is None:
            raise _Closed(1008)
        return said.offset


def routes() -> list[BaseRoute]:
    """To be mounted by the application."""
    return [
        socket("/ws/live", live, roles=VIEWERS, name="live"),
        door("/api/v1/appointments/{appointment}/live", poll, roles=VIEWERS, kind="api", name="live-poll", places=True),
    ]


# -- the socket --------------------------------------------------------------------------------------------------------


async def live(websocket: WebSocket) -> None:
    """One viewer's socket, from its acceptance to its end (docs/protocols.md §2)."""
    await websocket.accept()
    out, words = door_of(websocket), _Words(websocket)
    code: int | None = None
    try:
        said, actor = await _asked(words), actor_of(websocket)
        if said.appointment is not None:  # a browser may hold several links: which of them counts is known only now
            actor = await guard_of(websocket).holder(websocket, said.appointment, actor)
        await _watch(house_of(websocket), actor, out, words, said)
    except _Closed as closed:
        code = closed.code
    except Refusal as refusal:
        code = 4403 if refusal.status < 500 else 1013
    if code is not None:
        await out.close(code)
    log.info("viewer_left", code=code, frames=words.count)


async def _asked(words: "_Words") -> Said:
    """The first frame: what is to be watched."""
    try:
        async with asyncio.timeout(WATCH_S):
            said = await words.next()
    except TimeoutError:
        raise _Closed(4408) from None
    if said.type != "watch" or (said.appointment is None) is not said.board:
        raise _Closed(1008)
    return said


async def _watch(house: House, actor: Actor, out: Door, words: "_Words", said: Said) -> None:
    if (session := actor.session) is None:
        raise _Closed(4403)  # a link, but none to this appointment
    if house.hub.sessions.count(session) >= SOCKETS:
        raise _Closed(4429)
    viewer: Watch | BoardWatch
    if said.appointment is None:
        viewer = BoardWatch(out, session, house.clock(), said.bbox, partial(_board_snapshot, house))
    else:
        viewer = Watch(out, said.appointment, actor, session, house.clock())
    viewer.expires = house.clock() + timedelta(minutes=1)
    house.hub.expect(viewer)
    try:
        # asked again, now that the hub knows the socket: an end of the session, or a change of what is theirs, is either seen
        # here or closes it there
        known = await apart(accounts.again(house, actor))
        if known is None:
            raise _Closed(4401)
        actor, viewer.expires = known
        await (
            _watch_visit(house, actor, viewer, said, words)
            if isinstance(viewer, Watch)
            else _watch_board(house, actor, viewer, words)
        )
    finally:
        house.hub.forget(viewer)


async def _watch_visit(house: House, actor: Actor, viewer: Watch, said: Said, words: "_Words") -> None:
    viewer.who, visit = actor, await apart(watching.watched(house, actor, viewer.appointment, house.clock()))
    if said.epoch and said.offset is not None:
        viewer.resume = (said.epoch, said.offset)
    viewer.short = visit.place if said.short else None
    house.hub.join(viewer, visit.technician_id)
    del visit  # this frame lives as long as the socket
    if isinstance(viewer.door, DirectDoor):
        viewer.door.listen(viewer)
    try:
        while True:
            house.hub.seen(viewer, await words.seen())
    finally:
        words.count += viewer.count
        house.hub.leave(viewer)


async def _watch_board(house: House, actor: Actor, viewer: BoardWatch, words: "_Words") -> None:
    await apart(watching.watch_board(house, actor, house.clock()))
    try:
        await house.hub.board.join(viewer)
        while True:
            viewer.seen(await words.seen())
    finally:
        await house.hub.board.leave(viewer)


async def _board_snapshot(house: House, viewer: BoardWatch) -> None:
    house.hub.board.begin(viewer, await watching.board_view(house, viewer.box))


# -- polling -----------------------------------------------------------------------------------------------------------


async def poll(request: Request) -> Response:
    """The snapshot as JSON with an ETag that changes when anything but the clock does."""
    known = request.headers.get("if-none-match")
    return _Look(house_of(request), actor_of(request), request.path_params["appointment"], known)


class _Look(Response):
    """Reads and answers in one piece, so that a closing in between waits for it or breaks it off."""

    def __init__(self, house: House, actor: Actor, appointment: str, known: str | None) -> None:
        super().__init__()
        self._house, self._actor, self._appointment, self._known = house, actor, appointment, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._house.hub.reading(self._appointment):
            now = self._house.clock()
            view = await watching.live_view(self._house, self._actor, self._appointment, now)
            await self._answer(view.public(), now)(scope, receive, send)

    def _answer(self, public: dict[str, Any], now: datetime) -> Response:
        tag = f'"{hashlib.blake2b(msgspec.json.encode(public), digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "no-store"}  # a place stays in no browser's cache
        if self._known is not None and tag in {one.strip().removeprefix("W/") for one in self._known.split(",")}:
            return Response(status_code=304, headers=headers)
        body = {"type": "snapshot", "now": stamp(now), "recovered": False} | public
        return JSONResponse(msgspec.to_builtins(body), headers=headers)
