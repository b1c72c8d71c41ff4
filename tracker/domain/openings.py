"""Which of some times a person works at and is not yet promised at, as bits: a bound by which thousands are sifted quickly."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from tracker.domain.shifts import Span


def upon(times: Sequence[int], spans: Iterable[Span], lasts_s: int) -> int:
    """Bit n is set if something that lasts so many seconds from ``times[n]`` (in order) would lie upon one of the spans."""
    found = 0
    for start, end in spans:
        first, after = bisect_right(times, start - lasts_s), bisect_left(times, end)
        if first < after:
            found |= (1 << after) - (1 << first)
    return found


def within(times: Sequence[int], spans: Iterable[Span]) -> int:
    """Bit n is set if ``times[n]`` lies in one of the spans."""
    return upon(times, spans, 1)


def bits(times: Sequence[int], wanted: Iterable[int]) -> int:
    """The bits of those of the times that are wanted."""
    chosen = set(wanted)
    return sum(1 << n for n, time in enumerate(times) if time in chosen)
