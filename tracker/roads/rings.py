"""Areas out of lines: closed ways, multipolygons and the sea, also where an extract was cut at a box.

All coordinates are (x, y) = (longitude, latitude) as shapely wants them; nothing here depends on the unit.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

type Line = Sequence[tuple[float, float]]
type Box = tuple[float, float, float, float]
"""West, south, east, north."""

CUT_CHORD = 0.6
"""An open ring is closed by a straight chord only if the chord is shorter than this part of the line: a small thing that lost a
corner at the extract's edge is mended, a river bank that crosses the whole extract is not turned into a lake."""

COAST_REACH = 0.08
"""Coast ends nearer to the extract's border than this part of its width are led on to the border."""


def area(ring: Line) -> BaseGeometry | None:
    """The area inside one ring (closed here if it is not), mended if it crosses itself; None if nothing is inside."""
    if len(set(ring)) < 3:
        return None
    return _areas_only(shapely.make_valid(shapely.Polygon(ring)))


def assemble(outers: Iterable[Line], inners: Iterable[Line]) -> BaseGeometry | None:
    """The area of a multipolygon from its outer and inner member ways, in any order and direction."""
    outer, inner = _fill(outers), _fill(inners)
    if not outer:
        return None
    whole = shapely.union_all(outer)
    if inner:
        holes = shapely.union_all(inner)
        islands = [part for part in outer if holes.covers(part)]
        whole = shapely.union_all([whole.difference(holes), *islands])
    return _areas_only(whole)


def _fill(lines: Iterable[Line]) -> list[BaseGeometry]:
    """Every area that the lines close, alone or together."""
    strings = [shapely.LineString(line) for line in lines if len(line) > 1]
    polygons, _cuts, dangles, _invalid = shapely.polygonize_full(strings)
    filled = [shapely.Polygon(face.exterior) for face in polygons.geoms]
    for left in shapely.get_parts(shapely.line_merge(shapely.union_all(dangles))):
        chord = shapely.LineString([left.coords[0], left.coords[-1]]).length if len(left.coords) > 2 else left.length
        if chord < CUT_CHORD * left.length and (mended := area(list(left.coords))):
            filled.append(mended)
    return filled


def sea(coast: Iterable[Line], box: Box) -> BaseGeometry | None:
    """The water inside the box; coastlines have land on their left and water on their right (OpenStreetMap's rule).

    The box is divided into faces by the coast; each face is water if more metres of coast have it on their right than on their
    left. So a gap or one way drawn backwards costs a small area, not the whole sea.
    """
    lines = [shapely.LineString(line) for line in coast if len(line) > 1]
    if not lines:
        return None
    border = shapely.box(*box).exterior
    merged = list(shapely.get_parts(shapely.line_merge(shapely.MultiLineString(lines))))
    led_on = [_to_the_border(line, border, COAST_REACH * (box[2] - box[0])) for line in merged]
    inside = [shapely.clip_by_rect(line, *box) for line in led_on]
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all([border, *inside])]))
    votes = _right_minus_left(merged, list(faces), (box[2] - box[0]) * 1e-6)
    wet = [face for face, vote in zip(faces, votes, strict=True) if vote > 0]
    return _areas_only(shapely.union_all(wet)) if wet else None


def _to_the_border(line: BaseGeometry, border: BaseGeometry, reach: float) -> BaseGeometry:
    """The line with loose ends that lie close to the border drawn out to it, and a touch beyond."""
    points = list(line.coords)
    if points[0] == points[-1]:
        return line
    for end, insert_at in ((points[0], 0), (points[-1], len(points))):
        on = border.interpolate(border.project(shapely.Point(end)))
        if 0 < on.distance(shapely.Point(end)) < reach:
            beyond = (end[0] + (on.x - end[0]) * 1.01, end[1] + (on.y - end[1]) * 1.01)
            points.insert(insert_at, beyond)
    return shapely.LineString(points)


def _right_minus_left(lines: list[BaseGeometry], faces: list[BaseGeometry], step: float) -> np.ndarray:
    """For each face the length of coast that has it on the right, less the length that has it on the left."""
    votes = np.zeros(len(faces))
    tree = shapely.STRtree(faces)
    for line in lines:
        xy = shapely.get_coordinates(line)
        run, middle = np.diff(xy, axis=0), (xy[:-1] + xy[1:]) / 2
        length = np.hypot(run[:, 0], run[:, 1])
        keep = length > 0
        run, middle, length = run[keep], middle[keep], length[keep]
        right = np.column_stack([run[:, 1], -run[:, 0]]) / length[:, None] * step
        for side, sign in ((middle + right, 1.0), (middle - right, -1.0)):
            which, face = tree.query(shapely.points(side), predicate="intersects")
            np.add.at(votes, face, sign * length[which])
    return votes


def _areas_only(shape: BaseGeometry) -> BaseGeometry | None:
    parts = [part for part in shapely.get_parts(shapely.get_parts(shape)) if part.geom_type == "Polygon" and not part.is_empty]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
