"""A technician's time as far as it is known: the shifts, what is promised in them, and the travel between places.

All moments are whole seconds since the epoch.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracker.domain.geo import Point, distance_m
from tracker.domain.shifts import Shift, Span

FASTEST_MPS = 40.0
"""No travel is faster than this along the great circle (144 km/h): the bound by which far technicians are left out."""


class Travel(NamedTuple):
    """A way: seconds, metres and who says so: ``road``, ``distance``, or ``bound`` (it takes at least so long)."""

    s: int
    m: int
    source: str


BOUND = "bound"
HERE = Travel(0, 0, "distance")
"""No travel: nothing is known of where the technician comes from."""

type Lookup = Callable[[Point, Point], Travel]


def bound(start: Point, end: Point) -> Travel:
    """The least travel between two places that any road could give."""
    metres = distance_m(start, end)
    return Travel(int(metres / FASTEST_MPS), int(metres), BOUND)


class Promise(NamedTuple):
    """A stretch of a technician's time that is promised: ``begins`` (leaves for it), ``arrival``, ``ends``.

    ``mendable``: the travel to it may be promised anew. ``hold``: a person's hold, not yet an appointment.
    """

    id: str
    begins: int
    arrival: int
    ends: int
    place: Point
    mendable: bool = True
    hold: bool = False


@dataclass(slots=True)
class Diary:
    """What is known of a technician's time. ``promises`` are put in order of arrival."""

    technician: str
    home: Point | None
    shifts: Sequence[Shift]
    promises: Sequence[Promise] = ()
    _arrivals: list[int] = field(init=False)
    _ends: list[int] = field(init=False)
    _starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.promises = sorted(self.promises, key=lambda promise: (promise.arrival, promise.ends))
        self._arrivals = [promise.arrival for promise in self.promises]
        self._ends, latest = [], 0
        for promise in self.promises:
            latest = max(latest, promise.ends)
            self._ends.append(latest)
        self._starts = [shift.start for shift in self.shifts]

    def with_promises(self, promises: Sequence[Promise]) -> "Diary":
        """The same technician and shifts with other promises."""
        return Diary(self.technician, self.home, self.shifts, promises)

    def shift_at(self, moment: int) -> Shift | None:
        """The shift round a moment."""
        index = bisect_right(self._starts, moment) - 1
        return self.shifts[index] if index >= 0 and moment < self.shifts[index].end else None

    def around(self, arrival: int) -> tuple[Promise | None, int, Promise | None]:
        """The promise before an arrival, when all earlier ones have ended, and the promise after it."""
        index = bisect_left(self._arrivals, arrival)
        before = self.promises[index - 1] if index else None
        after = self.promises[index] if index < len(self.promises) else None
        return before, self._ends[index - 1] if index else 0, after

    def busy_in(self, span: Span) -> int:
        """How many promises arrive within a span: the work of that day."""
        return bisect_left(self._arrivals, span.end) - bisect_left(self._arrivals, span.start)
