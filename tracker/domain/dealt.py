"""Which pings of a phone's store have been dealt with: everything up to a number, and ranges above it."""

from bisect import bisect_right
from collections.abc import Iterable

MOST_RANGES = 64
"""A phone that leaves more gaps than this is broken; the lowest range is forgotten then (its pings, sent again, are harmless)."""


class Dealt:
    """The seqs of one boot that need not be sent again. ``upto``: every one up to it (`ack.seq` of the protocol)."""

    __slots__ = ("_ranges", "upto")

    def __init__(self, upto: int, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self.upto = upto
        self._ranges = list(ranges)

    @classmethod
    def read(cls, text: str) -> "Dealt":
        """What ``text`` wrote; ValueError for anything else."""
        upto, _, rest = text.partition(";")
        pairs = (part.split("-") for part in rest.split(",") if part)
        return cls(int(upto), ((int(low), int(high)) for low, high in pairs))

    def text(self) -> str:
        """``41;57-57,60-63``: how Redis keeps it."""
        if not self._ranges:
            return str(self.upto)
        return f"{self.upto};" + ",".join(f"{low}-{high}" for low, high in self._ranges)

    def copy(self) -> "Dealt":
        """Another one, to be changed without changing this."""
        return Dealt(self.upto, self._ranges)

    def __contains__(self, seq: int) -> bool:
        if seq <= self.upto:
            return True
        at = bisect_right(self._ranges, seq, key=_low) - 1
        return at >= 0 and seq <= self._ranges[at][1]

    def advance(self, upto: int) -> None:
        """The phone holds nothing up to here any more (`hello.first` − 1)."""
        self.upto = max(self.upto, upto)
        self._swallow()

    def add(self, seq: int) -> None:
        """This one has been dealt with."""
        if seq == self.upto + 1:  # nearly always
            self.upto = seq
            if self._ranges:
                self._swallow()
        elif seq not in self:
            self._insert(seq)

    def _insert(self, seq: int) -> None:
        ranges = self._ranges
        at = bisect_right(ranges, seq, key=_low)
        low = high = seq
        if at < len(ranges) and ranges[at][0] == seq + 1:
            high = ranges.pop(at)[1]
        if at and ranges[at - 1][1] == seq - 1:
            at -= 1
            low = ranges.pop(at)[0]
        ranges.insert(at, (low, high))
        if len(ranges) > MOST_RANGES:
            ranges.pop(0)

    def _swallow(self) -> None:
        while self._ranges and self._ranges[0][0] <= self.upto + 1:
            self.upto = max(self.upto, self._ranges.pop(0)[1])


def _low(pair: tuple[int, int]) -> int:
    return pair[0]
