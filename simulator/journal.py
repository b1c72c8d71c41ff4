"""When a fix went onto the wire and when viewers saw it, on one monotonic clock: the simulator stands at both ends."""

import time
from bisect import bisect_left, insort

from simulator.tracks import Fix


class Journal:
    """Fixes of one technician by fix time. Stock apps round to whole seconds, servers correct clocks: the nearest fix counts."""

    def __init__(self, tolerance_ms: int = 600) -> None:
        self.latencies_s: list[float] = []
        """Seconds from the phone's send to each viewer's frame, once per viewer and fix."""
        self.polled_s: list[float] = []
        """The same for viewers who poll: their own pace is in it."""
        self._tolerance_ms = tolerance_ms
        self._times: list[int] = []
        self._sent: dict[int, float] = {}
        self._seen: set[tuple[str, int]] = set()

    def sent(self, fix: Fix) -> None:
        """The fix goes onto the wire now."""
        at_ms = fix.at_ms
        if at_ms not in self._sent:
            insort(self._times, at_ms)
        self._sent.setdefault(at_ms, time.monotonic())

    def seen(self, viewer: str, fix_at_ms: int, *, polled: bool = False) -> float | None:
        """A viewer has a frame with this fix; the latency in seconds if it is the first time and the fix is known."""
        now = time.monotonic()
        at_ms = self._nearest(fix_at_ms)
        if at_ms is None or (viewer, at_ms) in self._seen:
            return None
        self._seen.add((viewer, at_ms))
        latency = now - self._sent[at_ms]
        (self.polled_s if polled else self.latencies_s).append(latency)
        return latency

    def _nearest(self, at_ms: int) -> int | None:
        i = bisect_left(self._times, at_ms)
        near = min(self._times[max(0, i - 1) : i + 1], key=lambda known: abs(known - at_ms), default=None)
        return near if near is not None and abs(near - at_ms) <= self._tolerance_ms else None
