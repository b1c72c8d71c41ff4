"""How long trips really took, measured against their plan: what makes an arrival a range that holds (E3).

The numbers are in ``eta_ranges.json``, made by ``tracker/workshop/learn_eta_ranges.py`` out of real trips; that file names them.
"""

from bisect import bisect_right
from datetime import datetime, tzinfo
from functools import cache
from importlib.resources import files
from math import log

import msgspec

from tracker.domain.eta import Spread
from tracker.domain.geo import Point
from tracker.domain.ways import Basis

AT_THE_END = (1 / 6, 1 / 3, 1 / 2)
LAST_M = 100.0
"""Of what a trip takes besides its driving, so much belongs to its end: finding the house, a place to stop. It goes with the
last metres. How much that is differs: as little as the first for the early end of the range, as much as the last for the late
one. Whole trips, of which the table is made, cannot tell start and end apart; drives seen on their way can (docs/eta.md)."""

type Ratios = tuple[float, float, float]
"""The p10, p50 and p90 of actual / planned seconds once under way."""


class Ranges(msgspec.Struct, frozen=True):
    """What was learned about one basis.

    At each of ``metres`` (rising, by road) stand the three ratios and the plans' usual speed ``mps``; between them they run
    straight over the distance's logarithm, beyond them they stay. A plan faster than usual is believed in part only: the
    ratios grow by (speed / usual) ** ``doubt``, within the ``slowest`` and ``fastest`` share of the usual that was seen.
    ``weekday`` and ``weekend`` have a factor for each full hour of local time.
    """

    metres: tuple[float, ...]
    p10: tuple[float, ...]
    p50: tuple[float, ...]
    p90: tuple[float, ...]
    mps: tuple[float, ...]
    weekday: tuple[float, ...] = (1.0,) * 24
    weekend: tuple[float, ...] = (1.0,) * 24
    doubt: float = 0.0
    slowest: float = 1.0
    fastest: float = 1.0
    trips: int = 0

    def ratios(self, remaining_m: float, remaining_s: float, local: datetime | None) -> Ratios:
        """The ratios for a plan; ``local`` is the wall clock at the vehicle's place (None: as on average)."""
        i, j, share = self._knots(remaining_m)
        low, middle, high = (row[i] + share * (row[j] - row[i]) for row in (self.p10, self.p50, self.p90))
        factor = self.pace(remaining_m, remaining_s) ** self.doubt
        if local is not None:
            factor *= self.hour(local.hour + local.minute / 60, local.weekday() >= 5)
        return low * factor, middle * factor, high * factor

    def pace(self, metres: float, seconds: float) -> float:
        """The speed of a plan as a share of the usual one of such a length, as `haste` holds it."""
        i, j, share = self._knots(metres)
        return self.haste(metres / max(seconds, 1.0) / (self.mps[i] + share * (self.mps[j] - self.mps[i])))

    def haste(self, speed: float) -> float:
        """A plan's speed as a share of the usual one, held inside what was seen."""
        return min(max(speed, self.slowest), self.fastest)

    def hour(self, hour: float, weekend: bool) -> float:
        """The factor of a time of day, 0 ≤ hour < 24."""
        hours = self.weekend if weekend else self.weekday
        full, share = int(hour), hour % 1
        return hours[full] * (1 - share) + hours[(full + 1) % 24] * share

    def _knots(self, metres: float) -> tuple[int, int, float]:
        j = bisect_right(self.metres, metres)
        if j == 0:
            return 0, 0, 0.0
        if j == len(self.metres):
            return j - 1, j - 1, 0.0
        return j - 1, j, log(metres / self.metres[j - 1]) / log(self.metres[j] / self.metres[j - 1])


class Area(msgspec.Struct, frozen=True):
    """What was learned in one place where trips were seen, a box in degrees: better there than the common table."""

    west: float
    south: float
    east: float
    north: float
    bases: dict[Basis, Ranges]

    def holds(self, place: Point) -> bool:
        """True if the place lies in it."""
        return self.south <= place.lat <= self.north and self.west <= place.lon <= self.east


class Learned(msgspec.Struct, frozen=True):
    """The whole file: one table per basis, those of areas by their name, and where they come from.

    ``start_s`` seconds pass besides the driving, however short or long the trip is: most before it is really under way.
    """

    sources: tuple[str, ...]
    start_s: float
    bases: dict[Basis, Ranges]
    areas: dict[str, Area] = {}

    def area_at(self, place: Point) -> str:
        """The name of the area that holds a place, ``""`` outside all."""
        return next((name for name, area in self.areas.items() if area.holds(place)), "")

    def ranges(self, basis: Basis, area: str = "") -> Ranges | None:
        """The table of a basis, the area's own if it has one. None: nothing was learned."""
        own = self.areas[area].bases.get(basis) if area else None
        return own or self.bases.get(basis)


@cache
def learned() -> Learned:
    """The committed tables."""
    return msgspec.json.decode(files("tracker.domain").joinpath("eta_ranges.json").read_bytes(), type=Learned)


def spread_in(zone: tzinfo | None, table: Learned | None = None, area: str = "") -> Spread:
    """What `eta.estimate` asks: the ratios for a plan at a moment, on the wall clock of ``zone`` (None: any hour is as all),
    in an ``area`` of the table (``""``: anywhere).

    Four arrivals in five lie between the first ratio and the last; all are above 0, so no arrival comes before its fix.
    ``standing`` is 1 before the trip is under way, and falls to 0 with the first metres; what belongs to the end stays.
    None for a basis of which nothing was learned. What the position's age adds is `eta.estimate`'s business.
    """
    known = table or learned()

    def spread(remaining_m: float, remaining_s: float, basis: str, now: datetime, standing: float) -> Ratios | None:
        ranges = known.ranges(Basis(basis), area)
        if ranges is None:
            return None
        low, middle, high = ranges.ratios(remaining_m, remaining_s, now.astimezone(zone) if zone else None)
        whole, near = known.start_s / max(remaining_s, 1.0), max(standing, min(1.0, remaining_m / LAST_M))
        early, usual, late = (whole * ((1 - end) * standing + end * near) for end in AT_THE_END)
        return low + early, middle + usual, high + late

    return spread
