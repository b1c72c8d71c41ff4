"""Traccar Client 9 (one nested JSON object), its SDK (a JSON array) and the OsmAnd form (Traccar ≤ 8 and 10, GPSLogger).

Traccar's ``speed`` is in knots, but in version 9 ``coords.speed`` is m/s; GPSLogger's ``spd`` is m/s. Sources:
OsmAndProtocolDecoder.java and its test, traccar-client-sdk HttpUploader.kt, gpslogger CustomUrlManager.java.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from tracker.domain.pings import Ping
from tracker.domain.wire.reading import App, Reading
from tracker.domain.wire.values import (
    KMH_MPS,
    KNOT_MPS,
    accuracy_m,
    battery,
    course_deg,
    moment,
    not_negative,
    number,
)

_GPSLOGGER_KEYS = frozenset({"spd", "spd_kph", "dir", "acc", "time"})

type Found = tuple[Ping | None, float | None, str | None]
"""(ping, battery, why there is no ping); no ping and no reason is a heartbeat."""


def read_9(message: Mapping[str, object]) -> Reading:
    """``{"location": {"timestamp", "coords", "battery", …}}``; ``location`` is a list when the app sends in batches."""
    location = message.get("location")
    return _reading(App.TRACCAR_9, map(_nested, location if isinstance(location, list) else [location]))


def read_array(items: Sequence[object], now: datetime) -> Reading:
    """The SDK's JSON array: each object has the form's own keys and units."""
    found = (_flat(item, now) if isinstance(item, Mapping) else (None, None, "malformed") for item in items)
    return _reading(App.TRACCAR_SDK, found)


def read_form(fields: Mapping[str, object], now: datetime) -> Reading:
    """One position as form or query fields. Without a time the fix is of now; without a place it is a heartbeat."""
    return _reading(App.GPSLOGGER if _GPSLOGGER_KEYS & fields.keys() else App.TRACCAR, [_flat(fields, now)])


def _reading(app: App, found: Iterable[Found]) -> Reading:
    pings: list[Ping] = []
    unusable: Counter[str] = Counter()
    last_charge = None
    for ping, charge, reason in found:
        last_charge = charge if charge is not None else last_charge
        if ping is not None:
            pings.append(ping)
        elif reason is not None:
            unusable[reason] += 1
    return Reading(app, tuple(pings), battery=last_charge, unusable=unusable)


def _nested(location: object) -> Found:
    if not isinstance(location, Mapping):
        return None, None, "malformed"
    source = location.get("battery")
    charge = battery(source.get("level"), 1) if isinstance(source, Mapping) else None
    coords = location.get("coords")
    if not isinstance(coords, Mapping):
        return None, charge, None
    lat, lon, at = number(coords.get("latitude")), number(coords.get("longitude")), moment(location.get("timestamp"))
    if lat is None or lon is None:
        return None, charge, "no_place"
    if at is None:
        return None, charge, "no_time"
    speed, course = not_negative(coords.get("speed")), course_deg(coords.get("heading"))
    acc = accuracy_m(coords.get("accuracy"))
    return Ping(at=at, lat=lat, lon=lon, acc=acc, speed=speed, course=course, battery=charge), charge, None


def _flat(fields: Mapping[str, object], now: datetime) -> Found:
    charge = battery(fields.get("batt"), 100)
    place = _place(fields)
    if place is None:
        return None, charge, "no_place" if {"lat", "lon", "location"} & fields.keys() else None
    if str(fields.get("valid", "1")).lower() in ("0", "false"):
        return None, charge, "not_valid"
    written = fields.get("timestamp", fields.get("time"))
    at = now if written is None else moment(written)
    if at is None:
        return None, charge, "no_time"
    ping = Ping(
        at=at,
        lat=place[0],
        lon=place[1],
        acc=accuracy_m(fields.get("accuracy", fields.get("acc"))),
        speed=_speed(fields),
        course=course_deg(fields.get("bearing", fields.get("heading", fields.get("dir")))),
        battery=charge,
    )
    return ping, charge, None


def _speed(fields: Mapping[str, object]) -> float | None:
    for name, unit in (("spd", 1.0), ("spd_kph", KMH_MPS), ("speed", KNOT_MPS)):
        if name in fields:
            return not_negative(fields[name], unit)
    return None


def _place(fields: Mapping[str, object]) -> tuple[float, float] | None:
    lat, lon = number(fields.get("lat")), number(fields.get("lon"))
    both = fields.get("location")
    if (lat is None or lon is None) and isinstance(both, str):
        first, _, second = both.partition(",")
        lat, lon = number(first), number(second)
    return None if lat is None or lon is None else (lat, lon)
