"""Drives on a real road network for the figures about routing: planned by the simulator, noisy, some leaving the plan."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from simulator.driving import Drive, Way
from simulator.routing import NoWay, Planner
from simulator.technician import Pace
from simulator.traffic import drive
from tracker.domain.geo import Point, distance_m, moved
from tracker.roads.build import build_tiles, read_bounds
from tracker.roads.server import EmbeddedValhalla

EXTRACT = Path(__file__).parents[2] / "simulator" / "data" / "helsinki.osm.pbf"
"""Central Helsinki, © OpenStreetMap contributors, ODbL 1.0 (see the text beside it)."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What the phone says ``second`` s after the start; ``left_s`` is what it cannot know: how long it really still takes."""

    second: float
    point: Point
    acc: float
    heading: float | None
    left_s: float


@asynccontextmanager
async def router_on(extract: Path) -> AsyncIterator[EmbeddedValhalla]:
    """A real router of an extract."""
    with TemporaryDirectory() as folder:
        region = Path(folder) / "region"
        _build(extract, region)
        server = EmbeddedValhalla(region, Path(folder) / "state")
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


def _build(extract: Path, region: Path) -> None:
    region.mkdir()
    build_tiles(extract.resolve(), region)
    (region / "manifest.json").write_text("{}")


def fixes_of(drive: Drive, rng: random.Random, every_s: float) -> list[Fix]:
    """The drive as a phone reports it: σ = 5 m across and along, now and then much worse and saying so."""
    fixes, second = [], rng.uniform(0, every_s)
    while second < drive.duration_s:
        moment = drive.at(second)
        acc = 30.0 if rng.random() < 0.03 else 5.0
        seen = moved(moment.point, rng.uniform(0, 360), abs(rng.gauss(0, acc)))
        heading = moment.course if moment.speed >= 2 else None
        fixes.append(Fix(second, seen, acc, heading, drive.duration_s - second))
        second += every_s
    return fixes


class Town:
    """Draws trips between any two streets of an extract's box, driven in the traffic of the hour ``now``."""

    def __init__(self, extract: Path, url: str, client: httpx.AsyncClient, rng: random.Random, now: datetime) -> None:
        self.box, self.rng, self.now, self.planner = read_bounds(extract), rng, now, Planner(client, url)

    async def trip(self, least_m: float, astray: float) -> tuple[Drive, Point]:
        """(drive, destination) at least so far apart; a share ``astray`` of the drivers goes by a third place first."""
        while True:
            start, end, third = self._place(), self._place(), self._place()
            if distance_m(start, end) < least_m:
                continue
            try:
                if self.rng.random() < astray:
                    way = _joined(await self.planner.way(start, third), await self.planner.way(third, end))
                else:
                    way = await self.planner.way(start, end)
                return drive(way, self.rng, self.now, haste=self.rng.uniform(*Pace().haste)), end
            except (NoWay, ValueError):
                continue

    def _place(self) -> Point:
        west, south, east, north = self.box
        return Point(self.rng.uniform(south, north), self.rng.uniform(west, east))


def _joined(first: Way, then: Way) -> Way:
    times = tuple(first.times_s[-1] + t for t in then.times_s)
    crossings = tuple(len(first.line) + i for i in then.crossings)
    return Way(first.line + then.line, first.times_s + times, first.crossings + crossings)
