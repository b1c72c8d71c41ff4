"""S9: routing calls per ping, while the ETA stays within 30 s (p95) of one that routes anew at every ping.

usage: python -m tests.benchmarks.s9_routing_calls [--extract REGION.osm.pbf] [--trips 60] [--seed 9]
"""

import argparse
import asyncio
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import httpx

from simulator.driving import Drive
from tests.benchmarks.results import Result, Size
from tests.benchmarks.trips import EXTRACT, Town, fixes_of, router_on
from tracker.domain.eta import Deviation, estimate, off_route
from tracker.domain.geo import Point
from tracker.domain.ways import progress
from tracker.errors import NoRoute
from tracker.roads.valhalla import ValhallaRouter

EVERY_S = 5.0
LEAST_M = 900.0
ASTRAY = 0.25
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Tally:
    """What is counted over all trips."""

    def __init__(self) -> None:
        self.pings = self.calls = self.trips = self.unanswered = 0
        self.apart_s: list[float] = []
        self.own_s = self.routing_s = 0.0


async def follow(router: ValhallaRouter, drive: Drive, end: Point, rng: random.Random, tally: Tally) -> None:
    """One trip as the service follows it, beside one that asks the router at every ping."""
    fixes = fixes_of(drive, rng, EVERY_S)
    if not fixes:
        return
    route = (await router.route(fixes[0].point, end, heading=fixes[0].heading)).stored(1, end)
    tally.calls, tally.trips = tally.calls + 1, tally.trips + 1
    where, memory, shown = None, Deviation(), None
    for fix in fixes:
        at = START + timedelta(seconds=fix.second)
        began = time.thread_time()
        where = progress(route, fix.point, where, acc=fix.acc, course=fix.heading)
        memory, ask = off_route(route, where, fix.acc, at, memory)
        shown = estimate(where, at, at, shown=shown)
        tally.own_s += time.thread_time() - began
        tally.pings += 1
        began = time.perf_counter()
        try:
            fresh = await router.route(fix.point, end, heading=fix.heading)
        except NoRoute:
            tally.unanswered += 1
            continue
        tally.routing_s += time.perf_counter() - began
        tally.apart_s.append(abs((shown.at - at).total_seconds() - fresh.duration_s))
        if ask:  # the new route is there for the next ping
            tally.calls += 1
            route, where = fresh.stored(route.serial + 1, end), None


async def measure(extract: Path, trips: int, seed: int) -> dict[str, object]:
    """All trips; the figures as one line."""
    rng, tally = random.Random(seed), Tally()
    async with router_on(extract) as server, httpx.AsyncClient(trust_env=False, timeout=5) as client:
        if server.url is None:
            raise SystemExit("the router does not start")
        town, router = Town(extract, server.url, client, rng, START), ValhallaRouter(server.url)
        while tally.trips < trips:
            drive, end = await town.trip(LEAST_M, ASTRAY)
            try:
                await follow(router, drive, end, rng, tally)
            except NoRoute:
                continue
        await router.close()
    cuts = quantiles(tally.apart_s, n=100)
    return {
        "id": "S9",
        "ratio": round(tally.calls / tally.pings, 4),
        "reach": 0.05,
        "beyond": 0.01,
        "apart_p50_s": round(cuts[49], 1),
        "apart_p95_s": round(cuts[94], 1),
        "holds": tally.calls / tally.pings <= 0.05 and cuts[94] <= 30,
        "pings": tally.pings,
        "trips": tally.trips,
        "calls": tally.calls,
        "calls_after_start": round((tally.calls - tally.trips) / tally.pings, 4),
        "cost_of_routing_over_ours": round(tally.routing_s / tally.own_s),
        "own_us_per_ping": round(tally.own_s / tally.pings * 1e6, 1),
        "unanswered": tally.unanswered,
        "extract": extract.name,
    }


async def routing(size: Size) -> list[Result]:
    """S9 as two lines of the table: how seldom the router is asked, and how little that costs the ETA."""
    found = await measure(EXTRACT, size.trips, 9)
    shares = f"{found['calls']} calls", f"{found['pings']} pings"
    apart_s = float(str(found["apart_p95_s"]))
    note = f"{found['trips']} trips, no pairs: one run is both"
    return [
        Result("S9", "routing calls per ping", [float(str(found["ratio"]))], 0.05, "less", *shares, note),
        Result(
            "S9 p95", "ETA apart from always routing / 30 s", [apart_s / 30], 1, "less", f"{apart_s} s", "30 s", "the same trips"
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extract", type=Path, default=EXTRACT)
    parser.add_argument("--trips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=9)
    wish = parser.parse_args()
    print(json.dumps(asyncio.run(measure(wish.extract, wish.trips, wish.seed))))


if __name__ == "__main__":
    main()
