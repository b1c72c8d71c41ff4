"""The time zone of a place, from the boundaries in `tzfpy` (O9)."""

from zoneinfo import available_timezones

import tzfpy

from tracker.domain.geo import Point


def zone_at(point: Point) -> str:
    """The IANA name of the zone at a place; at sea one of the ``Etc`` zones. The first call reads the boundaries (~0.2 s)."""
    found: str = tzfpy.get_tz(point.lon, point.lat)
    return found if found in available_timezones() else "UTC"
