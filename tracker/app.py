"""The whole service put together: the house with its parts, and the application with its doors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from tracker.actions.house import House, close, furnish, the_clock
from tracker.actions.loops import every
from tracker.actions.people.accounts import living
from tracker.actions.trip.looks import hub_look
from tracker.actions.trip.tracking import Receiver, receiver_of
from tracker.config import Config
from tracker.errors import BadConfiguration, Refusal
from tracker.live.server import EmbeddedValkey
from tracker.records.database import Database
from tracker.records.settings import Settings
from tracker.roads.addresses import Addresses
from tracker.roads.finding import finder
from tracker.roads.opening import open_router
from tracker.web import api, health, live, tiles
from tracker.web.edge import Edge
from tracker.web.guard import unguarded
from tracker.web.identity import Guard
from tracker.web.ingest import TechnicianSockets
from tracker.web.problems import Problems, RefusalPage
from tracker.web.stock import StockPhones

SETTINGS_S = 1.0
"""How often settings are read again: a change reaches every process within 2 s."""


@contextlib.asynccontextmanager
async def open_house(config: Config, clock: Callable[[], datetime] = the_clock) -> AsyncIterator[House]:
    """The parts of one process, opened in order and closed in the other; none of them has to answer for this to succeed."""
    async with contextlib.AsyncExitStack() as stack:
        config.data.mkdir(parents=True, exist_ok=True)
        db = Database(config.database_url)
        stack.push_async_callback(db.close)
        redis_url = config.redis_url or await _own_valkey(config, stack)
        roads = open_router(config.router_url, config.router_kind, config.roads, config.data / "router")
        router = await stack.enter_async_context(roads)
        house = furnish(db, redis_url, router, config.secret, clock)
        house.finder = finder(config.geocoder_url, config.geocoder_kind, Addresses(config.roads))
        stack.push_async_callback(house.finder.close)
        house.post = config.post
        stack.push_async_callback(close, house)
        yield house


async def _own_valkey(config: Config, stack: contextlib.AsyncExitStack) -> str:
    valkey = EmbeddedValkey()
    url = await valkey.start(config.data)
    stack.push_async_callback(valkey.stop)
    return url


def create_app(
    house: House, config: Config, extra_routes: Sequence[BaseRoute] = (), *, refusal_page: RefusalPage | None = None
) -> Starlette:
    """The application of one process. ``extra_routes`` and ``refusal_page`` come from the portal, if there is one.

    Every route must be a `guard.door`, `guard.socket` or `guard.Files`: what does not say who may use it is refused here.
    """
    receiver = receiver_of(house)
    routes = [
        *health.routes(),
        *api.routes(),
        *live.routes(),
        *TechnicianSockets(house, receiver, house.control).routes(),
        *StockPhones(house, receiver).routes(),
        *tiles.routes(tiles.street_map(config.roads, config.tiles_url)),
        *extra_routes,
    ]
    if nameless := unguarded(routes):
        raise BadConfiguration(f"routes without roles: {nameless}")
    problems = Problems(refusal_page)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Edge, public=config.public, tiles_url=config.tiles_url, broken=problems.broken)],
        exception_handlers={Refusal: problems.refusal, HTTPException: problems.by_starlette},
        lifespan=lambda _app: _running(house, receiver),
    )
    app.router.redirect_slashes = False  # its redirects repeat whatever Host was said, and take a posted form with them
    app.state.guard = Guard(house, config.public)
    return app


@contextlib.asynccontextmanager
async def _running(house: House, receiver: Receiver) -> AsyncIterator[None]:
    """What turns in a web process as long as it serves: viewers' hub, phones' batches, settings."""
    stop = asyncio.Event()
    house.settings.on_change.append(partial(_tracking_changed, house))
    await house.hub.start(hub_look(house), house.positions.events_after, partial(living, house))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(receiver.run(stop), name="receiver")
        tasks.create_task(keep_settings(house, stop), name="settings")
        yield
        stop.set()
        await house.hub.stop()


def _tracking_changed(house: House, before: Settings, after: Settings) -> None:
    if before.technician_tracking != after.technician_tracking:
        house.hub.look_at_all_again()


async def keep_settings(house: House, stop: asyncio.Event) -> None:
    """Read the settings every second; while the records are away the last known ones count."""
    await every("settings", SETTINGS_S, stop, lambda: house.settings.refresh(house.db))
