"""What one request of a stock phone app came to: who wrote it, its pings, and the answer that app takes for a success."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tracker.domain.pings import Ping


class App(StrEnum):
    """The phone apps that can be told apart by what they send."""

    OWNTRACKS = "owntracks"
    OVERLAND = "overland"
    TRACCAR = "traccar"  # ≤ 8 and 10: the OsmAnd form
    TRACCAR_9 = "traccar_9"
    TRACCAR_SDK = "traccar_sdk"
    GPSLOGGER = "gpslogger"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """One request, understood.

    ``pings``: the fixes in the order to be judged. ``alive``: the request came from the running app, so the phone can be
    reached now even if it brought no fix (heartbeat). ``battery`` 0–1 where a heartbeat tells it. ``written``: the phone's
    own clock when it wrote, where the app says so; it may have been sent much later. ``mode``: OwnTracks' monitoring mode,
    where it says so. ``unusable``: how many parts were left out and why. ``answer`` and ``answer_type``: the body to send
    with status 200, whatever became of the pings, unless a retry would help.
    """

    app: App
    pings: tuple[Ping, ...] = ()
    alive: bool = True
    battery: float | None = None
    written: datetime | None = None
    mode: int | None = None
    unusable: Counter[str] = field(default_factory=Counter)
    answer: bytes = b""
    answer_type: str = "text/plain; charset=utf-8"


JSON_TYPE = "application/json"


def empty_list(app: App, **found: object) -> Reading:
    """A reading that is answered by ``[]``: success in OwnTracks' language, and harmless in the others'."""
    return Reading(app, answer=b"[]", answer_type=JSON_TYPE, **found)  # type: ignore[arg-type]


def result_ok(app: App, **found: object) -> Reading:
    """A reading that is answered by ``{"result":"ok"}``: with anything else Overland keeps its batch for ever."""
    return Reading(app, answer=b'{"result":"ok"}', answer_type=JSON_TYPE, **found)  # type: ignore[arg-type]
