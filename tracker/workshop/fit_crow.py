"""Prints the numbers of tracker/domain/crow.py from a folder of trips, each a row of a ``*.csv.gz``.

The columns read are o_lat, o_lon, d_lat, d_lon, duration_s and driven_m.

usage: python -m tracker.workshop.fit_crow FOLDER
"""

import csv
import gzip
import statistics
import sys
from math import exp, log
from pathlib import Path

from tracker.domain.geo import Point, distance_m


def main(folder: Path) -> None:
    """One line a file, and the mean of all files: the logarithm of the factor and the power, each file weighing the same."""
    fits = []
    for file in sorted(folder.glob("*.csv.gz")):
        with gzip.open(file, "rt") as lines:
            trips = [trip(row) for row in csv.DictReader(lines)]
        slope, start = statistics.linear_regression([log(t[0]) for t in trips], [log(t[1]) for t in trips])
        detour = statistics.median(t[2] / t[0] for t in trips)
        fits.append((start, slope))
        print(f"{file.name}: {len(trips)} trips, detour {detour:.2f}, seconds = {exp(start):.2f} · metres^{slope:.3f}")
    start, slope = (statistics.mean(column) for column in zip(*fits, strict=True))
    print(f"all: seconds = {exp(start):.2f} · metres^{slope:.3f}")


def trip(row: dict[str, str]) -> tuple[float, float, float]:
    """(great circle in metres, seconds, metres driven) of one line."""
    start, end = Point(float(row["o_lat"]), float(row["o_lon"])), Point(float(row["d_lat"]), float(row["d_lon"]))
    return distance_m(start, end), float(row["duration_s"]), float(row["driven_m"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
