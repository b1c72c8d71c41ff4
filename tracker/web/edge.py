"""The outermost layer: security headers on every answer, one log line and one measurement for every request."""

import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tracker.config import PublicAddress
from tracker.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger()

GONE = 499
"""What is written down for a request whose sender went away in the middle of it: nobody was answered (as nginx says it)."""

type Broken = Callable[[Request, Exception], Awaitable[Response]]


def content_security_policy(public: PublicAddress, tiles_url: str | None) -> str:
    """Everything from our own address only, nothing inline; a configured tile server is the one exception, for images."""
    sockets = public.url.replace("http", "ws", 1)  # 'self' does not cover wss in every browser
    images = "'self'"
    if tiles_url:
        tiles = urlsplit(tiles_url)
        images += f" {tiles.scheme}://{tiles.netloc}"
    parts = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": images,
        "font-src": "'self'",
        "connect-src": f"'self' {sockets}",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


class Edge:
    """Pure ASGI: it adds nothing to the way of a WebSocket frame. ``broken`` answers for a mistake of ours."""

    def __init__(self, app: ASGIApp, public: PublicAddress, tiles_url: str | None, broken: Broken) -> None:
        self._app, self._broken = app, broken
        self._headers = {
            "Content-Security-Policy": content_security_policy(public, tiles_url),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",  # with no-referrer browsers would say "Origin: null" in our own forms
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=(), usb=()",
        }
        if public.secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                message["headers"] = headers.raw
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        except ClientDisconnect:  # every phone does that where its network ends: no mistake of anybody
            status = status or GONE
        except Exception as error:  # the outermost layer: what gets past it would be answered without these headers
            if status:
                raise  # in mid-answer: uvicorn cuts the connection, which is the truth
            answer = await self._broken(Request(scope, receive), error)
            await answer(scope, receive, dressed)
        finally:
            _written_down(scope, status, time.perf_counter() - began)


def _written_down(scope: Scope, status: int, seconds: float) -> None:
    """The route's template only: tokens of phones stand in paths, and queries carry coordinates."""
    template, method = scope.get("tracker.template", "-"), scope["method"]
    if method not in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}:
        method = "other"
    REQUESTS.labels(template, method, str(status)).inc()
    REQUEST_SECONDS.labels(template).observe(seconds)
    log.info("request", method=method, template=template, status=status, ms=round(seconds * 1000, 1))
