"""Addresses found by typing (O9): in the index built from the extract, or at a Nominatim or Photon server by URL."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import httpx
import msgspec
import structlog

from tracker.domain.geo import Point
from tracker.roads.addresses import Addresses
from tracker.roads.client import client

MOST = 8
"""Candidates that are offered at most."""
_WAIT_S = 3.0

log = structlog.get_logger()


class Candidate(msgspec.Struct, frozen=True):
    """A place that somebody may have meant. ``exact`` is False where a house number lies between its neighbours."""

    label: str
    lat: float
    lon: float
    exact: bool = True

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(self.lat, self.lon)


class Finder(Protocol):
    """Whatever finds addresses. It never raises: where nothing answers, nothing is found, and the pin is still there."""

    async def find(self, text: str) -> list[Candidate]:
        """Places for what was typed, the best first."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class IndexFinder:
    """The index of a roads folder, read on a thread of its own; empty until `tracker roads build` has run."""

    def __init__(self, index: Addresses) -> None:
        self._index = index
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="addresses")

    async def find(self, text: str) -> list[Candidate]:
        """See `Finder.find`."""
        found = await asyncio.get_running_loop().run_in_executor(self._thread, self._index.find, text, MOST)
        return [Candidate(one.label, one.point.lat, one.point.lon, one.exact) for one in found]

    async def close(self) -> None:
        """Close the index where it was opened: SQLite wants it from that thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._index.close)
        self._thread.shutdown()


class NoFinder:
    """Where nothing was built and nothing is configured."""

    async def find(self, text: str) -> list[Candidate]:
        """Nothing."""
        return []

    async def close(self) -> None:
        """Nothing is held."""


class WebFinder:
    """A Nominatim (``/search``) or Photon (``/api``) server. One question at a time, as the public ones ask for."""

    def __init__(self, address: str, kind: str) -> None:
        self._address, self._kind = address.rstrip("/"), kind
        self._client = client(timeout=_WAIT_S, headers={"User-Agent": "technician-tracker"})
        self._turn = asyncio.Semaphore(1)

    async def find(self, text: str) -> list[Candidate]:
        """See `Finder.find`."""
        path, form = ("/api", {}) if self._kind == "photon" else ("/search", {"format": "jsonv2"})
        try:
            async with asyncio.timeout(2 * _WAIT_S), self._turn:
                answer = await self._client.get(self._address + path, params={"q": text, "limit": str(MOST), **form})
            answer.raise_for_status()
            body = msgspec.json.decode(answer.content)
            return _photon(body) if self._kind == "photon" else _nominatim(body)
        except (httpx.HTTPError, TimeoutError, msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
            log.warning("addresses_unavailable", reason=type(error).__name__)
            return []

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _nominatim(body: Sequence[dict[str, Any]]) -> list[Candidate]:
    return [_candidate(str(one["display_name"]), one["lat"], one["lon"]) for one in body[:MOST]]


def _photon(body: dict[str, Any]) -> list[Candidate]:
    found = []
    for feature in body["features"][:MOST]:
        said, (lon, lat, *_) = feature["properties"], feature["geometry"]["coordinates"]
        street = " ".join(str(said[name]) for name in ("street", "housenumber") if said.get(name)) or str(said.get("name", ""))
        town = " ".join(str(said[name]) for name in ("postcode", "city") if said.get(name))
        found.append(_candidate(", ".join(part for part in (street, town) if part), lat, lon))
    return found


def _candidate(label: str, lat: object, lon: object) -> Candidate:
    one = Candidate(label, float(str(lat)), float(str(lon)))
    if not label or not (-90 <= one.lat <= 90 and -180 <= one.lon <= 180):
        raise ValueError("no place")
    return one


def finder(url: str | None, kind: str, index: Addresses) -> Finder:
    """The finder of this installation: that at ``url`` (``kind`` nominatim or photon), else the index."""
    return WebFinder(url, kind) if url else IndexFinder(index)
