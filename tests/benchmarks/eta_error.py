"""How wrong the ETA is at the start, half-way and five minutes before the arrival: by road, and by distance alone.

usage: python -m tests.benchmarks.eta_error [--extract REGION.osm.pbf] [--zone Europe/Helsinki] [--trips 60] [--start TIME]
       [--tracks FOLDER]
With a folder the trips are the rides (``occupied`` = 1) in its ``*.csv`` tracks that lie in the region; else they are planned.
"""

import argparse
import asyncio
import csv
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from zoneinfo import ZoneInfo

import httpx

from tests.benchmarks.s9_routing_calls import ASTRAY, EVERY_S, LEAST_M, START
from tests.benchmarks.trips import EXTRACT, Fix, Town, fixes_of, router_on
from tracker.domain.eta import Basis, Deviation, Eta, Spread, StoredRoute, estimate, off_route
from tracker.domain.eta_ranges import spread_in
from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import progress
from tracker.errors import NoRoute
from tracker.roads.build import read_bounds
from tracker.roads.distance import DistanceRouter
from tracker.roads.router import Router
from tracker.roads.valhalla import ValhallaRouter

MOMENTS = ("start", "half", "five minutes before")
BEFORE_S = 300.0


class Trip:
    """Fixes with what only hindsight knows, the destination, and the moment of the start."""

    def __init__(self, fixes: list[Fix], end: Point, start: datetime) -> None:
        self.fixes, self.end, self.start = fixes, end, start

    def moments(self) -> dict[str, Fix]:
        """The fixes at which the ETA is looked at."""
        whole = self.fixes[0].left_s
        looked = {"start": self.fixes[0], "half": next((f for f in self.fixes if f.left_s <= whole / 2), self.fixes[-1])}
        if whole > BEFORE_S + 60:
            looked["five minutes before"] = next(f for f in self.fixes if f.left_s <= BEFORE_S)
        return looked


async def told(router: Router, trip: Trip, spread: Spread) -> dict[str, tuple[Eta, datetime]]:
    """What was shown at each moment, and when the arrival really was."""
    first, moments, seen = trip.fixes[0], trip.moments(), {}
    route = await _asked(router, first, trip.end, 1)
    where, memory, shown = None, Deviation(), None
    for fix in trip.fixes:
        at = trip.start + timedelta(seconds=fix.second)
        where = progress(route, fix.point, where, acc=fix.acc, course=fix.heading)
        memory, ask = off_route(route, where, fix.acc, at, memory)
        shown = estimate(where, at, at, spread=spread, shown=shown, under_way=route.serial > 1)
        for name in [name for name, looked in moments.items() if looked is fix]:
            seen[name] = (shown, at + timedelta(seconds=fix.left_s))
        if ask and route.basis is Basis.ROAD:
            route, where = await _asked(router, fix, trip.end, route.serial + 1), None
    return seen


async def _asked(router: Router, fix: Fix, end: Point, serial: int) -> StoredRoute:
    return (await router.route(fix.point, end, heading=fix.heading)).stored(serial, end)


def rides(folder: Path, extract: Path) -> Iterator[Trip]:
    """Unbroken runs of occupied fixes of recorded taxis, both ends in the extract's box."""
    west, south, east, north = read_bounds(extract)
    for file in sorted(folder.glob("*.csv")):
        with file.open() as lines:
            rows = [row for row in csv.DictReader(lines) if "occupied" in row]
        for occupied, run in itertools.groupby(rows, key=lambda row: row["occupied"]):
            spots = [(datetime.fromisoformat(r["t_utc"]), Point(float(r["lat"]), float(r["lon"]))) for r in run]
            ends = (spots[0][1], spots[-1][1])
            inside = all(south <= p.lat <= north and west <= p.lon <= east for p in ends)
            lasted = (spots[-1][0] - spots[0][0]).total_seconds()
            if occupied == "1" and inside and distance_m(*ends) >= LEAST_M and 180 <= lasted <= 3600:
                yield Trip(list(_fixes(spots)), ends[1], spots[0][0].astimezone(UTC))


def _fixes(spots: list[tuple[datetime, Point]]) -> Iterator[Fix]:
    first, last = spots[0][0], spots[-1][0]
    for at, point in spots[:-1]:
        yield Fix((at - first).total_seconds(), point, 20.0, None, (last - at).total_seconds())


async def planned(town: Town, trips: int, rng: random.Random) -> list[Trip]:
    """Drives of the simulator, a share of them another way than planned."""
    made = []
    while len(made) < trips:
        drive, end = await town.trip(LEAST_M, ASTRAY)
        if fixes := fixes_of(drive, rng, EVERY_S):
            made.append(Trip(fixes, end, town.now))
    return made


async def measure(wish: argparse.Namespace) -> dict[str, object]:
    """All trips by both bases."""
    rng, spread = random.Random(wish.seed), spread_in(ZoneInfo(wish.zone))
    results: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    async with router_on(wish.extract) as server, httpx.AsyncClient(trust_env=False, timeout=5) as client:
        road = ValhallaRouter(str(server.url))
        town = Town(wish.extract, str(server.url), client, rng, wish.start)
        trips = list(rides(wish.tracks, wish.extract)) if wish.tracks else await planned(town, wish.trips, rng)
        for trip, router in itertools.product(trips, (road, DistanceRouter())):
            try:
                seen = await told(router, trip, spread)
            except NoRoute:
                continue
            for moment, (eta, arrival) in seen.items():
                inside = (eta.low or eta.at) <= arrival <= (eta.high or eta.at)
                results[router.name, moment].append(((eta.at - arrival).total_seconds(), inside))
        await road.close()
    return {"id": "eta_error", "trips": len(trips), "extract": wish.extract.name, "results": _table(results)}


def _table(results: dict[tuple[str, str], list[tuple[float, bool]]]) -> list[dict[str, object]]:
    return [
        {
            "router": router,
            "at": moment,
            "trips": len(rows),
            "mean_abs_error_s": round(mean(abs(error) for error, _ in rows), 1),
            "median_error_s": round(median(error for error, _ in rows), 1),
            "inside_low_high": round(mean(inside for _, inside in rows), 3),
        }
        for (router, moment), rows in sorted(results.items(), key=lambda item: (MOMENTS.index(item[0][1]), item[0][0]))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extract", type=Path, default=EXTRACT)
    parser.add_argument("--zone", default="Europe/Helsinki")
    parser.add_argument("--trips", type=int, default=60)
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--start", type=datetime.fromisoformat, default=START, help="when planned trips set off")
    parser.add_argument("--seed", type=int, default=9)
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
