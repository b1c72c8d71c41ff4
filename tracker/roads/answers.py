"""Reads OSRM's JSON, which Valhalla speaks too: a route with the time at every vertex."""

from collections.abc import Sequence
from itertools import accumulate

import msgspec

from tracker.domain.geo import Point, decode_polyline6
from tracker.domain.ways import Basis
from tracker.errors import NoRoute
from tracker.roads.router import Route


class Crossing(msgspec.Struct):
    """An intersection; the two fields are Valhalla's, OSRM leaves them out."""

    geometry_index: int = 0
    turn_duration: float = 0.0


class Step(msgspec.Struct):
    """A stretch between two manoeuvres; ``duration`` holds its turns too."""

    duration: float
    geometry: str = ""
    intersections: list[Crossing] = []


class Annotation(msgspec.Struct):
    """Seconds for each segment of the line, without turns."""

    duration: list[float]


class Leg(msgspec.Struct):
    steps: list[Step]
    annotation: Annotation


class Way(msgspec.Struct):
    duration: float
    distance: float
    geometry: str
    legs: list[Leg]


class Answer(msgspec.Struct):
    """The whole; ``code`` is ``Ok`` or why not."""

    code: str = "Ok"
    routes: list[Way] = []


_decode = msgspec.json.Decoder(Answer).decode


def read_route(body: bytes, source: str) -> Route:
    """The first route of an answer. Raises NoRoute if there is none, msgspec.DecodeError or ValueError if it makes no sense."""
    answer = _decode(body)
    if not answer.routes:
        raise NoRoute
    way = answer.routes[0]
    line = decode_polyline6(way.geometry)
    seconds = list(way.legs[0].annotation.duration)
    if len(line) == 1 or not seconds:
        return _standing(line[0], source)
    if len(seconds) != len(line) - 1:
        raise ValueError("the times do not fit the line")
    for segment, turn_s in _turns(way.legs[0].steps, seconds):
        seconds[segment] += turn_s
    return Route(tuple(line), _cumulative(seconds, way.duration), way.distance, way.duration, Basis.ROAD, source)


def _standing(place: Point, source: str) -> Route:
    return Route((place, place), (0.0, 0.0), 0.0, 0.0, Basis.ROAD, source)


def _turns(steps: Sequence[Step], seconds: Sequence[float]) -> list[tuple[int, float]]:
    """(segment, seconds) of every turn: on the segment it leads into, so that one who waits before it still has it ahead."""
    if any(crossing.turn_duration for step in steps for crossing in step.intersections):
        last = len(seconds) - 1
        return [(min(c.geometry_index, last), c.turn_duration) for step in steps for c in step.intersections if c.turn_duration]
    turns, begin = [], 0
    for step in steps:
        end = begin + max(0, len(decode_polyline6(step.geometry)) - 1)
        # OSRM: a step's duration counts the turn at its end, its segments do not.
        if (turn_s := step.duration - sum(seconds[begin:end])) > 0 and end < len(seconds):
            turns.append((end, turn_s))
        begin = end
    return turns


def _cumulative(seconds: Sequence[float], whole_s: float) -> tuple[float, ...]:
    """Running sum, stretched by the little that rounding left, so that it ends at the router's own duration."""
    times = list(accumulate(seconds, initial=0.0))
    scale = whole_s / times[-1] if times[-1] > 0 else 0.0
    return tuple(t * scale for t in times)
