"""The words of our own phone's protocol: frames, the server's policy, and what each close code asks of the phone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from simulator.tracks import Fix

FOR_GOOD = {
    4401: "bad or ended credentials",
    4403: "not allowed",
    4409: "replaced by a newer connection of this device",
    1008: "against the policy",
}
WAITS_S = {1012: (0.5, 5.0), 4429: (10.0, 30.0)}
"""Reconnect after so long, at random between the two; any other end backs off from half a second."""


class GivenUp(Exception):
    """The server ended this phone's connection for good; the text says why."""


class StepRefused(Exception):
    """The server answered a step with an error: ``code`` for programs, the text for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Policy:
    """What the server asks of the phone."""

    interval_s: float = 5.0
    sharing: bool = True
    appointment: str | None = None


def text_of(at: datetime) -> str:
    """A time of the wire: RFC 3339 with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ping_of(seq: int, fix: Fix) -> dict[str, Any]:
    """A ping of the wire: what the receiver did not say is absent."""
    known = {"acc": fix.acc, "speed": fix.speed, "course": fix.course, "battery": fix.battery}
    return {"seq": seq, "at": text_of(fix.at), "lat": fix.lat, "lon": fix.lon} | {
        key: value for key, value in known.items() if value is not None
    }


def frame_of(message: dict[str, Any]) -> str:
    """A message as one text frame."""
    return msgspec.json.encode(message).decode()
