"""Ways out to a viewer's socket: straight to the transport under our server, or through ASGI under any other."""

import asyncio
import contextlib
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tracker.live.frames import payload_of
from tracker.live.viewers import Door
from tracker.web.protocol import EXTENSION, Listener, ViewerProtocol

CLOSE_S = 1.0
AWAY = (RuntimeError, OSError, WebSocketDisconnect)
"""What a socket raises whose other side has gone."""
SETTLE_S = 0.3


class DirectDoor(ViewerProtocol):
    """Writes to the transport itself: nothing is ever held back in this process. Give it to uvicorn as ``ws=DirectDoor``.

    The protocol is the door: an object between them would be one more to walk to for every viewer at every update.
    """

    __slots__ = ("_socket",)
    _socket: WebSocket

    def opened(self, socket: WebSocket) -> "DirectDoor":
        """This is the way out of ``socket`` from now on."""
        self._socket = socket
        return self

    def ready(self) -> bool:
        return self.free

    def write(self, wire: bytes) -> None:
        self.transport.write(wire)

    def open(self) -> bool:
        """True if what is written may still arrive."""
        return not self.over

    def when_ready(self, go_on: Callable[[], None]) -> None:
        if self.full:
            self.drained = go_on

    def unread(self) -> bool:
        """True if messages wait for the endpoint."""
        return not self.queue.empty()

    def listen(self, listener: Listener | None) -> None:
        """Let every text message be heard by this first, from when the socket has said what it wants."""
        self.listener = None if self.over else listener
        if self.handshake_complete:
            self.let_go()
            self._socket.scope["headers"].clear()

    async def settled(self) -> None:
        return None

    async def close(self, code: int) -> None:
        if not self.over:
            self.shut()
            if not await _closed(self._socket, code):
                self.transport.abort()


class AsgiDoor:
    """One frame at a time through ASGI; while it is being taken the door is not ready."""

    __slots__ = ("_closing", "_sending", "_socket")

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self._closing = socket, False
        self._sending: asyncio.Task[None] | None = None

    def ready(self) -> bool:
        return not self._closing and (self._sending is None or self._sending.done())

    def write(self, wire: bytes) -> None:
        self._sending = asyncio.create_task(self._send(payload_of(wire).decode()))

    def when_ready(self, go_on: Callable[[], None]) -> None:
        if self._sending is not None and not self._closing:
            self._sending.add_done_callback(lambda _: go_on())

    async def _send(self, text: str) -> None:
        with contextlib.suppress(*AWAY):  # gone meanwhile: the reading side sees it
            await self._socket.send_text(text)

    async def settled(self) -> None:
        if self._sending is not None and not self._sending.done():
            _, slow = await asyncio.wait([self._sending], timeout=SETTLE_S)
            if slow:
                self._sending.cancel()
                await self.close(1008)

    async def close(self, code: int) -> None:
        if not self._closing:
            self._closing = True
            await _closed(self._socket, code)


async def _closed(socket: WebSocket, code: int) -> bool:
    """Send a close frame; False if the socket did not take it in time."""
    if socket.application_state is not WebSocketState.CONNECTED:
        return True
    try:
        async with asyncio.timeout(CLOSE_S):
            await socket.close(code)
    except TimeoutError:
        return False
    except AWAY:
        return True  # closed from the other side meanwhile
    return True


def handshake_over(socket: WebSocket) -> None:
    """Tell uvicorn that an answer was given instead of a socket: it would log an error of its own."""
    protocol = socket.scope.get("extensions", {}).get(EXTENSION)
    if isinstance(protocol, ViewerProtocol):
        protocol.handshake_complete = True


def door_of(socket: WebSocket) -> Door:
    """The best way out of an accepted socket."""
    protocol = socket.scope.get("extensions", {}).get(EXTENSION)
    return protocol.opened(socket) if isinstance(protocol, DirectDoor) else AsgiDoor(socket)
