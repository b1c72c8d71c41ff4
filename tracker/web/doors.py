"""Ways out to a viewer's socket: straight to the transport under our server, or through ASGI under any other."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketState
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from tracker.live.frames import payload_of
from tracker.live.viewers import Door

EXTENSION = "tracker.direct"
CLOSE_S = 1.0
MOST_PIECES = 1_000
"""Fragments of one message."""
SETTLE_S = 0.3


class ViewerProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol which also lets an application write frames that are made already.

    A frame is encoded once for all viewers of a visit; handing the same bytes to each transport costs a fraction of a trip
    through ASGI. Deflate must be off (``ws_per_message_deflate=False``). Give it to uvicorn as ``ws=ViewerProtocol``.
    """

    listener: Callable[[bytes], bool] | None = None
    """Hears each text message at once; True if that was all there was to do. A viewer's ``seen`` comes for every update of
    every viewer: through the queue and the endpoint's task it would cost more than the update itself."""

    def send_receive_event_to_app(self) -> None:
        heard = self.listener if self.curr_msg_data_type == "text" and len(self.frames) == 1 and not self.close_sent else None
        if heard is not None and heard(self.frames[0]):
            self.frames = []
            return
        super().send_receive_event_to_app()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # refused handshakes have none
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = self

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > MOST_PIECES:  # pieces without a byte are counted by no limit of size
            self.conn.fail(1009)
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:  # it asks for answers and reads none: they would pile up here
            self.transport.abort()

    def takes_frames(self) -> bool:
        """True if a frame would leave at once: handshake done, not closing, the transport's buffer not full."""
        open_now = self.handshake_complete and not self.close_sent and not self.disconnected
        return open_now and self.writable.is_set() and not self.transport.is_closing()


class DirectDoor:
    """Writes to the transport itself: nothing is ever held back in this process."""

    __slots__ = ("_closing", "_protocol", "_socket")

    def __init__(self, socket: WebSocket, protocol: ViewerProtocol) -> None:
        self._socket, self._protocol, self._closing = socket, protocol, False

    def ready(self) -> bool:
        return not self._closing and self._protocol.takes_frames()

    def write(self, wire: bytes) -> None:
        self._protocol.transport.write(wire)

    def listen(self, listener: Callable[[bytes], bool]) -> None:
        """Let every text message be heard by this first."""
        self._protocol.listener = listener

    async def settled(self) -> None:
        return None

    async def close(self, code: int) -> None:
        if not self._closing:
            self._closing, self._protocol.listener = True, None
            if not await _closed(self._socket, code):
                self._protocol.transport.abort()


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

    async def _send(self, text: str) -> None:
        with contextlib.suppress(RuntimeError, OSError):  # gone meanwhile: the reading side sees it
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
    except (RuntimeError, OSError):
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
    return DirectDoor(socket, protocol) if isinstance(protocol, ViewerProtocol) else AsgiDoor(socket)
