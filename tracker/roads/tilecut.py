"""Cutting shapes into tiles: a walk down the quadtree that clips, so that a large sea costs no more than its border."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from tracker.roads.vectortile import EXTENT, Part, Shape

type Shapes = np.ndarray
"""Many shapely geometries, coordinates in tiles of one zoom (x = 3.5: the middle of column 3)."""

type Tile = tuple[int, int, int]
"""Zoom, column, row (row 0 in the north)."""


def to_world(shapes: Shapes) -> Shapes:
    """From longitude and latitude to Web Mercator as a square of side 1 with (0, 0) in the north west."""
    return np.asarray(shapely.transform(shapes, _mercator))


def _mercator(lonlat: np.ndarray) -> np.ndarray:
    latitude = np.radians(np.clip(lonlat[:, 1], -85.05112878, 85.05112878))
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, 0.5 - np.arcsinh(np.tan(latitude)) / (2 * np.pi)])


@dataclass(frozen=True, slots=True)
class Piece:
    """What of some shapes lies in one tile: their indices, and their forms clipped to the tile and its margin."""

    tile: Tile
    which: np.ndarray
    shapes: Shapes


def cut(piece: Piece, zoom: int, buffer: float, until: int | None = None) -> Iterator[Piece]:
    """A piece cut further, as far as zoom ``until``: one piece for every tile with something in it.

    The shapes' coordinates are tiles of ``zoom``; ``buffer`` is how far a tile reaches beyond its edge, in such tiles.
    """
    at, column, row = piece.tile
    size = 2 ** (zoom - at)
    box = (column * size - buffer, row * size - buffer, (column + 1) * size + buffer, (row + 1) * size + buffer)
    kept, clipped = _clip(piece.shapes, box)
    if not len(kept):
        return
    if at == (zoom if until is None else until):
        yield Piece(piece.tile, piece.which[kept], clipped)
        return
    for right, below in ((0, 0), (1, 0), (0, 1), (1, 1)):
        child = (at + 1, column * 2 + right, row * 2 + below)
        yield from cut(Piece(child, piece.which[kept], clipped), zoom, buffer, until)


def _clip(shapes: Shapes, box: tuple[float, float, float, float]) -> tuple[np.ndarray, Shapes]:
    """Indices of the shapes that touch the box, and what of them lies inside."""
    west, north, east, south = box
    bounds = shapely.bounds(shapes)
    touches = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= south) & (bounds[:, 3] >= north)
    kept = np.flatnonzero(touches)
    inside = (bounds[:, 0] >= west) & (bounds[:, 2] <= east) & (bounds[:, 1] >= north) & (bounds[:, 3] <= south)
    out = shapes[kept].copy()
    reaching = ~inside[kept]
    if reaching.any():
        out[reaching] = shapely.intersection(out[reaching], shapely.box(*box))
        full = ~shapely.is_empty(out)
        kept, out = kept[full], out[full]
    return kept, out


def figures(shape: shapely.Geometry, tile: Tile) -> Iterator[tuple[Shape, list[Part]]]:
    """The clipped shape in the tile's units; what shrinks to nothing when rounded is left out."""
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            outer = _ring(part.exterior, tile, outer=True)
            if outer is not None:
                holes = (_ring(hole, tile, outer=False) for hole in part.interiors)
                yield Shape.AREA, [outer, *(hole for hole in holes if hole is not None)]
        elif part.geom_type == "LineString":
            line = _units(part, tile)
            if len(line) > 1:
                yield Shape.LINE, [line]
        elif part.geom_type == "Point":
            yield Shape.POINT, [_units(part, tile)]
        elif not part.is_empty and part.geom_type != "LinearRing":
            yield from figures(part, tile)


def _units(shape: shapely.Geometry, tile: Tile) -> list[list[int]]:
    """Vertices rounded to tile units, without one that repeats the one before."""
    _zoom, column, row = tile
    points: list[list[int]] = np.rint((shapely.get_coordinates(shape) - (column, row)) * EXTENT).astype(np.int64).tolist()
    return points[:1] + [here for before, here in itertools.pairwise(points) if here != before]


def _ring(ring: shapely.LinearRing, tile: Tile, *, outer: bool) -> Part | None:
    """A ring without its repeated end; outer rings turn clockwise on the screen (area > 0 with y down), holes the other way."""
    points = _units(ring, tile)[:-1]
    if len(points) < 3:
        return None
    twice = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True))
    if twice == 0:
        return None
    return points if (twice > 0) == outer else points[::-1]
