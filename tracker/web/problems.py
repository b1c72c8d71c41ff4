"""Refusals as problem details (RFC 9457) for programs; as a page where the portal supplies one."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.websockets import WebSocket

from tracker.errors import NotFound, Refusal
from tracker.web.doors import handshake_over

log = structlog.get_logger()

_UNREAD = {HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
"""Refused before the body was read: the connection is closed, or an endless body would be read for ever."""

type RefusalPage = Callable[[Request, Refusal], Awaitable[Response]]
"""How the portal shows a refusal to people. It is called for doors of the kind page, and for paths that lead nowhere."""


class Broken(Refusal):
    """Something went wrong on our side. It has been written down; please try again."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class WrongMethod(Refusal):
    """This address does not take such a request."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


def problem(refusal: Refusal) -> Response:
    """``application/problem+json`` with the refusal's code, sentence and details."""
    body = {"type": "about:blank", "title": refusal.status.phrase, "status": int(refusal.status), "detail": refusal.sentence}
    body |= {"code": refusal.code} | refusal.details
    headers = {"Retry-After": str(refusal.details["retry_after_s"])} if "retry_after_s" in refusal.details else None
    content = msgspec.json.encode(body, enc_hook=str)
    return Response(content, int(refusal.status), headers, media_type="application/problem+json")


async def refuse(websocket: WebSocket, refusal: Refusal) -> None:
    """Answer a handshake with the refusal instead of a socket, and write down the door, never the path asked for."""
    log.info("socket_refused", door=websocket.scope.get("tracker.template", "-"), code=refusal.code, status=int(refusal.status))
    await websocket.send_denial_response(problem(refusal))
    handshake_over(websocket)


class Problems:
    """The exception handlers of the service."""

    def __init__(self, page: RefusalPage | None) -> None:
        self._page = page

    async def refusal(self, request: Request, error: Exception) -> Response:
        """Answer a refusal in the words of the door that was knocked at."""
        refusal = error if isinstance(error, Refusal) else Broken()
        shown = self._page is not None and _for_people(request)
        answer = await self._page(request, refusal) if self._page and shown else problem(refusal)
        if refusal.status in _UNREAD:
            answer.headers["Connection"] = "close"
        return answer

    async def by_starlette(self, request: Request, error: Exception) -> Response:
        """What Starlette refuses by itself: no such path, or not by this method."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        refusal = NotFound() if status == 404 else WrongMethod() if status == 405 else _other(status)
        answer = await self.refusal(request, refusal)
        if isinstance(error, HTTPException) and error.headers:
            answer.headers.update(error.headers)
        if status == 405:
            answer.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
        return answer

    async def broken(self, request: Request, error: Exception) -> Response:
        """Our own mistake: logged by its kind and place, told without a word of it."""
        log.error("broken", template=request.scope.get("tracker.template"), exc_info=error)
        return await self.refusal(request, Broken())


def _methods_at(request: Request) -> set[str]:
    """What this path takes: a form and what it posts to are two doors, and Starlette names the methods of the first alone."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    return set[str]().union(*(route.methods or () for route in routes if route.matches(request.scope)[0] is not Match.NONE))


def _for_people(request: Request) -> bool:
    kind = request.scope.get("tracker.kind")
    if kind is not None:
        return bool(kind == "page")
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _other(status: int) -> Refusal:
    refusal = Refusal()
    refusal.status = HTTPStatus(status)
    return refusal
