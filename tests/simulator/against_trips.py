"""Whether simulated drives take what real trips took, measured against the router's plan of each.

TRIPS is a ``*.csv.gz`` as `tracker.workshop.trip_files` reads it, REGION the extract that its ``in_roads`` trips lie in.
Each is driven by the simulator between the same places at the same hour. The earlier trips are those that the simulator's
numbers were set on, the later ones are not. Ratios are actual / planned seconds, p10 p50 p90; bias is told − true at departure.

usage: python -m tests.simulator.against_trips TRIPS.csv.gz REGION.osm.pbf [--trips 3000] [--seed 1]
"""

import argparse
import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import httpx

from simulator.report import percentile, table
from simulator.routing import NoWay, Planner
from simulator.technician import Pace
from simulator.traffic import drive
from tests.benchmarks.trips import router_on
from tracker.domain.eta_ranges import learned
from tracker.domain.ways import Basis
from tracker.workshop.trip_files import EARLIER, Row, ends, read

LENGTHS_M = (0, 1000, 1400, 2000, 2800, 4000, 5600, 40_000)
PACES = (0.75, 0.85, 0.92, 1.0, 1.08, 1.2, 1.4)
HOURS = (0, 3, 6, 9, 12, 15, 18, 21, 24)


class Pair(NamedTuple):
    """A trip as planned, as it was, as simulated, and what is told at its departure (low, middle, high), in seconds."""

    later: bool
    local: datetime
    metres: float
    pace: float
    planned_s: float
    real_s: float
    driven_s: float
    told: tuple[float, float, float]


async def pairs(trips: Path, region: Path, number: int, seed: int) -> list[Pair]:
    """A sample of the trips, each beside its simulated drive."""
    rows = [row for row in read(trips) if row.line.get("in_roads") == "1"]
    cut, found = int(len(rows) * EARLIER), []
    async with router_on(region) as server, httpx.AsyncClient(trust_env=False, timeout=10) as client:
        planner = Planner(client, server.url)
        for i in sorted(random.Random(seed).sample(range(len(rows)), min(number, len(rows)))):
            try:
                found.append(await _pair(planner, rows[i], i >= cut, random.Random(f"{seed}/{i}")))
            except (NoWay, ValueError):
                continue
    return found


async def _pair(planner: Planner, row: Row, later: bool, rng: random.Random) -> Pair:
    way, known = await planner.way(*ends(row.line)), learned()
    driven = drive(way, rng, datetime.fromisoformat(row.start_utc), haste=rng.uniform(*Pace().haste))
    ranges, planned_s = known.bases[Basis.ROAD], way.times_s[-1]
    low, middle, high = (known.start_s + ratio * planned_s for ratio in ranges.ratios(driven.length_m, planned_s, row.local))
    pace = ranges.pace(driven.length_m, planned_s)
    return Pair(later, row.local, driven.length_m, pace, planned_s, row.duration_s, driven.duration_s, (low, middle, high))


def as_table(found: Sequence[Pair]) -> str:
    """A line for earlier and later trips, and for each class of the later ones."""
    lines: list[tuple[str, Sequence[Pair]]] = [("earlier", [pair for pair in found if not pair.later])]
    later = [pair for pair in found if pair.later]
    lines.append(("later", later))
    lines += _classes(later, "m", LENGTHS_M, lambda pair: pair.metres)
    lines += _classes(later, "of usual speed", PACES, lambda pair: pair.pace)
    lines += _classes(later, "o'clock", HOURS, lambda pair: pair.local.hour)
    head = ("trips", "n", "real", "simulated", "inside: real", "simulated", "bias s: real", "simulated")
    return table([head, *(_row(name, some) for name, some in lines if len(some) >= 20)])


def _classes(
    found: Sequence[Pair], unit: str, cuts: Sequence[float], of: Callable[[Pair], float]
) -> list[tuple[str, Sequence[Pair]]]:
    bounds = itertools.pairwise(cuts)
    return [(f"{a:g}–{b:g} {unit}", [pair for pair in found if a <= of(pair) < b]) for a, b in bounds]


def _row(name: str, some: Sequence[Pair]) -> tuple[str, ...]:
    kinds = [[pair.real_s for pair in some], [pair.driven_s for pair in some]]
    plans, told = [pair.planned_s for pair in some], [pair.told for pair in some]
    ratios = [_three([s / plan for s, plan in zip(kind, plans, strict=True)]) for kind in kinds]
    inside = [mean(low <= s <= high for s, (low, _, high) in zip(kind, told, strict=True)) for kind in kinds]
    bias = [mean(middle - s for s, (_, middle, _) in zip(kind, told, strict=True)) for kind in kinds]
    return name, str(len(some)), *ratios, *(f"{share:.0%}" for share in inside), *(f"{s:+.0f}" for s in bias)


def _three(ratios: list[float]) -> str:
    return " ".join(f"{percentile(ratios, share):.2f}" for share in (0.1, 0.5, 0.9))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trips", type=Path)
    parser.add_argument("region", type=Path)
    parser.add_argument("--trips", type=int, default=3000, dest="number")
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args()
    print(as_table(asyncio.run(pairs(wish.trips, wish.region, wish.number, wish.seed))))


if __name__ == "__main__":
    main()
