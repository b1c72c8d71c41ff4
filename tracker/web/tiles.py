"""The door of our own street map: `/tiles/{version}/{z}/{x}/{y}` out of one read-only SQLite file.

The version in the address is a hash of the whole map, so a tile can be kept for ever; a rebuilt map is found within a second
without a restart. Tiles are sent as they are stored (gzip). The file is read in a thread: a city's map whole with the first tile
asked for, of a larger one tile by tile, and what is asked for often stays in memory.
"""

import asyncio
import gzip
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from tracker.errors import Unavailable
from tracker.roads.files import BASEMAP
from tracker.web.guard import EVERYBODY, door

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
CREDIT = "© OpenStreetMap contributors"
CREDIT_URL = "https://www.openstreetmap.org/copyright"

MEMORY_BYTES = 16 * 2**20
"""How much of the map one process keeps in memory: all of a city, of a larger map about 3,000 tiles."""

LOOK_AGAIN_S = 1.0
"""How often the file is looked at for a newer map, at most."""

_FOREVER = "public, max-age=31536000, immutable"
_A_MOMENT = "public, max-age=60"

type _Key = tuple[int, int, int]


class Tiles:
    """The map file: opened when it is there, opened anew when it was replaced."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._identity: tuple[int, int, int] | None = None
        self._looked_at = float("-inf")
        self._memory: OrderedDict[_Key, bytes | None] = OrderedDict()
        self._memory_bytes = 0
        self._whole = False  # the memory holds every tile there is
        self._metadata: dict[str, str] = {}

    @property
    def version(self) -> str | None:
        """The hash of the present map; None if no map was built."""
        self._look()
        return self._metadata.get("version")

    def metadata(self) -> dict[str, str]:
        """The MBTiles metadata of the present map; empty if none was built."""
        self._look()
        return self._metadata

    async def tile(self, zoom: int, column: int, row: int) -> bytes | None:
        """A tile as stored (gzip), or None if nothing is there; Unavailable while the map is being replaced."""
        self._look()
        key = (zoom, column, row)
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        if self._identity is None or self._whole:
            return None
        if self._identity[2] <= MEMORY_BYTES:
            return await self._read_whole(key)
        version, blob = await asyncio.to_thread(_read_tile, self.file, key)
        if version != self._metadata["version"]:  # replaced a moment ago
            raise Unavailable
        self._remember(key, blob)
        return blob

    async def _read_whole(self, key: _Key) -> bytes | None:
        version, memory = await asyncio.to_thread(_read_all, self.file)
        if version != self._metadata["version"]:
            raise Unavailable
        if not self._whole:
            self._memory, self._whole = memory, True
        return self._memory.get(key)

    def _remember(self, key: _Key, blob: bytes | None) -> None:
        if key not in self._memory:
            self._memory[key] = blob
            self._memory_bytes += _weight(blob)
        while self._memory_bytes > MEMORY_BYTES:
            _, oldest = self._memory.popitem(last=False)
            self._memory_bytes -= _weight(oldest)

    def _look(self) -> None:
        """Notices a new file; what was in memory belongs to the old one."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_AGAIN_S:
            return
        self._looked_at = now
        try:
            status = self.file.stat()
        except FileNotFoundError:
            identity, found = None, {}
        else:
            identity = (status.st_ino, status.st_mtime_ns, status.st_size)
            found = self._metadata if identity == self._identity else _read_metadata(self.file)
        if identity != self._identity:
            self._memory.clear()
            self._memory_bytes, self._whole = 0, False
            self._identity, self._metadata = identity, found


def _weight(blob: bytes | None) -> int:
    return 200 + len(blob or b"")


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _read_metadata(file: Path) -> dict[str, str]:
    with closing(_open(file)) as db:
        return dict(db.execute("SELECT name, value FROM metadata"))


def _read_all(file: Path) -> tuple[str, OrderedDict[_Key, bytes | None]]:
    with closing(_open(file)) as db:
        (version,) = db.execute("SELECT value FROM metadata WHERE name = 'version'").fetchone()
        rows = db.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles")
        return version, OrderedDict(((zoom, column, 2**zoom - 1 - row), blob) for zoom, column, row, blob in rows)


def _read_tile(file: Path, key: _Key) -> tuple[str, bytes | None]:
    """The version beside the tile: a map put in place since the last look must not be taken for the old one."""
    zoom, column, row = key
    with closing(_open(file)) as db:
        (version,) = db.execute("SELECT value FROM metadata WHERE name = 'version'").fetchone()
        query = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
        found = db.execute(query, (zoom, column, 2**zoom - 1 - row)).fetchone()
    return version, found[0] if found else None


@dataclass(frozen=True, slots=True)
class StreetMap:
    """What pages need to know of the street map: our own tiles, or an external XYZ server when one is configured."""

    tiles: Tiles
    external_url: str | None = None

    def describe(self) -> dict[str, object]:
        """What `basemap.js` is given: which tiles to fetch, from where, within which bounds (west, south, east, north)."""
        credit = {"credit": CREDIT, "credit_url": CREDIT_URL}
        if self.external_url:
            return {"kind": "raster", "url": self.external_url, **credit}
        metadata = self.tiles.metadata()
        if not metadata:
            return {"kind": "none", **credit}
        return {
            "kind": "own",
            "url": f"/tiles/{metadata['version']}/{{z}}/{{x}}/{{y}}",
            "min_zoom": int(metadata["minzoom"]),
            "max_zoom": int(metadata["maxzoom"]),
            "bounds": [float(degrees) for degrees in metadata["bounds"].split(",")],
            **credit,
        }

    def image_sources(self) -> Sequence[str]:
        """What `img-src` of the Content-Security-Policy must allow beyond 'self'."""
        if not self.external_url:
            return ()
        parts = urlsplit(self.external_url)
        return (f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}",)


def street_map(roads: Path, external_url: str | None = None) -> StreetMap:
    """The street map of a roads folder (`Config.roads`), or of `TRACKER_TILES_URL`."""
    return StreetMap(Tiles(roads / BASEMAP), external_url)


def routes(source: StreetMap) -> list[BaseRoute]:
    """The doors: `/tiles/{version}/{z}/{x}/{y}` and `/tiles.json` (what `describe` says, never cached)."""

    async def tile(request: Request) -> Response:
        return await _answer(source.tiles, request)

    async def description(_request: Request) -> Response:
        return JSONResponse(source.describe(), headers={"Cache-Control": "no-cache"})

    return [
        door("/tiles.json", description, roles=EVERYBODY, kind="machine", name="tiles.json"),
        door("/tiles/{version:str}/{z:int}/{x:int}/{y:int}", tile, roles=EVERYBODY, kind="machine", name="tile"),
    ]


async def _answer(tiles: Tiles, request: Request) -> Response:
    version = tiles.version
    if version is None:
        return Response("No street map was built here.\n", 404, {"Cache-Control": "no-store"}, "text/plain")
    asked = request.path_params
    headers = {"ETag": f'"{version}"', "Vary": "Accept-Encoding"}
    headers["Cache-Control"] = _FOREVER if asked["version"] == version else _A_MOMENT
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    zoom, column, row = asked["z"], asked["x"], asked["y"]
    blob = await tiles.tile(zoom, column, row) if zoom < 24 and max(column, row) < 2**zoom else None
    if blob is None:
        return Response(status_code=204, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(blob), headers=headers, media_type=MEDIA_TYPE)
    return Response(blob, headers={**headers, "Content-Encoding": "gzip"}, media_type=MEDIA_TYPE)
