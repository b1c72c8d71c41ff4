"""Makes tracker/domain/eta_ranges.json out of real trips, and prints how well it tells the later ones.

TRIPS is a folder of ``*.csv.gz``, one trip a line, with the columns trip_id, start_utc, start_local, o_lat, o_lon, d_lat,
d_lon, duration_s and, where a road network covers some of them, in_roads. With --region those are routed on that extract
by Valhalla (about 10 ms each) and make the basis "road"; all trips make the basis "distance". Each file learns from the
earlier 60 % of its trips; the figures are about the later 40 %. Files weigh the same, however many trips they have.

usage: python -m tracker.workshop.learn_eta_ranges TRIPS [--region EXTRACT.osm.pbf] [--write]
"""

import argparse
import asyncio
import csv
import gzip
import tempfile
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import msgspec

from tracker.domain.eta_learning import Trip, learn, quantiles, start_s, under_way
from tracker.domain.eta_ranges import Learned, Ranges, learned
from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import Basis
from tracker.roads.build import build
from tracker.roads.distance import hop
from tracker.roads.router import Hop
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter

TABLE = Path(__file__).parent.parent / "tracker" / "domain" / "eta_ranges.json"
EARLIER = 0.6
SHORTER_THAN_M = (800, 1200, 1700, 2300, 3000, 4000, 6000, 9000, 15000)
"""Distance classes of the simple table that ours is measured against."""


class Row(NamedTuple):
    """A line of a file, in the order of time."""

    start_utc: str
    trip_id: str
    local: datetime
    crow_m: float
    duration_s: float
    line: dict[str, str]

    def trip(self, plan: Hop) -> Trip:
        """As `learn` takes it."""
        hour = self.local.hour + self.local.minute / 60
        return Trip(plan.length_m, plan.duration_s, self.duration_s, hour, self.local.weekday() >= 5)


class Case(NamedTuple):
    """One file on one basis: earlier and later rows, each with its plan."""

    name: str
    basis: Basis
    earlier: list[tuple[Row, Trip]]
    later: list[tuple[Row, Trip]]

    def lessons(self, start: float) -> list[Trip]:
        """The earlier trips without their start, weighing 1 together."""
        return [under_way(trip, start)._replace(weight=1 / len(self.earlier)) for _, trip in self.earlier]


def main(folder: Path, region: Path | None, write: bool) -> None:
    """Learn, print, and with ``write`` put the table in its place."""
    cases = []
    for file in sorted(folder.glob("*.csv.gz")):
        rows = read(file)
        by_distance = {row.trip_id: hop(*ends(row.line)) for row in rows}
        cases.append(case(file.name, Basis.DISTANCE, rows, by_distance))
        covered = [row for row in rows if row.line.get("in_roads") == "1"]
        if region and covered:
            cases.append(case(file.name, Basis.ROAD, covered, asyncio.run(routed(covered, region))))
    by_road = [trip for c in cases if c.basis is Basis.ROAD for trip in c.lessons(0.0)]
    start = start_s(by_road) if by_road else learned().start_s
    print(f"a start takes {start:.0f} s")
    kinds = sorted({c.basis for c in cases})
    bases = {kind: learn([trip for c in cases if c.basis is kind for trip in c.lessons(start)]) for kind in kinds}
    for c in cases:
        against = simple_table(c)
        print(f"{c.name}, basis {c.basis}: {len(c.earlier)} trips learned from, {len(c.later)} later ones told")
        report("  this file alone", c, learn(c.lessons(start)), start, against)
        report("  the common table", c, bases[c.basis], start, against)
    if write:
        table = Learned(tuple(f"{c.name} ({c.basis}, {len(c.earlier)} trips)" for c in cases), start, bases)
        TABLE.write_bytes(msgspec.json.format(msgspec.json.encode(rounded(table)), indent=1) + b"\n")
        print(f"wrote {TABLE.name}")


def read(file: Path) -> list[Row]:
    """All trips of a file in the order they began."""
    with gzip.open(file, "rt") as lines:
        found = [
            Row(
                line["start_utc"],
                line["trip_id"],
                datetime.fromisoformat(line["start_local"]),
                distance_m(*ends(line)),
                float(line["duration_s"]),
                line,
            )
            for line in csv.DictReader(lines)
        ]
    return sorted(found, key=lambda row: row.start_utc)


def ends(line: dict[str, str]) -> tuple[Point, Point]:
    """Origin and destination."""
    return Point(float(line["o_lat"]), float(line["o_lon"])), Point(float(line["d_lat"]), float(line["d_lon"]))


