"""Names for the map: streets joined into long lines, and a point inside every named park, water and square."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import cos, log2, radians, sqrt

import shapely

from tracker.roads.extract import Feature
from tracker.roads.osm_tags import Layer

NAMED_AREAS = {
    (Layer.GROUND, "park"): "park",
    (Layer.GROUND, "wood"): "park",
    (Layer.GROUND, "pitch"): "park",
    (Layer.GROUND, "plaza"): "plaza",
    (Layer.WATER, "lake"): "water",
}
"""Areas whose names are shown, and as what kind of place."""

_PIXELS_PER_LETTER = 4.0
_NEEDED_PX = 34.0
_METRES_PER_DEGREE = 111_320.0
_METRES_PER_PIXEL_Z0 = 156_543.03


def street_lines(features: Iterable[Feature]) -> Iterator[Feature]:
    """One feature for each name and kind of street or river, its ways joined; a road without a name goes by its number."""
    streets: dict[tuple[str, str], list[shapely.Geometry]] = defaultdict(list)
    for feature in features:
        name = feature.names[0] if feature.names else feature.ref
        if (feature.layer is Layer.ROAD or feature.kind == "river") and name and not feature.tunnel:
            streets[name, feature.kind].extend(shapely.get_parts(feature.geometry))
    for (name, kind), lines in streets.items():
        yield Feature(Layer.STREET, kind, shapely.line_merge(shapely.MultiLineString(lines)), (name,))


def place_points(features: Sequence[Feature]) -> Iterator[Feature]:
    """A point for each named area, with the map zoom from which its name fits into it as ``rank``.

    A square that is a street's widening has the street's name, and that one is shown along the street.
    """
    streets = {feature.names[0] for feature in features if feature.layer is Layer.ROAD and feature.names}
    for feature in features:
        kind = NAMED_AREAS.get((feature.layer, feature.kind))
        if kind == "plaza" and feature.names and feature.names[0] in streets:
            continue
        if kind and feature.names and shapely.get_dimensions(feature.geometry) == 2:
            point = _inside(feature.geometry)
            yield Feature(Layer.PLACE, kind, point, feature.names[:1], rank=_zoom_for(feature.geometry, feature.names[0]))


def _inside(area: shapely.Geometry) -> shapely.Point:
    """The centre of the largest part, if it lies inside, else a point that does."""
    largest = max(shapely.get_parts(area), key=lambda part: float(part.area))
    centre = largest.centroid
    return centre if largest.contains(centre) else largest.representative_point()


def _zoom_for(area: shapely.Geometry, name: str) -> int:
    """The zoom at which the side of an equal square is as long as about half of the name (names may reach over the edge)."""
    _west, south, _east, north = area.bounds
    metres = sqrt(area.area * cos(radians((south + north) / 2))) * _METRES_PER_DEGREE
    needed = max(_NEEDED_PX, len(name) * _PIXELS_PER_LETTER)
    per_pixel = max(metres, 1.0) / needed
    return min(18, max(11, round(log2(_METRES_PER_PIXEL_Z0 * cos(radians(south)) / per_pixel))))
