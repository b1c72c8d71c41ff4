"""A small client of public road routers: Valhalla and OSRM over HTTP, so that planned trips follow real streets."""

import itertools
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

import httpx

from simulator.driving import Way, straight_way
from tracker.domain.geo import Point, decode_polyline6, distance_m


class RouterKind(StrEnum):
    """Which language the router speaks."""

    VALHALLA = "valhalla"
    OSRM = "osrm"


class NoWay(Exception):
    """The router knows no way between the two places, or does not answer."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans a way between two places. Without a URL it is the straight line (and says so in ``by_road``)."""

    client: httpx.AsyncClient
    url: str | None = None
    kind: RouterKind = RouterKind.VALHALLA

    @property
    def by_road(self) -> bool:
        return self.url is not None

    async def way(self, start: Point, end: Point) -> Way:
        """The way by car, with the router's own times. Raises NoWay."""
        if self.url is None:
            return straight_way(start, end)
        try:
            return await (self._valhalla if self.kind is RouterKind.VALHALLA else self._osrm)(self.url.rstrip("/"), start, end)
        except httpx.HTTPError as wrong:
            raise NoWay(f"the router does not answer: {type(wrong).__name__}") from wrong
        except (KeyError, IndexError, ValueError, TypeError) as wrong:
            raise NoWay(f"the router's answer cannot be used: {wrong}") from wrong

    async def _valhalla(self, url: str, start: Point, end: Point) -> Way:
        places = [{"lat": place.lat, "lon": place.lon} for place in (start, end)]
        answer = await self.client.post(f"{url}/route", json={"locations": places, "costing": "auto", "units": "kilometers"})
        if answer.is_error:
            raise NoWay(f"Valhalla answered {answer.status_code}")
        return valhalla_way(answer.json())

    async def _osrm(self, url: str, start: Point, end: Point) -> Way:
        places = f"{start.lon},{start.lat};{end.lon},{end.lat}"
        asked = {"overview": "full", "geometries": "polyline6", "annotations": "duration", "steps": "true"}
        answer = await self.client.get(f"{url}/route/v1/driving/{places}", params=asked)
        if answer.is_error:
            raise NoWay(f"OSRM answered {answer.status_code}")
        return osrm_way(answer.json())


def valhalla_way(answer: dict[str, Any]) -> Way:
    """The way in a Valhalla `/route` answer: each manoeuvre's time is spread over its part of the line by length."""
    leg = answer["trip"]["legs"][0]
    line = decode_polyline6(leg["shape"])
    times = [0.0] * len(line)
    now = 0.0
    for manoeuvre in leg["maneuvers"]:
        first, last = int(manoeuvre["begin_shape_index"]), int(manoeuvre["end_shape_index"])
        now = _spread(line, times, first, last, now, float(manoeuvre["time"]))
    crossings = tuple(int(manoeuvre["begin_shape_index"]) for manoeuvre in leg["maneuvers"][1:-1])
    return _way(line, times, crossings)


def _spread(line: list[Point], times: list[float], first: int, last: int, start_s: float, seconds: float) -> float:
    pieces = [distance_m(a, b) for a, b in itertools.pairwise(line[first : last + 1])]
    whole = sum(pieces) or 1.0
    at = start_s
    for i, metres in enumerate(pieces, first + 1):
        at += seconds * metres / whole
        times[i] = at
    return start_s + seconds if pieces else start_s


def osrm_way(answer: dict[str, Any]) -> Way:
    """The way in an OSRM `/route` answer with annotations: one duration for each piece of the line."""
    route = answer["routes"][0]
    line = decode_polyline6(route["geometry"])
    durations = [float(seconds) for leg in route["legs"] for seconds in leg["annotation"]["duration"]]
    times = list(itertools.accumulate(durations, initial=0.0))
    if len(times) != len(line):
        raise ValueError("a duration is missing for a piece of the line")
    places = {point: i for i, point in reversed(list(enumerate(line)))}
    turns = [
        Point(step["maneuver"]["location"][1], step["maneuver"]["location"][0]) for leg in route["legs"] for step in leg["steps"]
    ]
    crossings = tuple(sorted({places[turn] for turn in turns[1:-1] if turn in places}))
    return _way(line, times, crossings)


def _way(line: list[Point], times: list[float], crossings: tuple[int, ...]) -> Way:
    if len(line) < 2 or not all(map(isfinite, times)):
        raise ValueError("the way has no length")
    return Way(tuple(line), tuple(times), crossings)
