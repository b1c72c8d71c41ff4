"""What a measurement yields, and how one is taken: by turns (service, floor, service …), a ratio for each pair."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

import msgspec

from tests.benchmarks.rig import quiet


class Result(msgspec.Struct):
    """One line of the table.

    ``pairs``: the ratio service / floor of each pair (none: an absolute figure, promised nowhere); ``better``: "more" or
    "less" than ``reach`` is wanted. ``failed``: why there is no figure.
    """

    id: str
    what: str
    pairs: list[float]
    reach: float | None
    better: str
    service: str
    floor: str
    note: str = ""
    failed: str = ""

    @property
    def ratio(self) -> float | None:
        """The median of the pairs."""
        return median(self.pairs) if self.pairs else None

    @property
    def reached(self) -> bool | None:
        if self.ratio is None or self.reach is None:
            return None
        return self.ratio >= self.reach if self.better == "more" else self.ratio <= self.reach


@dataclass(frozen=True, slots=True)
class Size:
    """How large and how long; the short form proves the machinery only."""

    pairs: int = 5
    seconds: float = 2.0
    warm_s: float = 2.0
    crowd: int = 1000
    ingest: int = 500
    calm: int = 200
    rates: tuple[int, ...] = (1000, 2000, 5000)
    fan_out_hz: float = 10.0
    grown: tuple[int, int] = (1_000, 100_000)
    trips: int = 60
    bookable: tuple[int, int] = (100, 10_000)


type Run = Callable[[], Awaitable[float]]


async def by_turns(pairs: int, *runs: Run) -> list[list[float]]:
    """Run each in turn, so often, with no garbage collection of the load's own; the figures of each."""
    figures: list[list[float]] = [[] for _ in runs]
    for _ in range(pairs):
        for kept, run in zip(figures, runs, strict=True):
            with quiet():
                kept.append(await run())
            await asyncio.sleep(0)
    return figures


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Service / floor, pair by pair."""
    return [round(a / b, 4) for a, b in zip(ours, theirs, strict=True)]
