"""Our own street map: from an OpenStreetMap extract to one SQLite file of vector tiles.

The file is MBTiles 1.3, the tiles are Mapbox Vector Tile 2.1, gzip. Layers and their kinds are those of `osm_tags`; each figure
carries ``k`` (kind) and, where it has one, ``n`` (name); roads also ``t`` = 1 in a tunnel and ``b`` = 1 on a bridge; named areas
are also there as points of the layer ``place`` with ``r``, the zoom from which the name fits. docs/basemap.md has the table.
"""

import gzip
import hashlib
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from tracker.roads import vectortile
from tracker.roads.extract import ATTRIBUTION, Extract, Feature, read
from tracker.roads.labels import place_points, street_lines
from tracker.roads.osm_tags import Layer
from tracker.roads.tile_rules import (
    BLOCK_ZOOM,
    BUFFER,
    LABEL_BUFFER,
    LEAST_AREA_PX,
    MAX_TILE_ZOOM,
    MIN_TILE_ZOOM,
    TOLERANCE,
    UNITS_PER_PIXEL,
    shown,
)
from tracker.roads.tilecut import Piece, Tile, cut, figures, to_world
from tracker.roads.vectortile import EXTENT, Figure, Values


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made: how many tiles, bytes of the file, seconds, and the version (a hash of the tiles)."""

    tiles: int
    size: int
    seconds: float
    version: str


def build_basemap(source: Path | Extract, target: Path) -> Built:
    """Make the tile file. An existing one is replaced whole at the end, so a running server never reads half a map."""
    began = time.perf_counter()
    extract = source if isinstance(source, Extract) else read(source)
    features = [*extract.features, *street_lines(extract.features), *place_points(extract.features)]
    world = to_world(np.array([feature.geometry for feature in features], dtype=object))
    fresh = target.with_name(target.name + ".new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as db:
        tiles = ((tile, blob) for zoom in range(MIN_TILE_ZOOM, MAX_TILE_ZOOM + 1) for tile, blob in _tiles(features, world, zoom))
        count, version = _store(db, tiles, extract)
    fresh.replace(target)
    return Built(count, target.stat().st_size, time.perf_counter() - began, version)


def _store(db: sqlite3.Connection, tiles: Iterable[tuple[Tile, bytes]], extract: Extract) -> tuple[int, str]:
    db.executescript(
        "CREATE TABLE metadata (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB NOT NULL,"
        " PRIMARY KEY (zoom_level, tile_column, tile_row)) WITHOUT ROWID;"
    )
    count, digest = 0, hashlib.sha256()
    for (zoom, column, row), blob in tiles:
        digest.update(b"%d/%d/%d" % (zoom, column, row) + blob)
        db.execute("INSERT INTO tiles VALUES (?, ?, ?, ?)", (zoom, column, 2**zoom - 1 - row, blob))
        count += 1
    version = digest.hexdigest()[:12]
    db.executemany("INSERT INTO metadata VALUES (?, ?)", _metadata(extract, version).items())
    db.commit()
    db.execute("VACUUM")
    return count, version


def _metadata(extract: Extract, version: str) -> dict[str, str]:
    west, south, east, north = extract.box
    layers = [{"id": layer.value, "fields": {"k": "String", "n": "String"}} for layer in Layer]
    return {
        "name": "technician-tracker street map",
        "format": "pbf",
        "type": "baselayer",
        "bounds": f"{west},{south},{east},{north}",
        "center": f"{(west + east) / 2},{(south + north) / 2},14",
        "minzoom": str(MIN_TILE_ZOOM),
        "maxzoom": str(MAX_TILE_ZOOM),
        "attribution": ATTRIBUTION,
        "version": version,
        "json": json.dumps({"vector_layers": layers}),
    }


def _tiles(features: list[Feature], world: np.ndarray, zoom: int) -> Iterator[tuple[Tile, bytes]]:
    """Every tile of one zoom that has something in it, gzip as it will be sent, in a stable order, block by block."""
    blocks: dict[Tile, list[tuple[Layer, Piece]]] = defaultdict(list)
    for layer in Layer:
        chosen = np.array([i for i, f in enumerate(features) if f.layer is layer and shown(layer, f.kind, zoom)], dtype=int)
        if len(chosen):
            piece = _simplified(chosen, world[chosen], layer, zoom)
            for block in cut(piece, zoom, _buffer(layer), until=min(zoom, BLOCK_ZOOM)):
                blocks[block.tile].append((layer, block))
    for tile in sorted(blocks):
        yield from _tiles_of_block(blocks.pop(tile), features, zoom)


def _tiles_of_block(block: list[tuple[Layer, Piece]], features: list[Feature], zoom: int) -> Iterator[tuple[Tile, bytes]]:
    content: dict[Tile, dict[str, list[Figure]]] = defaultdict(lambda: {layer.value: [] for layer in Layer})
    for layer, whole_block in block:
        for piece in cut(whole_block, zoom, _buffer(layer)):
            for index, shape in zip(piece.which, piece.shapes, strict=True):
                values = _values(features[index])
                content[piece.tile][layer.value] += [Figure(kind, parts, values) for kind, parts in figures(shape, piece.tile)]
    for tile in sorted(content):
        if blob := vectortile.write(content[tile]):
            yield tile, gzip.compress(blob, 9, mtime=0)


def _buffer(layer: Layer) -> float:
    if layer is Layer.PLACE:
        return 0.0
    return (LABEL_BUFFER if layer is Layer.STREET else BUFFER) / EXTENT


def _simplified(chosen: np.ndarray, world: np.ndarray, layer: Layer, zoom: int) -> Piece:
    """Shapes in tiles of this zoom, without vertices that nobody could see and areas too small to be shown."""
    scale = 2.0**zoom
    shapes = np.asarray(shapely.transform(world, lambda xy: xy * scale))
    last = zoom == MAX_TILE_ZOOM
    if layer in LEAST_AREA_PX and not last:
        least = LEAST_AREA_PX[layer] * (UNITS_PER_PIXEL / EXTENT) ** 2
        keep = (shapely.area(shapes) >= least) | (shapely.get_dimensions(shapes) < 2)
        chosen, shapes = chosen[keep], shapes[keep]
    if layer is not Layer.PLACE:
        shapes = shapely.simplify(shapes, (0.7 if last else TOLERANCE) / EXTENT, preserve_topology=True)
    return Piece((0, 0, 0), chosen, np.asarray(shapes))


def _values(feature: Feature) -> Values:
    values: dict[str, str | int] = {"k": feature.kind}
    if feature.layer in (Layer.STREET, Layer.PLACE) and feature.names:
        values["n"] = feature.names[0]
    if feature.rank:
        values["r"] = feature.rank
    if feature.tunnel:
        values["t"] = 1
    if feature.bridge:
        values["b"] = 1
    return values
