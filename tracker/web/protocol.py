"""uvicorn's WebSocket protocol with short ways: texts are overheard where they come in, made frames written as they are."""

from collections.abc import Callable
from typing import Any, Protocol

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


class Listener(Protocol):
    """Who hears each text message where it comes in."""

    def hear(self, text: bytes) -> bool:
        """True if that was all there was to do; False: the endpoint shall read it."""
        ...


class ViewerProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol which also lets an application write frames that are made already.

    A frame is encoded once for all viewers of a visit; handing the same bytes to each transport costs a fraction of a trip
    through ASGI. Deflate must be off (``ws_per_message_deflate=False``).
    """

    # Most of these are uvicorn's own. With more than thirty attributes an object needs a dictionary of two kilobytes, in which
    # every look is a walk through memory that nobody touched since the last update: so those looked at for each frame lie in
    # slots, and the rest fits beside them.
    __slots__ = (
        *(
            "_close_sent",
            "_handshake_complete",
            "_idle_talk",
            "_rest",
            "_unfinished",
            "conn",
            "disconnected",
            "drained",
            "free",
            "full",
            "handshake_initiated",
            "listener",
            "over",
        ),
        *("queue", "read_paused", "request", "response", "scope", "transport", "writable"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.free = self.full = self.over = False
        """``free``: what is written leaves at once; ``full``: the transport's buffer is; ``over``: nothing more is said here."""
        self._close_sent = self._handshake_complete = False
        super().__init__(*args, **kwargs)
        self.queue: Any = Inbox()
        self.writable: Any = Flag()
        self.drained: Callable[[], None] | None = None
        """Called once when it is not any more."""
        self.listener: Listener | None = None
        """A viewer's ``seen`` comes for every update of every viewer: through parser, queue and the endpoint's task it would
        cost more than the update itself."""
        self._idle_talk: Pace | None = None
        self._rest = b""
        """The beginning of a frame whose end has not come yet."""
        self._unfinished = False
        """True while the end of a frame or, in the library, of a message has not come yet."""

    @property
    def close_sent(self) -> bool:
        """True once a close frame has left; uvicorn sets it."""
        return self._close_sent

    @close_sent.setter
    def close_sent(self, sent: bool) -> None:
        self._close_sent = sent
        if sent:
            self.shut()

    @property
    def handshake_complete(self) -> bool:
        """True once the handshake was answered; uvicorn sets it."""
        return self._handshake_complete

    @handshake_complete.setter
    def handshake_complete(self, complete: bool) -> None:
        self._handshake_complete = complete
        self._weigh()

    def _weigh(self) -> None:
        self.free = self._handshake_complete and not (self.full or self.over)

    def shut(self) -> None:
        """Nothing more is said here, nothing overheard."""
        self.over, self.listener = True, None
        self._weigh()

    def shutdown(self) -> None:
        self.shut()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self.shut()
        super().connection_lost(exc)

    def let_go(self) -> None:
        """Forget the handshake, which is over: its headers were most of what a waiting connection holds."""
        shaken: Any = self
        for half in filter(None, (shaken.request, shaken.response)):
            half.headers.clear()  # the library's parser keeps the objects themselves for good
        shaken.request = shaken.response = None
        self.scope["headers"].clear()  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """The library is given whole frames only; so it is never amid one, and a whole text may pass it by."""
        listener, size = self.listener, len(data)
        if listener is not None and size > 8 and data[0] == WHOLE_TEXT and not self._unfinished:
            # nearly always one frame comes alone: its head is read here, without a call
            start = 6 if data[1] == size + 122 < 254 else 8 if data[1] == 254 and data[2] * 256 + data[3] == size - 8 else 0
            if start:
                text = apply_mask(data[start:], data[start - 4 : start])
                if not (text.isascii() and listener.hear(text)):  # the library checks what is not
                    self._told(data)
                return
        if not self.handshake_initiated:
            return self._shake(data)
        self._read(self._rest + data)

    def _read(self, data: bytes) -> None:
        """Frame by frame; what is left at the end is the beginning of one."""
        at, self._rest = 0, b""
        while at < len(data):
            start, end = frame_bounds(data, at)
            if end - start > FRAME_BYTES:
                super().data_received(data[at:])  # the library says so, and hears no more
                return
            if end > len(data):
                self._rest = data[at:]
                break
            if not self._overheard(data, at, start, end):
                self._told(data[at:end])
                if self.transport.is_closing():
                    return
            at = end
        self._unfinished = bool(self._rest) or self._amid()

    def _shake(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:  # what the library cannot read of a handshake it leaves open, unanswered
            self.transport.write(UNREAD)
            self.transport.close()

    def _told(self, frame: bytes) -> None:
        super().data_received(frame)
        self._unfinished = self._amid()

    def _amid(self) -> bool:
        """True while the library has the beginning of a message whose end has not come yet."""
        return self.conn.current_size is not None

    def _overheard(self, data: bytes, at: int, start: int, end: int) -> bool:
        listener = self.listener
        if listener is None or data[at] != WHOLE_TEXT or start - at < 6 or self._amid():
            return False
        text = apply_mask(data[start:end], data[start - 4 : start])
        return text.isascii() and listener.hear(text)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.full, self.free = True, False

    def resume_writing(self) -> None:
        super().resume_writing()
        self.full = False
        self._weigh()
        if (drained := self.drained) is not None:
            self.drained = None
            drained()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # refused handshakes have none
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = self

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)  # answers with a close frame of its own
        self.shut()

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
