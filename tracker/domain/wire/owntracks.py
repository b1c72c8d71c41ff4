"""OwnTracks in HTTP mode, and Overland's imitation of it. Source: owntracks.org/booklet/tech/json, both apps' code.

km/h, battery 0–100, ``tst`` in seconds. ``t:"p"`` is the app's own ping: its ``tst`` is now, its place an old one.
"""

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from tracker.domain.pings import Ping
from tracker.domain.wire.reading import App, Reading, empty_list, result_ok
from tracker.domain.wire.values import KMH_MPS, accuracy_m, battery, course_deg, moment, not_negative, number

APPLE_EPOCH_S = 978_307_200
"""2001-01-01 UTC in seconds since 1970: where older Overlands begin to count."""

_LAST_WILL = "lwt"  # written by a broker after the phone was gone
_NONCE_BYTES, _KEY_BYTES = 24, 32


def read(message: Mapping[str, object], user_agent: str, passphrase: str | None) -> Reading:
    """One message; anything but a location is acknowledged and left out."""
    kind = message.get("_type")
    if kind == "encrypted":
        opened = _decrypted(message.get("data"), passphrase)
        if opened is None:
            return empty_list(App.OWNTRACKS, unusable=Counter(undecryptable=1))
        return read(opened, user_agent, None)  # without the key: a box in a box would let a sender choose how deep we dig
    if kind != "location":
        return empty_list(App.OWNTRACKS, alive=kind != _LAST_WILL)
    overland = _is_overland(message, user_agent)
    done = result_ok if overland else empty_list
    charge = battery(message.get("batt"), 100)
    written = moment(message.get("created_at"))
    if message.get("t") == "p":
        return done(App.OWNTRACKS, battery=charge, written=written)
    ping = _ping(message, charge, overland)
    app = App.OVERLAND if overland else App.OWNTRACKS
    if isinstance(ping, str):
        return done(app, battery=charge, written=written, unusable=Counter({ping: 1}))
    return done(app, pings=(ping,), battery=charge, written=written, mode=_mode(message.get("m")))


SIGNIFICANT, MOVE = 1, 2
"""The modes that are asked for. Never quiet (−1) or manual (0): a phone in these says nothing, so it could not be called back."""


def monitoring_wanted(appointment: str | None) -> int:
    """Move mode while a visit is under way, significant changes else."""
    return MOVE if appointment else SIGNIFICANT


def _mode(said: object) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and -1 <= said <= MOVE else None


def monitoring_command(mode: int) -> bytes:
    """The answer that sets the app's mode: −1 quiet, 0 manual, 1 significant changes, 2 move. Send it only on a change."""
    configuration = {"_type": "configuration", "monitoring": mode}
    return msgspec.json.encode([{"_type": "cmd", "action": "setConfiguration", "configuration": configuration}])


def _ping(message: Mapping[str, object], charge: float | None, overland: bool) -> Ping | str:
    at = _fix_time(message.get("tst"), overland)
    lat, lon = number(message.get("lat")), number(message.get("lon"))
    if at is None:
        return "no_time"
    if lat is None or lon is None:
        return "no_place"
    return Ping(
        at=at,
        lat=lat,
        lon=lon,
        acc=accuracy_m(message.get("acc")),
        speed=not_negative(message.get("vel"), KMH_MPS),
        course=course_deg(message.get("cog")),
        battery=charge,
    )


def _fix_time(tst: object, overland: bool) -> datetime | None:
    seconds = number(tst)
    at = moment(tst)
    if overland and at is not None and seconds is not None and 0 < seconds < 1e9:
        return at + timedelta(seconds=APPLE_EPOCH_S)
    return at


def _is_overland(message: Mapping[str, object], user_agent: str) -> bool:
    """True for Overland's OwnTracks mode: it never sends ``created_at`` or ``tid``, and shows itself by one more habit."""
    if "created_at" in message or "tid" in message:
        return False
    tst, topic = number(message.get("tst")), message.get("topic")
    return (
        (tst is not None and tst < 1e9)
        or number(message.get("batt")) == -100
        or "overland" in user_agent.lower()
        or (isinstance(topic, str) and topic.count("/") == 1)  # the real app writes owntracks/user/device
    )


def _decrypted(data: object, passphrase: str | None) -> dict[str, object] | None:
    """The message inside libsodium's secretbox (nonce first, key = passphrase padded with zeros); None if it stays shut."""
    if not isinstance(data, str) or not passphrase:
        return None
    try:
        from nacl.exceptions import CryptoError
        from nacl.secret import SecretBox
    except ImportError:  # an optional part: without it encrypted messages are counted and left out
        return None
    try:
        sealed = b64decode(data, validate=True)
        box = SecretBox(passphrase.encode()[:_KEY_BYTES].ljust(_KEY_BYTES, b"\0"))
        opened = msgspec.json.decode(box.decrypt(sealed[_NONCE_BYTES:], sealed[:_NONCE_BYTES]))
    except (binascii.Error, ValueError, CryptoError, msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return opened if isinstance(opened, dict) else None
