"""Overland: GeoJSON batches (lon before lat), m/s, and a batch is forgotten only on `{"result":"ok"}`."""

from typing import Any

import httpx
import msgspec

from simulator.phones.stock import Outcome, StockPhone
from simulator.tracks import Fix


def feature(fix: Fix, device: str, in_payload: int) -> dict[str, Any]:
    """One fix as the app writes it: −1 where the phone does not know."""

    def known(value: float | None) -> float:
        return -1 if value is None else value

    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [fix.lon, fix.lat]},
        "properties": {
            "timestamp": fix.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "device_id": device,
            "altitude": round(fix.ele or 0.0),
            "speed": known(fix.speed),
            "course": known(fix.course),
            "horizontal_accuracy": known(fix.acc),
            "vertical_accuracy": -1,
            "motion": ["driving"],
            "battery_state": "unplugged",
            "battery_level": known(fix.battery),
            "wifi": "",
            "locations_in_payload": in_payload,
        },
    }


class Overland(StockPhone):
    """Sends up to ``batch`` fixes, oldest first.

    `current` is added when more wait than fit, so that a backlog does not hide the present place.
    """

    batch = 200
    ordinary_wait_s = (10.0, 60.0)

    def request(self, fixes: list[Fix]) -> httpx.Request:
        device = self.target.device
        payload: dict[str, Any] = {"locations": [feature(fix, device, len(fixes)) for fix in fixes]}
        if self.held > self.batch and self._newest is not None:
            payload["current"] = feature(self._newest, device, 1)
        return self._client.build_request("POST", self.target.ingest, json=payload)

    def judged(self, answer: httpx.Response, attempt: int) -> Outcome:
        try:
            said = msgspec.json.decode(answer.content) if answer.is_success else None
        except msgspec.DecodeError:
            said = None
        return Outcome.TAKEN if isinstance(said, dict) and said.get("result") == "ok" else Outcome.RETRY
