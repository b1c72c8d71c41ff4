"""Travel as the crow flies: how far and how long when no road network is known."""

from tracker.domain.geo import Point, distance_m

DETOUR = 1.3
"""Metres driven for each metre of great circle. Medians of real trips: 1.32 (New York, taximeter), 1.19 (San Francisco)."""

_FACTOR, _POWER = 3.77, 0.631
"""seconds = 3.77 · metres^0.631: short trips are slow, long ones reach faster roads. Least squares on the logarithms of 3,273
New York and 20,000 San Francisco taxi trips of 0.4–40 km, each city weighing the same; tracker/workshop/fit_crow.py prints it."""


def travel_m(start: Point, end: Point) -> float:
    """Metres by road to be expected between two places."""
    return DETOUR * distance_m(start, end)


def travel_s(start: Point, end: Point) -> float:
    """Seconds by car to be expected between two places; never decreasing with the distance, 0 at 0."""
    return float(_FACTOR * distance_m(start, end) ** _POWER)
