"""A small town that does not exist, as an OpenStreetMap extract: a grid of streets, a one-way pair, an island."""

from pathlib import Path

import osmium
from osmium.osm import mutable

from tracker.domain.geo import Point, moved

SOUTH_WEST = Point(1.0, 1.0)
BLOCK_M, SIDE = 120.0, 12
"""12 × 12 crossings, 120 m apart."""
FAR_ISLAND_M = 2600.0


def crossing(column: int, row: int) -> Point:
    """The place of a crossing, counted from the south-west."""
    return moved(moved(SOUTH_WEST, 90, column * BLOCK_M), 0, row * BLOCK_M)


def write_town(file: Path) -> Path:
    """Streets along every row and column; row 5 is a primary road, row 3 leads east only. The island has its own grid."""
    with osmium.SimpleWriter(str(file), overwrite=True) as writer:
        blocks = ((0, SOUTH_WEST, SIDE), (100_000, moved(SOUTH_WEST, 90, FAR_ISLAND_M), 8))
        for base, origin, side in blocks:
            for column in range(side):
                for row in range(side):
                    place = moved(moved(origin, 90, column * BLOCK_M), 0, row * BLOCK_M)
                    writer.add_node(mutable.Node(id=base + _id(column, row), location=(place.lon, place.lat), version=1))
        for base, _, side in blocks:
            for line in range(side):
                across = [base + _id(column, line) for column in range(side)]
                along = [base + _id(line, row) for row in range(side)]
                writer.add_way(mutable.Way(id=base + 1 + 2 * line, nodes=across, version=1, tags=_tags(line)))
                writer.add_way(mutable.Way(id=base + 2 + 2 * line, nodes=along, version=1, tags=_tags(None)))
    return file


def _id(column: int, row: int) -> int:
    return 1 + column * 100 + row


def _tags(row: int | None) -> dict[str, str]:
    if row == 5:
        return {"highway": "primary", "name": "Fifth Street", "maxspeed": "60"}
    if row == 3:
        return {"highway": "residential", "name": "Third Street", "oneway": "yes"}
    return {"highway": "residential", "name": f"{row} Street" if row is not None else "Avenue"}
