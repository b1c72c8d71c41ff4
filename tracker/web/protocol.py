"""uvicorn's WebSocket protocol with short ways: texts are overheard where they come in, made frames written as they are."""

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.speedups import apply_mask

from tracker.live.frames import frame_bounds
from tracker.web.pace import Pace
from tracker.web.slim import Flag, Inbox

EXTENSION = "tracker.direct"
FRAME_BYTES = 64 * 1024
"""The largest WebSocket message: 200 pings (docs/protocols.md)."""
WHOLE_TEXT = 0x81
UNREAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"  # to too long headers
MOST_PIECES = 1_000
"""Fragments of one message."""
CONTROLS_PER_SECOND, CONTROLS_BURST = 10.0, 200.0
"""Pings and pongs of the WebSocket itself: browsers send none of their own, programs one in some seconds."""

type Listener = Callable[[bytes], bool]


class ViewerProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol which also lets an application write frames that are made already.

    A frame is encoded once for all viewers of a visit; handing the same bytes to each transport costs a fraction of a trip
    through ASGI. Deflate must be off (``ws_per_message_deflate=False``). Give it to uvicorn as ``ws=ViewerProtocol``.
    """

    # Most of these are uvicorn's own. With more than thirty attributes an object needs a dictionary of two kilobytes, in which
    # every look is a walk through memory that nobody touched since the last update: so those looked at for each frame lie in
    # slots, and the rest fits beside them.
    __slots__ = (
        *(
            "_amid",
            "_idle_talk",
            "_rest",
            "close_sent",
            "conn",
            "disconnected",
            "drained",
            "full",
            "handshake_complete",
            "handshake_initiated",
            "listener",
        ),
        *("queue", "read_paused", "request", "response", "scope", "transport", "writable"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue: Any = Inbox()
        self.writable: Any = Flag()
        self.full = False
        """True while the transport's buffer is."""
        self.drained: Callable[[], None] | None = None
        """Called once when it is not any more."""
        self.listener: Listener | None = None
        """Hears each text message at once; True if that was all there was to do. A viewer's ``seen`` comes for every update of
        every viewer: through parser, queue and the endpoint's task it would cost more than the update itself."""
        self._idle_talk: Pace | None = None
        self._rest = b""
        """The beginning of a frame whose end has not come yet."""
        self._amid = False
        """True while the library has the beginning of a message whose end has not come yet."""

    def let_go(self) -> None:
        """Forget the handshake, which is over: its headers were most of what a waiting connection holds."""
        shaken: Any = self
        for half in filter(None, (shaken.request, shaken.response)):
            half.headers.clear()  # the library's parser keeps the objects themselves for good
        shaken.request = shaken.response = None
        self.scope["headers"].clear()  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """The library is given whole frames only; so it is never amid one, and a whole text may pass it by."""
        size = len(data)
        if self.listener is not None and size > 8 and not self._rest and data[0] == WHOLE_TEXT:
            # nearly always one frame comes alone: its head is read here, without a call
            said = data[1] - 128
            start = 6 if said == size - 6 < 126 else 8 if said == 126 and data[2] * 256 + data[3] == size - 8 else 0
            if start:
                if not self._overheard(data, 0, start, size):
                    self._told(data)
                return
        if not self.handshake_initiated:
            return self._shake(data)
        at, data, self._rest = 0, self._rest + data if self._rest else data, b""
        while at < len(data):
            start, end = frame_bounds(data, at)
            if end - start > FRAME_BYTES:
                super().data_received(data[at:])  # the library says so, and hears no more
                return
            if end > len(data):
                self._rest = data[at:]
                return
            if not self._overheard(data, at, start, end):
                self._told(data[at:end])
                if self.transport.is_closing():
                    return
            at = end

    def _shake(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:  # what the library cannot read of a handshake it leaves open, unanswered
            self.transport.write(UNREAD)
            self.transport.close()

    def _told(self, frame: bytes) -> None:
        super().data_received(frame)
        self._amid = self.conn.current_size is not None

    def _overheard(self, data: bytes, at: int, start: int, end: int) -> bool:
        listener = self.listener
        if listener is None or data[at] != WHOLE_TEXT or start - at < 6 or self.close_sent or self._amid:
            return False
        text = apply_mask(data[start:end], data[start - 4 : start])
        return text.isascii() and listener(text)  # the library checks what is not

    def pause_writing(self) -> None:
        super().pause_writing()
        self.full = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self.full = False
        if (drained := self.drained) is not None:
            self.drained = None
            drained()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # refused handshakes have none
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = self

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > MOST_PIECES:  # pieces without a byte are counted by no limit of size
            self._fail(1009)

    def handle_ping(self) -> None:
        if self.full:  # it asks for answers and reads none: they would pile up here
            self.transport.abort()
        elif not self._flooded():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if not self._flooded():
            super().handle_pong(event)

    def _flooded(self) -> bool:
        """Pay for a ping or a pong, which no endpoint sees or counts; True, and closed (4429), if it is one too many."""
        if self._idle_talk is None:
            self._idle_talk = Pace(CONTROLS_PER_SECOND, CONTROLS_BURST, self.loop.time())
        if not self._idle_talk.spent(self.loop.time()):
            return False
        self._fail(4429)
        return True

    def send_receive_event_to_app(self) -> None:
        """A text that is none ends the socket without a word: uvicorn would log each with its stack, and anybody may send it."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(1007)
                return
        super().send_receive_event_to_app()

    def _fail(self, code: int) -> None:
        self.frames = []
        self.conn.fail(code)
        self.handle_parser_exception()
