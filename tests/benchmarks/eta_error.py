"""How wrong the ETA is at departure, half-way, 5 min before the arrival and all the way, by hour, by road and by distance.

usage: python -m tests.benchmarks.eta_error [--extract REGION.osm.pbf] [--hours 3 8 12 17 22] [--day DATE] [--trips 100]
       [--astray 0.25] [--seed 9] [--tracks FOLDER]
Drives of the simulator are followed by the service's own code on a clock that costs no time: the same places at every hour, a
share of the drivers another way than planned. With a folder the trips are the rides (``occupied`` = 1) in its ``*.csv`` tracks
that lie in the region, at the time they had. Hours are local. Bias is told − true: below 0 an arrival was told too early.
"""

import argparse
import asyncio
import csv
import itertools
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import mean
from zoneinfo import ZoneInfo

import httpx
from tzfpy import get_tz

from simulator.report import table
from simulator.technician import Pace
from tests.benchmarks.s9_routing_calls import ASTRAY, EVERY_S, LEAST_M
from tests.benchmarks.trips import EXTRACT, Fix, Town, fixes_of, router_on
from tracker.domain.eta import Basis, Deviation, Eta, Spread, StoredRoute, estimate, off_route
from tracker.domain.eta_ranges import learned, spread_in
from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import progress
from tracker.errors import NoRoute
from tracker.roads.build import read_bounds
from tracker.roads.distance import DistanceRouter
from tracker.roads.router import Router
from tracker.roads.valhalla import ValhallaRouter

MOMENTS = ("departure", "half-way", "5 min before", "all")
BEFORE_S = 300.0
DAY = date(2026, 11, 24)
"""A Tuesday."""
_LEAST_RIDE_M, _DETOUR = 400.0, 3.0
_SHORT, _LONG, _SILENT = timedelta(minutes=3), timedelta(hours=1), timedelta(seconds=200)


@dataclass(frozen=True, slots=True)
class Trip:
    """Fixes with what only hindsight knows, the destination, the moment of the start, and under which hour it counts."""

    fixes: list[Fix]
    end: Point
    start: datetime
    hour: str

    def moments(self) -> dict[str, Fix]:
        """The fixes at which the ETA is looked at."""
        whole = self.fixes[0].left_s
        looked = {"departure": self.fixes[0], "half-way": next((f for f in self.fixes if f.left_s <= whole / 2), self.fixes[-1])}
        if whole > BEFORE_S + 60:
            looked["5 min before"] = next(f for f in self.fixes if f.left_s <= BEFORE_S)
        return looked


@dataclass(frozen=True, slots=True)
class Told:
    """One estimate as shown, and when the arrival really was."""

    fix: Fix
    eta: Eta
    arrival: datetime

    @property
    def bias_s(self) -> float:
        return (self.eta.at - self.arrival).total_seconds()

    @property
    def low_s(self) -> float:
        """Seconds that the arrival came after the range's begin."""
        return (self.arrival - (self.eta.low or self.eta.at)).total_seconds()

    @property
    def high_s(self) -> float:
        """Seconds that the range ended after the arrival."""
        return ((self.eta.high or self.eta.at) - self.arrival).total_seconds()


async def told(router: Router, trip: Trip, spread: Spread) -> list[Told]:
    """What was shown at each fix."""
    route = await _asked(router, trip.fixes[0], trip.end, 1)
    where, memory, shown, seen = None, Deviation(), None, []
    for fix in trip.fixes:
        at = trip.start + timedelta(seconds=fix.second)
        where = progress(route, fix.point, where, acc=fix.acc, course=fix.heading)
        memory, ask = off_route(route, where, fix.acc, at, memory)
        shown = estimate(where, at, at, spread=spread, shown=shown, under_way=route.serial > 1)
        seen.append(Told(fix, shown, at + timedelta(seconds=fix.left_s)))
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
            if occupied == "1" and inside and _straight_there(spots):
                yield Trip(list(_fixes(spots)), ends[1], spots[0][0].astimezone(UTC), "any")


