"""`python -m tests.simulator.show_trips REGION.osm.pbf`: trips on real roads with viewers, by road and by distance."""

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx

from simulator.phones import SocketPhone
from simulator.report import Report
from simulator.routing import NoWay, Planner
from simulator.run import Audience, run_story
from simulator.site import Site, sign_in
from simulator.technician import Pace
from tests.servers import valkey_server
from tests.simulator.deployment import PASSWORD, Deployment, deployed
from tracker.domain.geo import Point
from tracker.roads.build import build, read_manifest
from tracker.roads.server import EmbeddedValhalla

PACE = Pace(before_s=(0, 5), at_door_s=(1, 5), work_s=(1, 2), early_s=None)
PLANNED_S = (140.0, 260.0)
"""Router's seconds of the trips that are driven."""


@click.command()
@click.argument("region", type=click.Path(exists=True, path_type=Path))
@click.option("--trips", default=10, show_default=True)
@click.option("--viewers", default=100, show_default=True, help="Of the first trip; the others have two.")
@click.option("--seed", default=1, show_default=True)
def main(region: Path, trips: int, viewers: int, seed: int) -> None:
    """Builds the roads, then drives the same trips in two deployments at once: one with a router, one without."""
    asyncio.run(show(region, trips, viewers, seed))


async def show(region: Path, trips: int, viewers: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(region, folder / "roads", datetime.now(UTC))
        valhalla = EmbeddedValhalla(folder / "roads", folder)
        await valhalla.start()
        async with httpx.AsyncClient(timeout=15) as client:
            planner = Planner(client, valhalla.url)
            ends = await _ends(planner, folder / "roads", trips, seed)
            async with AsyncExitStack() as stack:  # one after the other: migrations of two databases do not run side by side
                routed = await stack.enter_async_context(_deployment(TRACKER_ROUTER_URL=valhalla.url or ""))
                lost = await stack.enter_async_context(_deployment())
                reports = await asyncio.gather(
                    _drive(routed, planner, ends, viewers, seed), _drive(lost, planner, ends, min(viewers, 2), seed)
                )
        await valhalla.stop()
    for title, report in zip(("with the router", "without any router"), reports, strict=True):
        sys.stdout.write(f"\n{trips} trips, {title}\n\n{report.as_table()}\n")


async def _ends(planner: Planner, roads: Path, number: int, seed: int) -> list[tuple[Point, Point]]:
    manifest = read_manifest(roads)
    assert manifest is not None
    west, south, east, north = manifest.bounds
    rng = random.Random(seed)
    found: list[tuple[Point, Point]] = []
    while len(found) < number:
        start, end = (Point(rng.uniform(south, north), rng.uniform(west, east)) for _ in range(2))
        try:
            way = await planner.way(start, end)
        except NoWay:
            continue
        if PLANNED_S[0] < way.times_s[-1] < PLANNED_S[1]:
            found.append((start, end))
    return found


@asynccontextmanager
async def _deployment(**more: str) -> AsyncIterator[Deployment]:
    with tempfile.TemporaryDirectory() as folder, valkey_server() as redis_url:
        records = f"sqlite+aiosqlite:///{folder}/tracker.db"
        async with deployed(records, redis_url, Path(folder) / "data", **more) as service:
            yield service


async def _drive(service: Deployment, planner: Planner, ends: list[tuple[Point, Point]], viewers: int, seed: int) -> Report:
    audience = Audience()
    sites = [await sign_in(service.url, "anna@example.org", PASSWORD) for _ in range(viewers // 50 + 1)]
    stories = (
        _trip(service, planner, audience, start, end, [sites[-1]] * 2 if i else _seats(sites, viewers), seed + i)
        for i, (start, end) in enumerate(ends)
    )
    done = await asyncio.gather(*stories)
    await audience.leave(5)
    return audience.report([phone for phone, _ in done], all(settled for _, settled in done))


def _seats(sites: list[Site], viewers: int) -> list[Site]:
    """A session for each viewer: none gets more than fifty."""
    return [sites[i // 50] for i in range(viewers)]


async def _trip(
    service: Deployment, planner: Planner, audience: Audience, start: Point, end: Point, seats: list[Site], seed: int
) -> tuple[SocketPhone, bool]:
    technician, target = await service.technician()
    appointment = await service.visit(technician, end)
    for site in seats:
        audience.invite(site, appointment)
    assert await audience.seated(240)
    return await run_story(target, start, planner, planner.client, audience, pace=PACE, seed=seed, visits=1)


if __name__ == "__main__":
    main()
