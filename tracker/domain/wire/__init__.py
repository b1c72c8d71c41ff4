"""The stock phones' formats: bytes in, pings in SI units out, and the answer that the app takes for a success."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from tracker.domain.pings import Ping
from tracker.domain.wire import overland, owntracks, traccar
from tracker.domain.wire.owntracks import SIGNIFICANT, monitoring_command, monitoring_wanted
from tracker.domain.wire.reading import JSON_TYPE, App, Reading, empty_list, result_ok

__all__ = ["SIGNIFICANT", "App", "Reading", "monitoring_command", "monitoring_wanted", "read"]

_MAX_FIELDS = 64
_FORM_KEYS = frozenset({"lat", "lon", "location", "id", "deviceid", "notificationToken"})
_MALFORMED = object()


def read(
    body: bytes,
    *,
    now: datetime,
    query: str = "",
    method: str = "POST",
    user_agent: str = "",
    passphrase: str | None = None,
    at_overland: bool = False,
    name: str = "Technician tracker",
) -> Reading:
    """What one request of a stock phone app says. Never raises: what can never be used is counted in ``unusable``.

    The bytes decide, not the Content-Type: it is missing or wrong too often. ``query`` is the raw query string, ``now``
    the time of receipt (aware UTC), ``passphrase`` OwnTracks' shared secret, ``at_overland`` True at the address only
    Overland's format is sent to, ``name`` what a GET without anything is told (Overland shows it).
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    fields = _form(query)
    if text[:1] in (b"{", b"["):
        return _read_json(text, fields, now, user_agent, passphrase, at_overland)
    fields = {**fields, **_form(text.decode("utf-8", "replace"))} if text else fields
    if _FORM_KEYS & fields.keys():
        return traccar.read_form(fields, now)
    if method in ("GET", "HEAD") and not text:
        return Reading(App.UNKNOWN, answer=msgspec.json.encode({"name": name}), answer_type=JSON_TYPE)
    return _shrug("malformed" if text else None, at_overland)


def _read_json(
    text: bytes, fields: dict[str, object], now: datetime, user_agent: str, passphrase: str | None, at_overland: bool
) -> Reading:
    match _decoded(text):
        case {"_type": _} as message:
            return owntracks.read(message, user_agent, passphrase)
        case {"locations": list()} as batch:
            return overland.read(batch)
        case {"location": dict() | list()} as message:
            return traccar.read_9(message)
        case dict() as message if _FORM_KEYS & message.keys():
            return traccar.read_form(message, now)
        case [{"_type": _}, *_] as messages:
            return _several(messages, user_agent, passphrase)
        case [_, *_] as items:
            return traccar.read_array(items, now)
        case [] if not at_overland:
            return empty_list(App.UNKNOWN)
        case _ if fields.keys() & _FORM_KEYS:
            return traccar.read_form(fields, now)
        case wrong:
            return _shrug("malformed" if wrong is _MALFORMED else "unknown_shape", at_overland)


def _several(messages: Sequence[object], user_agent: str, passphrase: str | None) -> Reading:
    """OwnTracks messages in one array (a queue sent at once): read one by one, answered once."""
    unusable: Counter[str] = Counter()
    pings: list[Ping] = []
    reading = empty_list(App.OWNTRACKS)
    for message in messages:
        if isinstance(message, dict):
            reading = owntracks.read(message, user_agent, passphrase)
            pings += reading.pings
            unusable += reading.unusable
        else:
            unusable["malformed"] += 1
    return replace(reading, pings=tuple(pings), unusable=unusable)


def _shrug(reason: str | None, at_overland: bool) -> Reading:
    """Nothing that can be used: still a success to whoever sent it, or the app would send the same for ever."""
    done = result_ok if at_overland else empty_list
    unusable = Counter({reason: 1}) if reason else Counter()
    return done(App.OVERLAND if at_overland else App.UNKNOWN, alive=reason is None, unusable=unusable)


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _MALFORMED


def _form(text: str) -> dict[str, object]:
    """The fields of a query or form body, the first value of each; {} if it is none."""
    try:
        pairs = parse_qsl(text, keep_blank_values=False, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
    fields: dict[str, object] = {}
    for key, value in pairs:
        fields.setdefault(key, value)
    return fields