def _straight_there(spots: list[tuple[datetime, Point]]) -> bool:
    """A ride without long silence that went nowhere else in between."""
    steps = list(itertools.pairwise(spots))
    lasted, silent = spots[-1][0] - spots[0][0], max((b[0] - a[0] for a, b in steps), default=timedelta(0))
    far_m = distance_m(spots[0][1], spots[-1][1])
    round_about = sum(distance_m(a[1], b[1]) for a, b in steps) > _DETOUR * far_m
    return far_m >= _LEAST_RIDE_M and _SHORT <= lasted <= _LONG and silent <= _SILENT and not round_about


def _fixes(spots: list[tuple[datetime, Point]]) -> Iterator[Fix]:
    first, last = spots[0][0], spots[-1][0]
    for at, point in spots[:-1]:
        yield Fix((at - first).total_seconds(), point, 20.0, None, (last - at).total_seconds())


async def planned(town: Town, wish: argparse.Namespace, zone: ZoneInfo) -> AsyncIterator[Trip]:
    """Drives of the simulator, between the same places at each hour; the arrival is told some seconds after the van stands."""
    for hour in wish.hours:
        town.now = datetime.combine(wish.day, time(hour), zone)
        for number in range(wish.trips):
            rng = town.rng = random.Random(f"{wish.seed}/{number}")
            drive, end = await town.trip(LEAST_M, wish.astray)
            at_door_s = rng.uniform(*Pace().at_door_s)
            fixes = [replace(fix, left_s=fix.left_s + at_door_s) for fix in fixes_of(drive, rng, EVERY_S)]
            yield Trip(fixes, end, town.now, f"{hour:02}")


type Found = dict[tuple[str, str, str], list[Told]]
"""By hour, moment and router."""


async def measure(wish: argparse.Namespace) -> Found:
    """All trips by both bases."""
    results: Found = defaultdict(list)
    async with router_on(wish.extract) as server, httpx.AsyncClient(trust_env=False, timeout=5) as client:
        road = ValhallaRouter(str(server.url))
        west, south, _, _ = read_bounds(wish.extract)
        zone = ZoneInfo(get_tz(west, south))
        town = Town(wish.extract, str(server.url), client, random.Random(), datetime.now(UTC))
        trips = list(rides(wish.tracks, wish.extract)) if wish.tracks else [trip async for trip in planned(town, wish, zone)]
        for trip, router in itertools.product(trips, (road, DistanceRouter())):
            try:
                seen = await told(router, trip, spread_in(zone, area=learned().area_at(trip.end)))
            except NoRoute:
                continue
            for moment, fix in trip.moments().items():
                results[trip.hour, moment, router.name] += [one for one in seen if one.fix is fix]
            results[trip.hour, "all", router.name] += seen
        await road.close()
    return results


def as_table(results: Found) -> str:
    """A line for each hour, moment and basis, and over all hours."""
    whole: Found = defaultdict(list)
    for (_, moment, router), seen in results.items():
        whole["every", moment, router] += seen
    hours = len({hour for hour, _, _ in results})
    head = ("basis", "hour", "when", "told", "bias s", "error s", "inside", "before", "after", "width s")
    shown = results | whole if hours > 1 else results
    rows = sorted(shown.items(), key=lambda row: (row[0][2], row[0][0], MOMENTS.index(row[0][1])))
    return table([head, *(_row(*key, seen) for key, seen in rows)])


def _row(hour: str, moment: str, router: str, seen: list[Told]) -> tuple[str, ...]:
    early, late = mean(one.low_s < 0 for one in seen), mean(one.high_s < 0 for one in seen)
    bias_s, error_s = mean(one.bias_s for one in seen), mean(abs(one.bias_s) for one in seen)
    width_s = mean(one.low_s + one.high_s for one in seen)
    shares = f"{1 - early - late:.0%}", f"{early:.0%}", f"{late:.0%}"
    return router, hour, moment, str(len(seen)), f"{bias_s:+.0f}", f"{error_s:.0f}", *shares, f"{width_s:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extract", type=Path, default=EXTRACT)
    parser.add_argument("--hours", type=int, nargs="+", default=[3, 8, 12, 17, 22])
    parser.add_argument("--day", type=date.fromisoformat, default=DAY)
    parser.add_argument("--trips", type=int, default=100, help="planned ones, each driven at every hour")
    parser.add_argument("--astray", type=float, default=ASTRAY, help="share of drivers who go by a third place first")
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--seed", type=int, default=9)
    print(as_table(asyncio.run(measure(parser.parse_args()))))


if __name__ == "__main__":
    main()