def case(name: str, basis: Basis, rows: Sequence[Row], hops: dict[str, Hop]) -> Case:
    """Split in time; what cannot be routed is left out of both parts."""
    known = [(row, row.trip(hops[row.trip_id])) for row in rows if row.trip_id in hops]
    cut = int(len(known) * EARLIER)
    return Case(name, basis, known[:cut], known[cut:])


async def routed(rows: Iterable[Row], region: Path) -> dict[str, Hop]:
    """The plan of each trip by a Valhalla of its own, two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "region"
        await asyncio.to_thread(build, region, into, datetime.now(UTC))
        server = EmbeddedValhalla(into, Path(folder) / "state", threads=2)
        await server.start(60)
        router = ValhallaRouter(lambda: server.url)
        gate = asyncio.Semaphore(2)

        async def one(row: Row) -> tuple[str, Hop]:
            async with gate:
                route = await router.route(*ends(row.line))
            return row.trip_id, Hop(route.duration_s, route.length_m, route.basis)

        try:
            return dict(await asyncio.gather(*map(one, rows)))
        finally:
            await router.close()
            await server.stop()


# -- the figures -------------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What was said of the later trips: mean absolute error and width in seconds, shares of arrivals inside, before, after."""

    mae_s: float
    width_s: float
    inside: float
    early: float
    late: float


def told(said: Sequence[tuple[float, float, float]], actual: Sequence[float]) -> Told:
    """The figures of (low, middle, high) predictions."""
    early = mean(a < low for (low, _, _), a in zip(said, actual, strict=True))
    late = mean(a > high for (_, _, high), a in zip(said, actual, strict=True))
    mae = mean(abs(middle - a) for (_, middle, _), a in zip(said, actual, strict=True))
    return Told(mae, mean(high - low for low, _, high in said), 1 - early - late, early, late)


def report(title: str, c: Case, ranges: Ranges, start: float, against: Told) -> None:
    """One line: ours, and as a ratio to the simple table (S14, S15)."""
    said = []
    for row, trip in c.later:
        low, middle, high = (start + ratio * trip.planned_s for ratio in ranges.ratios(trip.metres, trip.planned_s, row.local))
        said.append((low, middle, high))
    found = told(said, [row.duration_s for row, _ in c.later])
    raw = mean(abs(trip.planned_s - trip.actual_s) for _, trip in c.later)
    print(
        f"{title}: error {found.mae_s:.0f} s ({found.mae_s / against.mae_s:.3f} of the simple table's {against.mae_s:.0f} s; "
        f"plan alone {raw:.0f} s), inside {found.inside:.1%} (before {found.early:.1%}, after {found.late:.1%}; "
        f"simple {against.inside:.1%}), width {found.width_s:.0f} s ({found.width_s / against.width_s:.3f})"
    )


def simple_table(c: Case) -> Told:
    """Medians and p10–p90 of the earlier trips by distance, three hours of the day, and weekend: what ours must beat."""
    cells: dict[tuple[int, int, bool], list[tuple[float, float]]] = defaultdict(list)
    for row, _ in c.earlier:
        cells[cell(row)].append((row.duration_s, 1.0))
    whole = [(row.duration_s, 1.0) for row, _ in c.earlier]
    shares = (0.1, 0.5, 0.9)
    rows = {key: quantiles(values, shares) for key, values in cells.items()}
    rest = quantiles(whole, shares)
    said = [tuple(rows.get(cell(row), rest)) for row, _ in c.later]
    return told([(low, middle, high) for low, middle, high in said], [row.duration_s for row, _ in c.later])


def cell(row: Row) -> tuple[int, int, bool]:
    """The class of a trip in the simple table."""
    return bisect(SHORTER_THAN_M, row.crow_m), row.local.hour // 3, row.local.weekday() >= 5


def rounded(table: Learned) -> dict[str, object]:
    """The table as plain values, three digits behind the point: more would be noise."""

    def short(value: object) -> object:
        if isinstance(value, float):
            return round(value, 3)
        if isinstance(value, dict):
            return {key: short(inner) for key, inner in sorted(value.items())}
        return [short(inner) for inner in value] if isinstance(value, list | tuple) else value

    return {key: short(value) for key, value in msgspec.to_builtins(table).items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trips", type=Path)
    parser.add_argument("--region", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    main(asked.trips, asked.region, asked.write)
