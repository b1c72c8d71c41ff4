"""Cutting shapes into tiles: a walk down the quadtree that clips, so that a large sea costs no more than its border."""

from collections.abc import Iterator

import numpy as np
import shapely

from tracker.roads.vectortile import EXTENT, Ints, Shape

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


def cut(shapes: Shapes, zoom: int, buffer: float) -> Iterator[tuple[Tile, np.ndarray, Shapes]]:
    """For every tile with something in it: the tile, which shapes are in it (indices), and their clipped forms.

    ``buffer`` is how far a tile reaches beyond its edge, in tiles.
    """
    if len(shapes):
        yield from _descend(shapes, np.arange(len(shapes)), (0, 0, 0), zoom, buffer)


def _descend(
    shapes: Shapes, which: np.ndarray, tile: Tile, goal: int, buffer: float
) -> Iterator[tuple[Tile, np.ndarray, Shapes]]:
    zoom, column, row = tile
    size = 2 ** (goal - zoom)
    box = (column * size - buffer, row * size - buffer, (column + 1) * size + buffer, (row + 1) * size + buffer)
    kept, clipped = _clip(shapes, box)
    if not len(kept):
        return
    if zoom == goal:
        yield tile, which[kept], clipped
        return
    for child in ((0, 0), (1, 0), (0, 1), (1, 1)):
        corner = (zoom + 1, column * 2 + child[0], row * 2 + child[1])
        yield from _descend(clipped, which[kept], corner, goal, buffer)


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


def figures(shape: shapely.Geometry, tile: Tile) -> Iterator[tuple[Shape, list[Ints]]]:
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


def _units(shape: shapely.Geometry, tile: Tile) -> Ints:
    """Vertices rounded to tile units, without one that repeats the one before."""
    _zoom, column, row = tile
    xy = np.rint((shapely.get_coordinates(shape) - (column, row)) * EXTENT).astype(np.int64)
    moved = np.ones(len(xy), dtype=bool)
    moved[1:] = (np.diff(xy, axis=0) != 0).any(axis=1)
    return np.asarray(xy[moved])


def _ring(ring: shapely.LinearRing, tile: Tile, *, outer: bool) -> Ints | None:
    """A ring without its repeated end; outer rings turn clockwise on the screen (area > 0 with y down), holes the other way."""
    xy = _units(ring, tile)[:-1]
    if len(xy) < 3:
        return None
    x, y = xy[:, 0], xy[:, 1]
    twice = int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    if twice == 0:
        return None
    return xy if (twice > 0) == outer else xy[::-1]
