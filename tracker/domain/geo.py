"""Places on the globe: points, distances, bearings and the polyline6 text form of a line."""

import itertools
from collections.abc import Iterable, Sequence
from math import asin, atan2, cos, degrees, hypot, isfinite, radians, sin, sqrt
from typing import NamedTuple

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG), metres."""


class Point(NamedTuple):
    """A place: latitude and longitude in degrees, WGS84. The order is (lat, lon) everywhere in the project."""

    lat: float
    lon: float


def on_the_globe(point: Point) -> bool:
    """True if both are finite and inside ±90 and ±180 degrees."""
    return isfinite(point.lat) and isfinite(point.lon) and abs(point.lat) <= 90 and abs(point.lon) <= 180


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance in metres (haversine)."""
    dlat, dlon = radians(b.lat - a.lat) / 2, radians(b.lon - a.lon) / 2
    h = sin(dlat) ** 2 + cos(radians(a.lat)) * cos(radians(b.lat)) * sin(dlon) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(h)))


def bearing_deg(a: Point, b: Point) -> float:
    """Initial bearing from a to b, degrees clockwise from north, 0 ≤ x < 360."""
    dlon = radians(b.lon - a.lon)
    y = sin(dlon) * cos(radians(b.lat))
    x = cos(radians(a.lat)) * sin(radians(b.lat)) - sin(radians(a.lat)) * cos(radians(b.lat)) * cos(dlon)
    return degrees(atan2(y, x)) % 360


def moved(start: Point, bearing: float, metres: float) -> Point:
    """The point reached from start along a great circle (bearing in degrees from north)."""
    d, theta, lat1 = metres / EARTH_RADIUS_M, radians(bearing), radians(start.lat)
    lat2 = asin(sin(lat1) * cos(d) + cos(lat1) * sin(d) * cos(theta))
    dlon = atan2(sin(theta) * sin(d) * cos(lat1), cos(d) - sin(lat1) * sin(lat2))
    return Point(degrees(lat2), (start.lon + degrees(dlon) + 540) % 360 - 180)


def length_m(line: Sequence[Point]) -> float:
    """Length of a line in metres."""
    return sum(distance_m(a, b) for a, b in itertools.pairwise(line))


def flat_m(origin: Point, point: Point) -> tuple[float, float]:
    """(east, north) of a point in metres on a plane that touches the globe at origin; good to 0.1 % within 100 km."""
    dlon = (point.lon - origin.lon + 540) % 360 - 180
    return (radians(dlon) * EARTH_RADIUS_M * cos(radians(origin.lat)), radians(point.lat - origin.lat) * EARTH_RADIUS_M)


def flat_distance_m(a: Point, b: Point) -> float:
    """Distance on the touching plane: the cheap form used inside Redis, too (see live/keep.lua)."""
    return hypot(*flat_m(a, b))


def encode_polyline6(line: Iterable[Point]) -> str:
    """Google's encoded polyline with six decimals, as Valhalla writes it."""
    out: list[str] = []
    last_lat = last_lon = 0
    for lat, lon in line:
        lat_e6, lon_e6 = round(lat * 1e6), round(lon * 1e6)
        for delta in (lat_e6 - last_lat, lon_e6 - last_lon):
            value = ~(delta << 1) if delta < 0 else delta << 1
            while value >= 0x20:
                out.append(chr((0x20 | (value & 0x1F)) + 63))
                value >>= 5
            out.append(chr(value + 63))
        last_lat, last_lon = lat_e6, lon_e6
    return "".join(out)


def decode_polyline6(text: str) -> list[Point]:
    """The line of an encoded polyline with six decimals; a cut-off text raises ValueError."""
    points: list[Point] = []
    values = _polyline_values(text)
    lat = lon = 0
    for dlat, dlon in zip(values[::2], values[1::2], strict=True):
        lat, lon = lat + dlat, lon + dlon
        points.append(Point(lat / 1e6, lon / 1e6))
    return points


def _polyline_values(text: str) -> list[int]:
    values: list[int] = []
    shift = result = 0
    for char in text:
        chunk = ord(char) - 63
        result |= (chunk & 0x1F) << shift
        shift += 5
        if chunk < 0x20:
            values.append(~(result >> 1) if result & 1 else result >> 1)
            shift = result = 0
    if shift:
        raise ValueError("the polyline is cut off")
    return values
