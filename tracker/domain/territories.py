"""What an area must be to be a territory: a GeoJSON polygon that can be filled, on the globe, of a size that can be kept."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import shapely
from shapely.geometry import mapping, shape
from shapely.validation import explain_validity

from tracker.errors import BadArea

MOST_CORNERS = 10_000
KINDS = {"Polygon": 1, "MultiPolygon": 2}
"""How deep the rings lie in the coordinates."""


class Area(NamedTuple):
    """A checked area as plain GeoJSON, and its box in degrees."""

    geojson: dict[str, Any]
    south: float
    west: float
    north: float
    east: float


def checked(said: Mapping[str, Any]) -> Area:
    """The area as it is kept; `BadArea` says what is wrong. A single GeoJSON feature counts as its geometry.

    An area across the date line is a MultiPolygon of two parts, one on each side (RFC 7946, 3.1.9).
    """
    plain = _geometry(said)
    kind = plain.get("type")
    if kind not in KINDS or not isinstance(plain.get("coordinates"), list | tuple):
        raise BadArea
    corners = [corner for ring in _rings(plain["coordinates"], KINDS[kind]) for corner in ring]
    if len(corners) > MOST_CORNERS:
        raise BadArea(f"This area has more than {MOST_CORNERS} corners. Simplify it.")
    if not all(_on_the_globe(corner) for corner in corners):
        raise BadArea("A corner of this area is off the globe: each is [longitude, latitude] in degrees.")
    area = shape({"type": kind, "coordinates": _level(plain["coordinates"], KINDS[kind])})
    if area.is_empty or not area.is_valid:
        raise BadArea(f"This area cannot be filled: {explain_validity(area).replace('[', ' at ').rstrip(']')}.")
    west, south, east, north = area.bounds
    return Area(_plain(mapping(area)), south, west, north, east)


def corners(geojson: Mapping[str, Any]) -> int:
    """How many corners an area has."""
    return int(shapely.get_num_coordinates(shape(geojson)))


def _geometry(said: Mapping[str, Any]) -> Mapping[str, Any]:
    features = said.get("features")
    if said.get("type") == "FeatureCollection" and isinstance(features, list) and len(features) == 1:
        said = features[0] if isinstance(features[0], Mapping) else {}
    geometry = said.get("geometry")
    return geometry if said.get("type") == "Feature" and isinstance(geometry, Mapping) else said


def _rings(coordinates: Any, depth: int) -> list[list[Any]]:
    """Every ring, each closed and of four corners at least."""
    rings = coordinates
    for _ in range(depth - 1):
        rings = [ring for part in _listed(rings) for ring in _listed(part)]
    for ring in _listed(rings):
        if len(_listed(ring)) < 4 or ring[0] != ring[-1]:
            raise BadArea("Each ring of an area has at least four corners, the last one being the first again.")
    return [list(ring) for ring in rings]


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise BadArea
    return list(value)


def _on_the_globe(corner: Any) -> bool:
    if not isinstance(corner, list | tuple) or not 2 <= len(corner) <= 3:
        raise BadArea
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in corner):
        raise BadArea
    lon, lat = corner[:2]
    return bool(-180 <= lon <= 180 and -90 <= lat <= 90)  # compared as they are: no float holds every number of JSON


def _level(coordinates: Any, depth: int) -> list[Any]:
    """The same without heights, which some corners may have and others not."""
    if depth < 0:
        return [float(each) for each in coordinates[:2]]
    return [_level(each, depth - 1) for each in coordinates]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
