"""What a phone says, and the named rules by which a ping is believed or refused."""

from datetime import datetime

import msgspec

from tracker.domain.geo import Point


class Ping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fix of a phone, in SI units. Made only by `domain/wire` (and by the own protocol's reader).

    ``at`` is the fix time (aware UTC, corrected for the phone's clock where that is known). ``acc`` metres (68 %),
    ``speed`` m/s, ``course`` degrees clockwise from north, ``battery`` 0–1; None means the phone did not say.
    ``boot`` and ``seq`` exist only for the own protocol; stock apps are told apart by fix time and place.
    """

    at: datetime
    lat: float
    lon: float
    acc: float | None = None
    speed: float | None = None
    course: float | None = None
    battery: float | None = None
    boot: str | None = None
    seq: int | None = None

    @property
    def point(self) -> Point:
        return Point(self.lat, self.lon)
