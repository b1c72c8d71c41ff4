"""A line on a flat plane, prepared so that a place on it is found quickly: the way of every ping."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from math import cos, hypot, inf, radians, sin, sqrt

from shapely import LineString
from shapely import Point as Spot

from tracker.domain.geo import EARTH_RADIUS_M, Point, decode_polyline6

_BEND_M = 25.0
_ABOUT = cos(radians(60))


class Way:
    """A line on a flat plane, with cumulative metres and seconds at every vertex.

    Plain arrays: 32 bytes a vertex instead of 270, side by side, as a ping finds nothing of its route in the processor's cache.
    """

    __slots__ = ("__dict__", "_east", "_north", "_radius_m", "metres", "origin", "shape", "times")

    def __init__(self, shape: str, times: Sequence[float]) -> None:
        line = decode_polyline6(shape)
        if len(line) < 2 or len(line) != len(times):
            raise ValueError("a route needs two vertices or more, and a time for each")
        self.shape, self.times = shape, array("d", times)
        self.origin = line[0]
        self._radius_m = EARTH_RADIUS_M * cos(radians(self.origin.lat))
        flat = [self.flat(p) for p in line]
        self._east, self._north = array("d", [x for x, _ in flat]), array("d", [y for _, y in flat])
        steps = (hypot(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(flat))
        self.metres = array("d", accumulate(steps, initial=0.0))

    @cached_property
    def line(self) -> list[Point]:
        """The vertices on the globe: only drawing the line needs them."""
        return decode_polyline6(self.shape)

    @cached_property
    def ends(self) -> list[int]:
        """For each vertex where in ``shape`` its text ends."""
        return _vertex_ends(self.shape)

    @cached_property
    def _string(self) -> LineString:
        return LineString(list(zip(self._east, self._north, strict=True)))

    def flat(self, point: Point) -> tuple[float, float]:
        """`geo.flat_m` from the origin of this way."""
        dlon = point.lon - self.origin.lon
        if not -180 <= dlon <= 180:
            dlon = (dlon + 540) % 360 - 180
        return radians(dlon) * self._radius_m, radians(point.lat - self.origin.lat) * EARTH_RADIUS_M

    @property
    def length_m(self) -> float:
        return self.metres[-1]

    def segment_at(self, along_m: float) -> int:
        """The number of the segment (0 …) on which a place along the line lies."""
        return bisect_right(self.metres, along_m, 1, len(self.metres) - 1) - 1

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """(along, off) in metres of the place on the whole line nearest to a flat point."""
        along = float(self._string.project(Spot(x, y)))
        px, py = self._flat_at(along)
        return along, hypot(x - px, y - py)

    def nearest_between(self, x: float, y: float, low_m: float, high_m: float) -> tuple[float, float]:
        """As ``nearest``, but only on the stretch from low to high. One loop, as this is the way of every ping."""
        best_along, best = 0.0, inf
        east, north, metres = self._east, self._north, self.metres
        first = self.segment_at(low_m)
        ax, ay, start = east[first], north[first], metres[first]
        for i in range(first + 1, len(metres)):
            if start > high_m and best < inf:
                break
            bx, by, end = east[i], north[i], metres[i]
            dx, dy, step = bx - ax, by - ay, end - start
            share = 0.0  # as for two vertices in one place
            if step:
                share = ((x - ax) * dx + (y - ay) * dy) / (step * step)
                low = (low_m - start) / step if low_m > start else 0.0
                share = 1.0 if share > 1.0 else low if share < low else share
            square = (x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2
            if square < best:
                best_along, best = start + share * step, square
            ax, ay, start = bx, by, end
        return best_along, sqrt(best)

    def seconds_at(self, along_m: float) -> float:
        """Seconds since the start at a place along the line."""
        i = self.segment_at(along_m)
        step = self.metres[i + 1] - self.metres[i]
        share = (along_m - self.metres[i]) / step if step else 1.0
        return self.times[i] + share * (self.times[i + 1] - self.times[i])

    def leads_elsewhere(self, along_m: float, course: float) -> bool:
        """True if neither here nor a little before or after it the line runs about that way: no bend explains the course."""
        east, north = sin(radians(course)), cos(radians(course))
        for aside in (0.0, _BEND_M, -_BEND_M):
            i = self.segment_at(along_m + aside)
            dx, dy = self._east[i + 1] - self._east[i], self._north[i + 1] - self._north[i]
            if dx * east + dy * north >= _ABOUT * (self.metres[i + 1] - self.metres[i]):
                return False
        return True

    def _flat_at(self, along_m: float) -> tuple[float, float]:
        i = self.segment_at(along_m)
        step = self.metres[i + 1] - self.metres[i]
        share = (along_m - self.metres[i]) / step if step else 0.0
        east, north = self._east, self._north
        return east[i] + share * (east[i + 1] - east[i]), north[i] + share * (north[i + 1] - north[i])


def _vertex_ends(shape: str) -> list[int]:
    """For each vertex the index in the text just after its two numbers (a number ends with a character below 0x5f)."""
    ends = [i + 1 for i, char in enumerate(shape) if ord(char) - 63 < 0x20]
    return ends[1::2]
