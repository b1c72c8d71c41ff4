"""How well ranges tell the later trips of a file, beside a simple table: the figures that `learn_eta_ranges` prints."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

from tracker.domain.eta_learning import quantiles
from tracker.domain.eta_ranges import Ranges
from tracker.workshop.trip_files import Case, Row

SHORTER_THAN_M = (800, 1200, 1700, 2300, 3000, 4000, 6000, 9000, 15000)
"""Distance classes of the simple table that ours is measured against."""


class Told(NamedTuple):
    """What was said of the later trips: mean absolute error and width in seconds,
    shares of arrivals inside, before, after; bias: told − true."""

    mae_s: float
    width_s: float
    inside: float
    early: float
    late: float
    bias_s: float


def told(said: Sequence[tuple[float, float, float]], actual: Sequence[float]) -> Told:
    """The figures of (low, middle, high) predictions."""
    early = mean(a < low for (low, _, _), a in zip(said, actual, strict=True))
    late = mean(a > high for (_, _, high), a in zip(said, actual, strict=True))
    mae = mean(abs(middle - a) for (_, middle, _), a in zip(said, actual, strict=True))
    bias = mean(middle - a for (_, middle, _), a in zip(said, actual, strict=True))
    return Told(mae, mean(high - low for low, _, high in said), 1 - early - late, early, late, bias)


def report(title: str, c: Case, ranges: Ranges, start: float, against: Told) -> Told:
    """One line: ours, and as a ratio to the simple table."""
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
    return found


def verdict(told_there: Sequence[tuple[Case, Told, Told]]) -> str:
    """What is told where each file's trips are: S14 (error at departure) and S15 (the range), and whether they hold."""
    lines = ["S14 error / simple table's (≤ 0.95); S15 inside low–high (78–88 %), width / simple table's (≤ 1.0); later trips:"]
    for c, ours, simple in told_there:
        error, width = ours.mae_s / simple.mae_s, ours.width_s / simple.width_s
        s14, s15 = error <= 0.95, 0.78 <= ours.inside <= 0.88 and width <= 1.0
        lines.append(
            f"  {f'{c.name} ({c.basis}, {len(c.later)})':<40} S14 {error:.3f} {'holds' if s14 else 'MISSED'}   "
            f"S15 {ours.inside:.1%} {width:.3f} {'holds' if s15 else 'MISSED'}   "
            f"error {ours.mae_s:.0f} s, bias {ours.bias_s:+.0f} s, width {ours.width_s:.0f} s"
        )
    return "\n".join(lines)


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
