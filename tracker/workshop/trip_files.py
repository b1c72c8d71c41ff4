"""Files of finished trips, one a line, as `learn_eta_ranges` describes them: earlier trips to learn from, later ones to tell."""

import csv
import gzip
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tracker.domain.eta_learning import Trip, under_way
from tracker.domain.geo import Point, distance_m
from tracker.domain.ways import Basis
from tracker.roads.router import Hop

EARLIER = 0.6
"""Share of a file's trips, in the order of time, that is learned from."""


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
