"""Asks a Valhalla server: the embedded one or any other by URL."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec

from tracker.domain.geo import Point
from tracker.domain.ways import Basis
from tracker.errors import NoRoute, RouterUnavailable
from tracker.roads.answers import read_route
from tracker.roads.asking import once_more
from tracker.roads.client import client
from tracker.roads.pieces import ask_again, in_pieces
from tracker.roads.router import Hop, Route

_ROUTE_S, _MATRIX_S = 2.0, 8.0
"""Longer is not waited: the server's own time-out is off by default."""
_REACH_M = 1000
"""A place farther from any road is not on this map; Valhalla alone would silently drive to the map's edge, 35 km away."""
_NOISE_M = 15
"""So far beside the start any road may be the right one: taken from a phone's fix, the nearest one is too often a side street.
Measured in Helsinki and San Francisco with σ = 5 m: the jump between two routings 5 s apart fell from 48 and 28 s to 11 and
8 s (p95)."""
_MOST_PAIRS = 2500
"""The server's default limit of a matrix."""
_NO_WAY = {154, 170, 171, 442, 443, 444, 445, "NoRoute", "NoSegment", "DistanceExceeded"}
"""Valhalla's errors, in its own and in OSRM's words, that mean these places and not this request: too far, apart, off the map."""


class _Failure(msgspec.Struct):
    error_code: int = 0
    code: str = ""


class _Cell(msgspec.Struct):
    time: float | None = None
    distance: float | None = None  # kilometres


class _Matrix(msgspec.Struct):
    sources_to_targets: list[list[_Cell]]


_read_matrix = msgspec.json.Decoder(_Matrix).decode
_read_failure = msgspec.json.Decoder(_Failure).decode


class ValhallaRouter:
    """A client of one server. ``address`` is its URL, or a function that says where it is now (None: nowhere)."""

    name = "valhalla"

    def __init__(self, address: str | Callable[[], str | None]) -> None:
        self._address = address if callable(address) else lambda: address
        self._client = client()

    @property
    def ready(self) -> bool:
        """False while nobody says where the server is."""
        return self._address() is not None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        """See `Router.route`; the time at each vertex counts turns."""
        question = {
            "locations": [_place(start, heading) | {"radius": _NOISE_M}, _place(end)],
            "costing": "auto",
            "format": "osrm",
            "shape_format": "polyline6",
            "filters": {"attributes": ["shape_attributes.time"], "action": "include"},
        }
        body = await self._ask("route", question, _ROUTE_S)
        try:
            return read_route(body, self.name)
        except (msgspec.DecodeError, ValueError) as error:
            raise RouterUnavailable from error

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        """See `Router.matrix`. A pair without an answer is asked for as a route: the matrix gives up on some that have one."""
        rows = await in_pieces(self._table, sources, targets, lambda a, b: a * b <= _MOST_PAIRS)
        await ask_again(self, sources, targets, rows)
        return rows

    async def _table(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        places = {"sources": [_place(p) for p in sources], "targets": [_place(p) for p in targets]}
        body = await self._ask("sources_to_targets", {**places, "costing": "auto"}, _MATRIX_S)
        try:
            return [[_hop_of(cell) for cell in row] for row in _read_matrix(body).sources_to_targets]
        except msgspec.DecodeError as error:
            raise RouterUnavailable from error

    async def _ask(self, action: str, question: dict[str, Any], patience_s: float) -> bytes:
        address = self._address()
        if address is None:
            raise RouterUnavailable
        asked = msgspec.json.encode(question)
        try:
            # POST, so that no proxy's log holds positions.
            answer = await once_more(lambda: self._client.post(f"{address}/{action}", content=asked, timeout=patience_s))
        except httpx.HTTPError as error:
            raise RouterUnavailable from error
        if answer.status_code == httpx.codes.OK:
            return answer.content
        if answer.status_code == httpx.codes.BAD_REQUEST and _means_no_way(answer.content):
            raise NoRoute
        raise RouterUnavailable(status=answer.status_code)


def _place(point: Point, heading: float | None = None) -> dict[str, Any]:
    place = {"lat": point.lat, "lon": point.lon, "search_cutoff": _REACH_M}
    return place if heading is None else place | {"heading": round(heading) % 360}


def _hop_of(cell: _Cell) -> Hop | None:
    if cell.time is None or cell.distance is None:
        return None
    return Hop(cell.time, cell.distance * 1000, Basis.ROAD)


def _means_no_way(body: bytes) -> bool:
    try:
        failure = _read_failure(body)
    except msgspec.DecodeError:
        return False
    return failure.error_code in _NO_WAY or failure.code in _NO_WAY
