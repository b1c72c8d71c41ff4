"""A small real server for the street map alone: the tile door, our static files, Leaflet, and one page with a map."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

import portal_web
from portal_web.shell import leaflet_folder
from tracker.actions.house import House
from tracker.config import PublicAddress
from tracker.web import tiles
from tracker.web.identity import Guard

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The product's own Content-Security-Policy: the map must live with it."""

HERE = Path(__file__).parent

PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
"""One pixel."""


class _Strict:
    """Adds the policy to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY)]  # type: ignore[misc]
            await send(message)

        await self.app(scope, receive, with_policy)  # type: ignore[arg-type]


async def _page(_request: Request) -> Response:
    return FileResponse(HERE / "page.html")


async def _picture(_request: Request) -> Response:
    return Response(PICTURE, media_type="image/png")


def app(roads: Path, external_url: str | None = None) -> Starlette:
    """The map of a roads folder at `/`; `/pictures/z/x/y.png` stands for an external tile server."""
    static = Path(portal_web.__file__).parent / "static"
    made = Starlette(
        routes=[
            Route("/", _page),
            *tiles.routes(tiles.street_map(roads, external_url)),
            Route("/pictures/{z:int}/{x:int}/{y:int}.png", _picture),
            Mount("/static", StaticFiles(directory=static)),
            Mount("/leaflet", StaticFiles(directory=leaflet_folder())),
            Mount("/tests", StaticFiles(directory=HERE)),
        ],
        middleware=[Middleware(_Strict)],
    )
    # the map's doors are open to everybody: they ask the guard for nothing that stands in a house
    made.state.guard = Guard(cast(House, None), PublicAddress("http", "127.0.0.1", 0))
    return made


@contextmanager
def serving(application: ASGIApp) -> Iterator[str]:
    """The application under a real uvicorn on a free port, in a thread; yields its address."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
