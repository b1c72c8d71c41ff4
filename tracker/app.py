"""The whole service put together: the house with its parts, and the application with its doors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from tracker.actions.house import House, the_clock
from tracker.config import Config
from tracker.errors import BadConfiguration, Refusal, Unavailable
from tracker.live.connect import connect
from tracker.live.limits import Limits
from tracker.live.positions import Positions
from tracker.live.server import EmbeddedValkey
from tracker.records.database import Database
from tracker.roads.fallback import FallbackRouter
from tracker.roads.router import Router
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter
from tracker.web import health
from tracker.web.edge import Edge
from tracker.web.guard import Guard, unguarded
from tracker.web.problems import Problems, RefusalPage

log = structlog.get_logger()

SETTINGS_S = 1.0
"""How often settings are read again: a change reaches every process within 2 s."""


@contextlib.asynccontextmanager
async def open_house(config: Config, clock: Callable[[], datetime] = the_clock) -> AsyncIterator[House]:
    """The parts of one process, opened in order and closed in the other; none of them has to answer for this to succeed."""
    async with contextlib.AsyncExitStack() as stack:
        config.data.mkdir(parents=True, exist_ok=True)
        db = Database(config.database_url)
        stack.push_async_callback(db.close)
        client = connect(config.redis_url or await _own_valkey(config, stack))
        stack.push_async_callback(client.aclose)
        router = await _router(config, stack)
        positions = Positions(client)
        yield House(db=db, positions=positions, router=router, limits=Limits(client), secret=config.secret, clock=clock)


async def _own_valkey(config: Config, stack: contextlib.AsyncExitStack) -> str:
    valkey = EmbeddedValkey()
    url = await valkey.start(config.data)
    stack.push_async_callback(valkey.stop)
    return url


async def _router(config: Config, stack: contextlib.AsyncExitStack) -> Router:
    road: Router | None = None
    if config.router_url:
        road = ValhallaRouter(config.router_url)
    elif (config.roads / "manifest.json").exists():
        embedded = EmbeddedValhalla(config.roads, config.data)
        await embedded.start(wait_s=0)
        stack.push_async_callback(embedded.stop)
        road = ValhallaRouter(lambda: embedded.url)
    router = FallbackRouter(road)
    stack.push_async_callback(router.close)
    return router


def create_app(
    house: House, config: Config, extra_routes: Sequence[BaseRoute] = (), *, refusal_page: RefusalPage | None = None
) -> Starlette:
    """The application of one process. ``extra_routes`` and ``refusal_page`` come from the portal, if there is one.

    Every route must be a `guard.door`, `guard.socket` or `guard.Files`: what does not say who may use it is refused here.
    """
    routes = [*health.routes(), *extra_routes]
    if nameless := unguarded(routes):
        raise BadConfiguration(f"routes without roles: {nameless}")
    problems = Problems(refusal_page)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Edge, public=config.public, tiles_url=config.tiles_url, broken=problems.broken)],
        exception_handlers={Refusal: problems.refusal, HTTPException: problems.by_starlette},
        lifespan=lambda _app: _running(house),
    )
    app.state.guard = Guard(house, config.public)
    return app


@contextlib.asynccontextmanager
async def _running(house: House) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        settings = tasks.create_task(keep_settings(house), name="settings")
        yield
        settings.cancel()


async def keep_settings(house: House) -> None:
    """Read the settings every second, for ever; while the records are away the last known ones count."""
    while True:
        try:
            await house.settings.refresh(house.db)
        except Unavailable:
            log.warning("settings_not_read")
        await asyncio.sleep(SETTINGS_S)
