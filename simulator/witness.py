"""What one viewer was told, checked against the promises while it comes in: pure, without a network."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

type Seen = Callable[[int], object]
"""Called with the fix time (ms) of every position that is shown."""


@dataclass(frozen=True, slots=True)
class EtaShown:
    """One arrival estimate as shown: when (server's clock), for when, between when and when, made of what."""

    shown_at: datetime
    at: datetime
    low: datetime
    high: datetime
    basis: str


@dataclass(slots=True)
class Witness:
    """Keeps what a viewer needs to resume, what a report needs, and every broken promise in words."""

    seen: Seen = lambda fix_at_ms: None
    epoch: str | None = None
    offset: int | None = None
    state: str | None = None
    frames: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    etas: list[EtaShown] = field(default_factory=list)
    left_at: datetime | None = None
    """When `traveling` began to be seen (server's clock)."""
    arrived_at: datetime | None = None
    """When `in_progress` was told: the true arrival for the report."""
    over: bool = False

    def heard(self, frame: Mapping[str, Any]) -> bool:
        """Takes one frame of `/ws/live`; True if it must be answered with `seen`."""
        kind = str(frame["type"])
        self.frames[kind] += 1
        if kind == "beat":
            return False
        if kind == "snapshot":
            self._check_snapshot(frame)
        elif self.offset is not None and frame["offset"] <= self.offset:
            self.broken.append(f"offset {frame['offset']} after {self.offset} in one epoch")
        self.epoch = frame.get("epoch", self.epoch)
        self.offset = frame["offset"]
        self._follow_state(frame)
        self._look(frame)
        self.over = kind == "ended" or (kind == "snapshot" and self.state in {"completed", "canceled"})
        return kind == "update"

    def _check_snapshot(self, frame: Mapping[str, Any]) -> None:
        if self.epoch is None or frame["epoch"] != self.epoch:
            if self.epoch is not None and frame.get("recovered"):
                self.broken.append("recovered across two epochs")
            return
        if self.offset is not None and frame["offset"] < self.offset:
            self.broken.append(f"snapshot at offset {frame['offset']} after {self.offset} in one epoch")

    def _follow_state(self, frame: Mapping[str, Any]) -> None:
        state = frame.get("state")
        if state is None or state == self.state:
            return
        now = datetime.fromisoformat(frame["now"])
        if state == "traveling":
            self.left_at, self.arrived_at = now, None
        elif state == "in_progress" and self.state == "traveling":
            self.arrived_at = now
        self.state = str(state)

    def _look(self, frame: Mapping[str, Any]) -> None:
        position, eta = frame.get("position"), frame.get("eta")
        if position is not None and self.state != "traveling":
            self.broken.append(f"a position while {self.state}")
        if position is not None:
            self.seen(round(datetime.fromisoformat(position["fix_at"]).timestamp() * 1000))
        if eta is not None and eta.get("low") and eta.get("high"):
            now, at, low, high = (datetime.fromisoformat(text) for text in (frame["now"], eta["at"], eta["low"], eta["high"]))
            self.etas.append(EtaShown(now, at, low, high, str(eta["basis"])))
            if not self.etas[-1].low <= self.etas[-1].at <= self.etas[-1].high:
                self.broken.append("an arrival outside its own range")
