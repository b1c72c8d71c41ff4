"""GPSLogger for Android with a custom URL: a template filled for each fix, m/s; three tries, then the fix is lost."""

from urllib.parse import quote

import httpx

from simulator.phones.stock import Outcome, StockPhone
from simulator.tracks import Fix

TEMPLATE = "lat=%LAT&lon=%LON&timestamp=%TIMESTAMP&acc=%ACC&spd=%SPD&dir=%DIR&alt=%ALT&batt=%BATT"
"""The query our set-up page gives to technicians."""


def filled(template: str, fix: Fix) -> str:
    """The template with its words replaced; what the phone does not know is an empty text, as in the app."""

    def text(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    words = {
        "%TIMESTAMPMS": str(fix.at_ms),
        "%TIMESTAMP": str(round(fix.at.timestamp())),
        "%TIME": quote(fix.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")),
        "%LAT": repr(fix.lat),
        "%LON": repr(fix.lon),
        "%ACC": text(fix.acc, 1),
        "%SPD_KPH": text(None if fix.speed is None else fix.speed * 3.6, 3),
        "%SPD": text(fix.speed, 3),
        "%DIR": text(fix.course, 2),
        "%ALT": text(fix.ele, 1),
        "%BATT": text(None if fix.battery is None else fix.battery * 100, 0),
    }
    for word, value in words.items():
        template = template.replace(word, value)
    return template


class GpsLogger(StockPhone):
    """GET (or POST) on the filled address. A fix that fails three times is gone."""

    method = "GET"
    template = TEMPLATE
    ordinary_wait_s = (10.0, 40.0)
    tries = 3

    def request(self, fixes: list[Fix]) -> httpx.Request:
        return self._client.build_request(self.method, f"{self.target.ingest}?{filled(self.template, fixes[0])}")

    def judged(self, answer: httpx.Response, attempt: int) -> Outcome:
        return Outcome.TAKEN if answer.is_success else self.unreachable(attempt)

    def unreachable(self, attempt: int) -> Outcome:
        return Outcome.LOST if attempt >= self.tries else Outcome.RETRY
