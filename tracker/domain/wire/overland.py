"""Overland's batches of GeoJSON features, and GPSLogger's Dawarich sender, which writes the same with another battery.

m/s, lon before lat, battery 0–1 (Dawarich sender: 0–100), negative = unknown. Source: Overland-iOS README and GLManager.m.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from tracker.domain.pings import Ping
from tracker.domain.wire.reading import App, Reading, result_ok
from tracker.domain.wire.values import accuracy_m, battery, course_deg, moment, not_negative, number


def read(batch: Mapping[str, object]) -> Reading:
    """All fixes of a batch. ``current`` comes first: it is the newest, so the older ones behind it cannot move the marker."""
    features = batch.get("locations")
    items = [batch.get("current"), *(features if isinstance(features, list) else ())]
    if items[0] is None:
        items = items[1:]
    full = _full_battery(items)
    pings: list[Ping] = []
    unusable: Counter[str] = Counter()
    for item in items:
        found = _ping(item, full)
        if isinstance(found, str):
            unusable[found] += 1
        else:
            pings.append(found)
    return result_ok(App.OVERLAND, pings=tuple(pings), unusable=unusable)


def _ping(item: object, full: float) -> Ping | str:
    properties = _properties(item)
    if properties is None or not isinstance(item, Mapping):
        return "malformed"
    if "action" in properties or properties.get("type") == "trip":
        return "not_a_fix"  # visits and log lines carry the last known place, and now as their time
    place = _place(item.get("geometry"))
    if place is None:
        return "no_place"
    at = moment(properties.get("timestamp"))
    if at is None:
        return "no_time"
    return Ping(
        at=at,
        lat=place[0],
        lon=place[1],
        acc=accuracy_m(properties.get("horizontal_accuracy")),
        speed=not_negative(properties.get("speed")),
        course=course_deg(properties.get("course")),
        battery=battery(properties.get("battery_level"), full),
    )


def _properties(item: object) -> Mapping[str, object] | None:
    found = item.get("properties") if isinstance(item, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _place(geometry: object) -> tuple[float, float] | None:
    coordinates = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    lon, lat = number(coordinates[0]), number(coordinates[1])
    return None if lat is None or lon is None else (lat, lon)


def _full_battery(items: Sequence[object]) -> float:
    """100 if any feature of the batch shows more than 1: then it is GPSLogger, which counts in per cent."""
    levels = (number((_properties(item) or {}).get("battery_level")) for item in items)
    return 100 if any(level is not None and level > 1 for level in levels) else 1
