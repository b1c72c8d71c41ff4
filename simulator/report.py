"""What a run came to (R5): pings, latency, arrival estimates, broken promises; as JSON and as a plain table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import fmean, median
from typing import Any

import msgspec

from simulator.phones.base import Counts
from simulator.witness import EtaShown, Witness

MOMENTS = ("start", "half", "5 min before")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie, between the two nearest ones in proportion (NumPy's `linear`)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass(frozen=True, slots=True)
class Spread:
    """Some times in milliseconds: how many, and percentiles."""

    count: int
    p50: float
    p90: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread | None":
        """None without any value: nothing was measured, which is not zero."""
        if not seconds:
            return None
        p50, p90, p99 = (round(1000 * percentile(seconds, share), 2) for share in (0.5, 0.9, 0.99))
        return cls(len(seconds), p50, p90, p99, round(1000 * max(seconds), 2))


@dataclass(frozen=True, slots=True)
class EtaAt:
    """Estimates at one moment of the trips: the mean error in seconds, with and without its sign, and how many ranges held."""

    trips: int
    error_s: float
    bias_s: float
    held: float


@dataclass(frozen=True, slots=True)
class EtaScore:
    """All estimates of one basis: at three moments, and over everything shown (share of ranges that held, median width)."""

    shown: int
    coverage: float
    width_s: float
    moments: dict[str, EtaAt]


def moments_of(witness: Witness) -> dict[str, EtaShown]:
    """The estimate a viewer saw at the start, at half time and five minutes before the true arrival (if the trip was so long)."""
    if witness.left_at is None or witness.arrived_at is None:
        return {}
    trip = [eta for eta in witness.etas if witness.left_at <= eta.shown_at <= witness.arrived_at]
    half = witness.left_at + (witness.arrived_at - witness.left_at) / 2
    late = witness.arrived_at - timedelta(minutes=5)
    out = {"start": trip[0]} if trip else {}
    for name, when in (("half", half), ("5 min before", late)):
        before = [eta for eta in trip if eta.shown_at <= when]
        if before:
            out[name] = before[-1]
    return out


def score_etas(witnesses: Iterable[Witness]) -> dict[str, EtaScore]:
    """By basis (road, distance, booked). Only trips that were seen from the beginning to the arrival count."""
    trips = [witness for witness in witnesses if witness.left_at and witness.arrived_at]
    pairs = [(eta, trip) for trip in trips for eta in trip.etas if trip.arrived_at and eta.shown_at <= trip.arrived_at]
    return {basis: _score(basis, trips, pairs) for basis in sorted({eta.basis for eta, _ in pairs})}


def _score(basis: str, trips: Sequence[Witness], pairs: Sequence[tuple[EtaShown, Witness]]) -> EtaScore:
    mine = [(eta, trip) for eta, trip in pairs if eta.basis == basis]
    at: dict[str, EtaAt] = {}
    for name in MOMENTS:
        there = [(moments_of(trip).get(name), trip) for trip in trips]
        found = [(eta, trip) for eta, trip in there if eta is not None and eta.basis == basis]
        if found:
            errors = [_error_s(eta, trip) for eta, trip in found]
            at[name] = EtaAt(len(found), round(fmean(map(abs, errors)), 1), round(fmean(errors), 1), _held(found))
    width = median((eta.high - eta.low).total_seconds() for eta, _ in mine)
    return EtaScore(len(mine), _held(mine), round(width, 1), at)


def _error_s(eta: EtaShown, trip: Witness) -> float:
    return (eta.at - trip.arrived_at).total_seconds() if trip.arrived_at else 0.0


def _held(found: Sequence[tuple[EtaShown, Witness]]) -> float:
    held = sum(bool(trip.arrived_at and eta.low <= trip.arrived_at <= eta.high) for eta, trip in found)
    return round(held / len(found), 3)


@dataclass(frozen=True, slots=True)
class Report:
    """One run. ``settled``: no phone holds anything any more. ``broken``: promises that a viewer saw broken, in words."""

    phones: Counts
    settled: bool
    latency: Spread | None = None
    polled: Spread | None = None
    viewers: int = 0
    connections: int = 0
    frames: dict[str, int] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    etas: dict[str, EtaScore] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Everything acked, nothing lost, no promise broken."""
        return self.settled and not self.phones.lost and not self.broken

    def as_json(self) -> bytes:
        """The report as one JSON object, indented."""
        return msgspec.json.format(msgspec.json.encode({"good": self.good, **msgspec.to_builtins(self)}), indent=2)

    def as_table(self) -> str:
        """The report for people."""
        return table([("what", "figure"), *_rows(self)])


def _rows(report: Report) -> list[tuple[str, str]]:
    phones = report.phones
    rows = [(name, str(getattr(phones, name))) for name in ("said", "sent", "resent", "acked", "lost")]
    rows += [(f"refused: {rule}", str(number)) for rule, number in sorted(phones.refused.items())]
    rows += [(f"trouble: {name}", str(number)) for name, number in sorted(phones.trouble.items())]
    rows.append(("nothing held any more", "yes" if report.settled else "NO"))
    if report.viewers:
        rows += [("viewers", str(report.viewers)), ("their connections", str(report.connections))]
        rows += [(f"frames: {name}", str(number)) for name, number in sorted(report.frames.items())]
        rows.append(("broken promises", "; ".join(report.broken) or "none"))
    for name, spread in (("ping → viewer, ms", report.latency), ("ping → polling viewer, ms", report.polled)):
        if spread is not None:
            rows.append((name, f"p50 {spread.p50}  p90 {spread.p90}  p99 {spread.p99}  max {spread.longest}  (n {spread.count})"))
    for basis, score in report.etas.items():
        rows.append(
            (f"arrival by {basis}", f"{score.shown} shown, {score.coverage:.0%} inside low–high, width {score.width_s:.0f} s")
        )
        rows += [(f"  {name}", _eta_text(at)) for name, at in score.moments.items()]
    return rows


def _eta_text(at: EtaAt) -> str:
    return f"error {at.error_s:.0f} s, bias {at.bias_s:+.0f} s, inside {at.held:.0%} ({at.trips} trips)"


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as aligned columns; the first one is the head."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def merged(counts: Iterable[Counts]) -> Counts:
    """Several phones' counts as one."""
    total = Counts()
    for one in counts:
        total.add(one)
    return total
