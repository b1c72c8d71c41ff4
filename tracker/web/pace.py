"""How fast one socket may speak: a purse that fills with time and pays for each frame."""


class Pace:
    """``per_second`` frames for ever, ``burst`` at once. The rate lies far below what the slowest machine reads: a flood is one
    on every machine, and nothing that is none becomes one because a machine is fast."""

    __slots__ = ("_at", "_burst", "_credit", "_per_second")

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._credit, self._at = burst, now

    def spent(self, now: float) -> bool:
        """Pay for one frame at ``now`` (monotonic seconds); True if that was more than there is."""
        credit = self._credit + (now - self._at) * self._per_second
        self._credit, self._at = (self._burst if credit > self._burst else credit) - 1, now
        return self._credit < 0

    @property
    def poor(self) -> bool:
        """True if the next frame may be too much."""
        return self._credit < 1
