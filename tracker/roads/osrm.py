"""Asks an OSRM server (HTTP API v1, profile ``driving``) by URL."""

from collections.abc import Sequence

import httpx
import msgspec

from tracker.domain.geo import Point
from tracker.domain.ways import Basis
from tracker.errors import NoRoute, RouterUnavailable
from tracker.roads.answers import read_route
from tracker.roads.asking import once_more
from tracker.roads.client import client
from tracker.roads.pieces import in_pieces
from tracker.roads.router import Hop, Route

_ROUTE_S, _MATRIX_S = 2.0, 8.0
_REACH_M = 1000
"""A place farther from any road is not on this map."""
_MOST_PLACES = 100
"""osrm-routed's default --max-table-size."""
_TURN_DEG = 60
_NO_WAY = {"NoRoute", "NoSegment", "NoTable"}


class _Table(msgspec.Struct):
    durations: list[list[float | None]]
    distances: list[list[float | None]]


class _Failure(msgspec.Struct):
    code: str = ""


class OsrmRouter:
    """A client of one OSRM server at ``address``. Its API is GET only: keep positions out of that server's access log."""

    name = "osrm"
    ready = True

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._client = client()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        """See `Router.route`. A heading no road there allows is given up."""
        question = {"overview": "full", "geometries": "polyline6", "steps": "true", "annotations": "duration"}
        if heading is not None:
            try:
                return await self._route([start, end], question | {"bearings": f"{round(heading) % 360},{_TURN_DEG};"})
            except NoRoute:
                pass
        return await self._route([start, end], question)

    async def matrix(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        """See `Router.matrix`."""
        return await in_pieces(self._table, sources, targets, lambda a, b: a + b <= _MOST_PLACES)

    async def _route(self, places: Sequence[Point], question: dict[str, str]) -> Route:
        body = await self._ask("route", places, question, _ROUTE_S)
        try:
            return read_route(body, self.name)
        except (msgspec.DecodeError, ValueError) as error:
            raise RouterUnavailable from error

    async def _table(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[Hop | None]]:
        places, first = [*sources, *targets], len(sources)
        question = {
            "sources": ";".join(str(i) for i in range(first)),
            "destinations": ";".join(str(i) for i in range(first, len(places))),
            "annotations": "duration,distance",
        }
        body = await self._ask("table", places, question, _MATRIX_S)
        try:
            table = msgspec.json.decode(body, type=_Table)
        except msgspec.DecodeError as error:
            raise RouterUnavailable from error
        pairs = zip(table.durations, table.distances, strict=True)
        return [[_hop(s, m) for s, m in zip(seconds, metres, strict=True)] for seconds, metres in pairs]

    async def _ask(self, service: str, places: Sequence[Point], question: dict[str, str], patience_s: float) -> bytes:
        # OSRM writes longitude first.
        path = ";".join(f"{p.lon:.6f},{p.lat:.6f}" for p in places)
        question = question | {"radiuses": ";".join([str(_REACH_M)] * len(places))}
        try:
            answer = await once_more(
                lambda: self._client.get(f"{self._address}/{service}/v1/driving/{path}", params=question, timeout=patience_s)
            )
        except httpx.HTTPError as error:
            raise RouterUnavailable from error
        if answer.status_code == httpx.codes.OK:
            return answer.content
        if answer.status_code == httpx.codes.BAD_REQUEST and _code(answer.content) in _NO_WAY:
            raise NoRoute
        raise RouterUnavailable(status=answer.status_code)


def _hop(seconds: float | None, metres: float | None) -> Hop | None:
    return None if seconds is None or metres is None else Hop(seconds, metres, Basis.ROAD)


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Failure).code
    except msgspec.DecodeError:
        return ""
