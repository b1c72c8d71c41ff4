"""Reads recorded tracks from GPX, GeoJSON and CSV, and refuses what is not plainly a track."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from simulator.tracks import BadTrack, Fix, Track, make_track
from tracker.domain.geo import Point, on_the_globe

LARGEST_FILE = 64 * 1024 * 1024
SHIPPED = Path(__file__).parent / "data"
"""Recorded tracks that come with the simulator (Apache-2.0, see README there)."""

_TIME_NAMES = ("t_utc", "time", "timestamp", "at")
_MOTION_NAMES = {
    "speed": "speed",
    "course": "course",
    "acc": "acc",
    "accuracy": "acc",
    "battery": "battery",
    "ele_m": "ele",
    "ele": "ele",
}


def read_track(path: Path) -> Track:
    """The track in a .gpx, .geojson/.json or .csv file. A bare name of a shipped track works, too.

    Raises BadTrack: wrong kind of file, a DOCTYPE in the XML, a number that is not finite, a place off the globe, no times.
    """
    found = path if path.exists() else SHIPPED / path.name
    if not found.exists():
        raise BadTrack(f"{path}: no such file")
    if found.stat().st_size > LARGEST_FILE:
        raise BadTrack(f"{path}: larger than {LARGEST_FILE >> 20} MiB")
    reader = {".gpx": _gpx, ".geojson": _geojson, ".json": _geojson, ".csv": _csv}.get(found.suffix.lower())
    if reader is None:
        raise BadTrack(f"{path}: not .gpx, .geojson, .json or .csv")
    try:
        return make_track(found.name, reader(found.read_bytes()))
    except BadTrack as wrong:
        raise BadTrack(f"{path}: {wrong}") from None


def shipped_tracks() -> list[Path]:
    """The recordings that come with the simulator."""
    return sorted(path for path in SHIPPED.iterdir() if path.suffix in {".csv", ".gpx"})


# -- numbers, places, times --------------------------------------------------------------------------------------------


def _number(value: object, what: str) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise BadTrack(f"{what} is not a number: {value!r}") from None
    if isinstance(value, bool) or not isfinite(number):
        raise BadTrack(f"{what} is not a finite number: {value!r}")
    return number


def _fix(at: datetime, lat: object, lon: object, extra: dict[str, object]) -> Fix:
    point = Point(_number(lat, "latitude"), _number(lon, "longitude"))
    if not on_the_globe(point):
        raise BadTrack(f"off the globe: {point.lat}, {point.lon}")
    said = {
        _MOTION_NAMES[name]: _number(value, name)
        for name, value in extra.items()
        if name in _MOTION_NAMES and value not in (None, "")
    }
    return Fix(at, point.lat, point.lon, **said)


def _instant(value: object) -> datetime:
    """ISO 8601, or seconds or milliseconds since the epoch; without a zone it is UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _number(value, "time")
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    try:
        at = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise BadTrack(f"not a time: {value!r}") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _csv(data: bytes) -> Iterator[Fix]:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    names = rows.fieldnames or []
    time_name = next((name for name in _TIME_NAMES if name in names), None)
    if time_name is None or "lat" not in names or "lon" not in names:
        raise BadTrack(f"the first line must name a time ({', '.join(_TIME_NAMES)}), lat and lon")
    for row in rows:
        yield _fix(_instant(row[time_name]), row["lat"], row["lon"], {name: row[name] for name in _MOTION_NAMES if name in row})


# -- GeoJSON -----------------------------------------------------------------------------------------------------------


def _geojson(data: bytes) -> Iterator[Fix]:
    def refuse(word: str) -> NoReturn:
        raise BadTrack(f"{word} is not a number of JSON")

    try:
        document = json.loads(data, parse_constant=refuse)
    except (ValueError, RecursionError) as wrong:
        raise BadTrack(f"not JSON: {wrong}") from None
    yield from _features(document)


def _features(item: Any) -> Iterator[Fix]:
    if not isinstance(item, dict):
        raise BadTrack("not a GeoJSON object")
    if item.get("type") == "FeatureCollection":
        for feature in item.get("features") or ():
            yield from _features(feature)
        return
    properties, geometry = item.get("properties") or {}, item.get("geometry") or {}
    if geometry.get("type") == "Point":
        yield _geojson_point(geometry.get("coordinates"), properties, properties)
    elif geometry.get("type") in {"LineString", "MultiLineString"}:
        yield from _geojson_line(geometry, properties)


def _geojson_point(place: Any, times: dict[str, Any], extra: dict[str, Any]) -> Fix:
    when = next((times[name] for name in _TIME_NAMES if times.get(name) is not None), None)
    if not isinstance(place, list) or len(place) < 2 or when is None:
        raise BadTrack("a point without coordinates or without a time")
    return _fix(_instant(when), place[1], place[0], extra)


def _geojson_line(geometry: dict[str, Any], properties: dict[str, Any]) -> Iterator[Fix]:
    nested = properties.get("coordinateProperties") or {}
    times = properties.get("coordTimes") or properties.get("times") or nested.get("times")
    places = geometry.get("coordinates") or []
    if geometry["type"] == "MultiLineString":
        places = [place for line in places for place in line]
        times = [at for part in times or () for at in (part if isinstance(part, list) else [part])]
    if not times or len(times) != len(places):
        raise BadTrack("a line needs one time for each place (coordTimes, times or coordinateProperties.times)")
    for place, at in zip(places, times, strict=True):
        yield _geojson_point(place, {"time": at}, {})


# -- GPX ---------------------------------------------------------------------------------------------------------------


class _Gpx:
    """Collects trkpt elements. Expat directly: a DOCTYPE is refused before any entity could be declared."""

    def __init__(self) -> None:
        self.fixes: list[Fix] = []
        self._place: dict[str, str] | None = None
        self._said: dict[str, object] = {}
        self._text: list[str] = []

    def doctype(self, *_: object) -> None:
        raise BadTrack("a DOCTYPE is refused")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._text = []
        if _local(name) == "trkpt":
            self._place, self._said = attributes, {}

    def text(self, part: str) -> None:
        self._text.append(part)

    def end(self, name: str) -> None:
        if self._place is None:
            return
        if _local(name) != "trkpt":
            self._said.setdefault(_local(name), "".join(self._text).strip())
            return
        if "time" in self._said:
            self.fixes.append(_fix(_instant(self._said["time"]), self._place.get("lat"), self._place.get("lon"), self._said))
        self._place = None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _gpx(data: bytes) -> list[Fix]:
    seen = _Gpx()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = seen.doctype
    parser.StartElementHandler = seen.start
    parser.CharacterDataHandler = seen.text
    parser.EndElementHandler = seen.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as wrong:
        raise BadTrack(f"not well-formed XML: {wrong}") from None
    return seen.fixes
