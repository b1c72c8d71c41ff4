"""Makes tracker/domain/eta_ranges.json out of real trips, and prints how well it tells the later ones.

TRIPS is a folder of ``*.csv.gz``, one trip a line, with the columns trip_id, start_utc, start_local, o_lat, o_lon, d_lat,
d_lon, duration_s and, where a road network covers some of them, in_roads. With --region those are routed on that extract
by Valhalla (about 10 ms each) and make the basis "road"; all trips make the basis "distance". Where several files speak for a
basis, each also makes the table of its own area. Each file learns from the
earlier 60 % of its trips; the figures are about the later 40 %. Files weigh the same, however many trips they have.

usage: python -m tracker.workshop.learn_eta_ranges TRIPS [--region EXTRACT.osm.pbf] [--write]
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tracker.domain.eta_learning import learn, quantiles, start_s
from tracker.domain.eta_ranges import Area, Learned, learned
from tracker.domain.geo import Point
from tracker.domain.ways import Basis
from tracker.roads.build import build
from tracker.roads.distance import hop
from tracker.roads.router import Hop
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter
from tracker.workshop.eta_figures import report, simple_table, verdict
from tracker.workshop.trip_files import Case, Row, case, ends, read

TABLE = Path(__file__).parent.parent / "domain" / "eta_ranges.json"


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
    areas = own_areas(cases, start)
    told_there = []
    for c in cases:
        against, name = simple_table(c), area_name(c)
        own = areas[name].bases.get(c.basis) if name in areas else None
        print(f"{c.name}, basis {c.basis}: {len(c.earlier)} trips learned from, {len(c.later)} later ones told")
        found = report("  the common table", c, bases[c.basis], start, against)
        if own:
            found = report("  the area's own table", c, own, start, against)
        told_there.append((c, found, against))
    print(verdict(told_there))
    if write:
        table = Learned(tuple(f"{c.name} ({c.basis}, {len(c.earlier)} trips)" for c in cases), start, bases, areas)
        TABLE.write_bytes(msgspec.json.format(msgspec.json.encode(rounded(table)), indent=1) + b"\n")
        print(f"wrote {TABLE.name}")


def own_areas(cases: Sequence[Case], start: float) -> dict[str, Area]:
    """An area for each file that does not speak for a basis alone: there the common table would be its own."""
    shared = {c.basis for c in cases if sum(c.basis is other.basis for other in cases) > 1}
    return {
        area_name(c): Area(*box([spot for row, _ in c.earlier for spot in ends(row.line)]), {c.basis: learn(c.lessons(start))})
        for c in cases
        if c.basis in shared
    }


def area_name(c: Case) -> str:
    """The file's name up to its first dot."""
    return c.name.split(".")[0]


def box(spots: Sequence[Point]) -> tuple[float, float, float, float]:
    """West, south, east and north of where all but a few of the places lie."""
    west, east = quantiles([(spot.lon, 1.0) for spot in spots], (0.002, 0.998))
    south, north = quantiles([(spot.lat, 1.0) for spot in spots], (0.002, 0.998))
    return west, south, east, north


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
