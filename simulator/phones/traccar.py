"""Traccar Client in its three forms: query (≤ 8), JSON (9) and form (10). Speed in knots, except 9: m/s."""

from typing import Any
from uuid import UUID, uuid5

import httpx

from simulator.phones.stock import KNOTS_PER_MPS, StockPhone
from simulator.tracks import Fix

_SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def osmand_fields(fix: Fix, device: str) -> dict[str, str]:
    """The fields of ≤ 8 and 10: seconds, knots, degrees, metres (0 = unknown), per cent."""
    return {
        "id": device,
        "timestamp": str(round(fix.at.timestamp())),
        "lat": str(fix.lat),
        "lon": str(fix.lon),
        "speed": str((fix.speed or 0.0) * KNOTS_PER_MPS),
        "bearing": str(fix.course or 0.0),
        "altitude": str(fix.ele or 0.0),
        "accuracy": str(fix.acc or 0.0),
        "batt": str((fix.battery if fix.battery is not None else 1.0) * 100),
    }


def location(fix: Fix, device: str) -> dict[str, Any]:
    """The JSON of 9: ISO milliseconds with Z, m/s, battery 0–1, −1 where the phone does not know."""

    def known(value: float | None) -> float:
        return -1 if value is None else value

    return {
        "device_id": device,
        "location": {
            "timestamp": fix.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": "motionchange",
            "is_moving": (fix.speed or 0) > 0.5,
            "uuid": str(uuid5(_SPACE, f"{device}/{fix.at_ms}/{fix.lat}/{fix.lon}")),
            "odometer": 0,
            "coords": {
                "latitude": fix.lat,
                "longitude": fix.lon,
                "accuracy": fix.acc if fix.acc is not None else 0.0,
                "speed": known(fix.speed),
                "speed_accuracy": -1,
                "heading": known(fix.course),
                "heading_accuracy": -1,
                "altitude": fix.ele or 0.0,
            },
            "activity": {"type": "in_vehicle", "confidence": 100},
            "battery": {"level": known(fix.battery), "is_charging": False},
            "extras": {},
        },
    }


class Traccar8(StockPhone):
    """Versions ≤ 8: POST with everything in the query; the same point again every 30 s, for ever."""

    ordinary_wait_s = (30.0, 30.0)

    def request(self, fixes: list[Fix]) -> httpx.Request:
        return self._client.build_request("POST", self.target.ingest, params=osmand_fields(fixes[0], self.target.device))


class Traccar9(StockPhone):
    """Version 9: POST of JSON; tries again with growing waits."""

    def request(self, fixes: list[Fix]) -> httpx.Request:
        return self._client.build_request("POST", self.target.ingest, json=location(fixes[0], self.target.device))


class Traccar10(StockPhone):
    """Version 10: POST of a form; backs off, its queue is blocked meanwhile."""

    ordinary_wait_s = (5.0, 300.0)

    def request(self, fixes: list[Fix]) -> httpx.Request:
        return self._client.build_request("POST", self.target.ingest, data=osmand_fields(fixes[0], self.target.device))
