"""One technician's socket as words: read within limits, overheard where they come in, said, closed."""

import asyncio
import contextlib
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tracker.domain.wire import own
from tracker.live.frames import text_frame
from tracker.web.doors import DirectDoor, door_of
from tracker.web.pace import Pace

PER_SECOND, BURST = 100.0, 2_000.0
"""Frames a phone may send: far more than one that empties its queue after a day without network, far fewer than we can read."""
GONE, BINARY, POLICY, TOO_BIG, OUR_FAULT, RESTART = 1006, 1003, 1008, 1009, 1011, 1012
BAD_CREDENTIALS, FORBIDDEN, LATE, REPLACED, FLOOD = 4401, 4403, 4408, 4409, 4429


class Ended(Exception):
    """The conversation is over, with this close code."""

    def __init__(self, code: int, reason: str = "") -> None:
        self.code, self.reason = code, reason


class Handset:
    """What goes in and out. ``count``: frames read so far; ``pace``: its own until it is known whose device this is."""

    def __init__(self, websocket: WebSocket) -> None:
        self._socket = websocket
        door = door_of(websocket)
        self._direct = door if isinstance(door, DirectDoor) else None
        self.pace = Pace(PER_SECOND, BURST, asyncio.get_running_loop().time())
        self._reading = False
        self._take: Callable[[own.Pings], bool]
        self.count = 0

    async def text(self) -> str:
        """The next frame; `Ended` if it is the last, binary, too large or one too many."""
        self._reading = True
        message = await self._socket.receive()
        self._reading = False
        if message["type"] == "websocket.disconnect":
            raise Ended(int(message.get("code") or 1005))
        if self._socket.application_state is not WebSocketState.CONNECTED:
            raise Ended(GONE)  # closed from our side: a revoked phone may have said this before, but it is not done any more
        text = message.get("text")
        if text is None:
            raise Ended(BINARY)
        if len(text) > own.SMALL_BYTES:
            _check_size(text)
        if self._one_too_many():
            raise Ended(FLOOD)
        return str(text)

    def overhear(self, hear: Callable[[own.Pings], bool]) -> None:
        """Let ``hear`` have `pings` where they come in, without a queue and a task: they are what phones mostly say.

        What it does not take (False), and whatever comes while the endpoint is busy with what came before, goes the long way.
        """
        if self._direct is not None:
            self._take = hear
            self._direct.listen(self)

    def hear(self, payload: bytes) -> bool:
        """A text where it comes in; see `overhear`."""
        out = self._direct
        if out is None or not self._reading or out.unread() or not out.ready():
            return False
        if self.pace.poor or len(payload) > own.SMALL_BYTES or (frame := own.pings(payload)) is None or not self._take(frame):
            return False
        self._one_too_many()
        return True

    @property
    def open(self) -> bool:
        """True if what was overheard may still be done and answered."""
        return self._direct is not None and self._direct.open()

    def answer(self, text: str) -> None:
        """Say something to what was overheard."""
        if self._direct is not None and self._direct.open():
            self._direct.write(text_frame(text.encode()))

    async def say(self, text: str) -> None:
        """Say something; `Ended` if nobody is there."""
        try:
            await self._socket.send({"type": "websocket.send", "text": text})
        except (RuntimeError, OSError, WebSocketDisconnect):
            raise Ended(GONE) from None

    async def try_to_say(self, text: str) -> None:
        """Say something if somebody is still there."""
        with contextlib.suppress(Ended):
            await self.say(text)

    async def close(self, code: int, reason: str = "") -> None:
        """Close from our side, if it is still open."""
        if self._direct is not None:
            self._direct.listen(None)
        if self._socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):  # it went away meanwhile
                await self._socket.close(code, reason)

    def _one_too_many(self) -> bool:
        self.count += 1
        return self.pace.spent(asyncio.get_running_loop().time())


def _check_size(text: str) -> None:
    size = len(text) if text.isascii() else len(text.encode())
    if size > own.PINGS_BYTES or (size > own.SMALL_BYTES and '"pings"' not in text[:4096]):
        raise Ended(TOO_BIG)
