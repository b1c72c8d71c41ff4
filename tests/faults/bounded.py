"""Long fault runs in bounded time: as many rounds as are wanted or as fit, and a table row that says how many it were."""

import os
import time
from collections.abc import Iterator, Mapping

MINUTES = float(os.environ.get("FAULT_MINUTES", "5"))
"""So long does one long fault test go on with new rounds, alone on a machine or not."""


def rounds(wanted: int, minutes: float = MINUTES) -> Iterator[int]:
    """0, 1, 2 … until so many were made or the time is over; at least one."""
    until = time.monotonic() + 60 * minutes
    for number in range(wanted):
        if number and time.monotonic() > until:
            return
        yield number


def report(
    fault: str, where: str, made: int, wanted: int, figures: Mapping[str, object], faults: Mapping[str, int] | None = None
) -> None:
    """Print one run as a table of two rows, its size beside what was wanted; then fail if a single ``fault`` was counted."""
    faults = faults or {}
    size = f"{made:,}" if made == wanted else f"{made:,} of {wanted:,} (time is over)"
    named: dict[str, object] = {"fault": fault, "on": where, "rounds": size, **figures, **faults}
    print("\n| " + " | ".join(named) + " |\n|" + " --- |" * len(named) + "\n| " + " | ".join(map(str, named.values())) + " |")
    assert not any(faults.values()), faults
