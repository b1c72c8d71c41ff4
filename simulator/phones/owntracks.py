"""OwnTracks in HTTP mode: one JSON object a fix, speed in km/h, answer `[]` or commands."""

import base64
from hashlib import blake2b
from typing import Any

import httpx
import msgspec

from simulator.phones.stock import KMH_PER_MPS, Outcome, StockPhone
from simulator.tracks import Fix

MOVE = 2


def location(fix: Fix, device: str, mode: int = MOVE) -> dict[str, Any]:
    """The app's `location` message, written when the fix was made, whenever it is sent.

    The app rounds as its platform does: whole km/h, degrees, metres and per cent.
    """
    said = {
        "_type": "location",
        "_id": blake2b(f"{device}{fix.at_ms}{fix.lat}{fix.lon}".encode(), digest_size=4).hexdigest(),
        "BSSID": "",
        "created_at": round(fix.at.timestamp()),
        "tst": round(fix.at.timestamp()),
        "lat": round(fix.lat, 7),
        "lon": round(fix.lon, 7),
        "tid": device[-2:],
        "t": "u",
        "m": mode,
        "conn": "m",
        "acc": None if fix.acc is None else round(fix.acc),
        "vel": None if fix.speed is None else round(fix.speed * KMH_PER_MPS),
        "cog": None if fix.course is None else round(fix.course) % 360,
        "alt": None if fix.ele is None else round(fix.ele),
        "batt": None if fix.battery is None else round(fix.battery * 100),
    }
    return {key: value for key, value in said.items() if value is not None}


def encrypted(message: bytes, passphrase: str) -> bytes:
    """The app's encrypted form: nonce and libsodium secretbox in base64; the key is the passphrase, zero-padded to 32 bytes."""
    from nacl.secret import SecretBox  # optional: only for phones with a passphrase

    box = SecretBox(passphrase.encode().ljust(32, b"\0")[:32])
    return msgspec.json.encode({"_type": "encrypted", "data": base64.b64encode(box.encrypt(message)).decode()})


class OwnTracks(StockPhone):
    """Android keeps its queue on any trouble, also on 4xx; iOS drops the fix on 4xx. Success is 200 with a JSON list."""

    ios = False
    passphrase: str | None = None
    monitoring = MOVE

    def request(self, fixes: list[Fix]) -> httpx.Request:
        body = msgspec.json.encode(location(fixes[0], self.target.device, self.monitoring))
        if self.passphrase:
            body = encrypted(body, self.passphrase)
        headers = {"Content-Type": "application/json", "X-Limit-U": "technician", "X-Limit-D": self.target.device}
        return self._client.build_request("POST", self.target.ingest, content=body, headers=headers)

    def judged(self, answer: httpx.Response, attempt: int) -> Outcome:
        if answer.is_success and (commands := _list(answer.content)) is not None:
            self._obey(commands)
            return Outcome.TAKEN
        return Outcome.LOST if self.ios and answer.is_client_error else Outcome.RETRY

    def _obey(self, commands: list[Any]) -> None:
        """The app changes its mode when it is told to, and says so from then on."""
        for each in commands:
            match each:
                case {"_type": "cmd", "action": "setConfiguration", "configuration": {"monitoring": int(mode)}}:
                    self.monitoring = mode


def _list(body: bytes) -> list[Any] | None:
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return said if isinstance(said, list) else None


class OwnTracksIos(OwnTracks):
    """The iOS app."""

    ios = True
