"""How uvicorn listens: a deadline and a size for headers, which it does not have itself, and the settings that are ours."""

import asyncio
import contextlib
import signal
import ssl
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tracker.web.doors import DirectDoor
from tracker.web.protocol import FRAME_BYTES

HEADERS_S = 10.0
"""A connection that has not said its whole request head by then is closed."""
HEADERS_BYTES = 32 * 1024
LINGER_S = 1.0
"""So long an idle connection is kept after a SIGTERM: a request that was on its way then is answered, not cut off."""
GRACE_S = 8
"""How long answers in flight may take after a SIGTERM; with what follows the process is gone within 10 s."""


class DeadlineProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose head must be complete in time and in size (slow-header attacks, F21), and which ends without cutting."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is not None:  # still no end of the head; what came with its end is body, and may be large
            self._head_bytes += len(data)
            if self._head_bytes > HEADERS_BYTES:
                self._end()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        self._leaving = True
        if self.cycle is None or self.cycle.response_complete:
            asyncio.get_running_loop().call_later(LINGER_S, super().shutdown)
        else:
            super().shutdown()

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        del self.parser  # else the two hold each other until the collector comes

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._deadline = asyncio.get_running_loop().call_later(HEADERS_S, self._end)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._head_is_here()
        if not self.transport.is_closing():
            self.transport.close()


class PoliteServer(uvicorn.Server):
    """Ends by SIGTERM or Ctrl-C and then returns. uvicorn's own raises the signal again at its end: the process would be
    gone before the database and the embedded servers are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def listener(app: ASGIApp, host: str, port: int, **more: Any) -> uvicorn.Server:
    """A server for the service: 1012 to every socket on shutdown, no deflate, no frame beyond 64 KiB, no own access log."""
    return PoliteServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http=DeadlineProtocol,
            ws=DirectDoor,
            ws_max_size=FRAME_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=GRACE_S,
            access_log=False,
            log_config=None,
            server_header=False,
            **more,
        )
    )


def certificate(cert: Path, key: Path) -> dict[str, Any]:
    """TLS options for `listener`: for trying a phone without a proxy (``make demo ARGS=--https``)."""
    return {"ssl_certfile": str(cert), "ssl_keyfile": str(key), "ssl_version": ssl.PROTOCOL_TLS_SERVER}
