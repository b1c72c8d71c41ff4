"""Routes for legs under way: wanted by whoever has a ping that needs one, found here, stored under the leg."""

import asyncio

import structlog

from tracker.actions.house import House
from tracker.domain.geo import Point
from tracker.domain.ways import Basis, StoredRoute
from tracker.errors import NoRoute, Unavailable
from tracker.live.routes import Wanted
from tracker.records import appointments

AT_ONCE = 4
"""Routes asked for at the same time: the router has as many threads as the machine has cores."""
WAIT_S = 1.0

log = structlog.get_logger()


async def serve_routes(house: House, stop: asyncio.Event) -> None:
    """Answer wanted routes until told to stop."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(_serve(house, stop))


async def _serve(house: House, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            wanted = await house.positions.routes.next_wanted(WAIT_S)
            if wanted is not None:
                await answer(house, wanted)
        except Unavailable as away:
            log.warning("loop_waits", loop="serve_routes", reason=away.code)
            await asyncio.sleep(WAIT_S)
        except Exception:
            log.exception("loop_failed", loop="serve_routes")
            await asyncio.sleep(WAIT_S)


async def answer(house: House, wanted: Wanted) -> bool:
    """Find and store one route. False: the leg is over, or only a guess by distance was to be had for a leg with a route."""
    async with house.db.reading() as tx:
        visit = await appointments.by_id(tx, wanted.appointment)
    if visit is None or visit.leg_id != wanted.leg:
        return False
    known = await house.positions.route_of(wanted.technician, wanted.leg)
    try:
        route = await house.router.route(Point(wanted.lat, wanted.lon), visit.place, heading=wanted.heading)
    except NoRoute:
        log.warning("no_route")
        return False
    if known is not None and route.basis is not Basis.ROAD:
        return False
    stored = StoredRoute.of(known.serial + 1 if known else 1, route.line, route.times_s, visit.place, route.basis)
    return await house.positions.store_route(wanted.technician, wanted.appointment, wanted.leg, stored)
