"""Answers over HTTP that may carry a position, and the closings that must not be overtaken by one."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

SETTLE_S = 0.5
"""How long a closing waits for answers that are being sent; then it breaks them off."""
REMEMBERED = 4096


class Closings:
    """One per process."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._readers: dict[str, set[asyncio.Task[Any]]] = {}

    def count(self, appointment: str) -> int:
        """Raised by each closing of a visit: what was read before is over."""
        return self._counts.get(appointment, 0)

    def note(self, appointment: str) -> None:
        """A leg of this visit is being closed."""
        self._counts[appointment] = self._counts.pop(appointment, 0) + 1
        while len(self._counts) > REMEMBERED:
            del self._counts[next(iter(self._counts))]

    async def settled(self, appointment: str) -> None:
        """Return when no answer begun before is still being sent."""
        readers = list(self._readers.get(appointment, ()))
        if readers:
            _, slow = await asyncio.wait(readers, timeout=SETTLE_S)
            for task in slow:
                task.cancel()

    @contextlib.contextmanager
    def reading(self, appointment: str) -> Iterator[None]:
        """Inside, an answer that may carry a position is made and sent; a closing waits for it, or breaks it off."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - only coroutines answer requests
        readers = self._readers.setdefault(appointment, set())
        readers.add(task)
        try:
            yield
        finally:
            readers.discard(task)
            if not readers and self._readers.get(appointment) is readers:
                del self._readers[appointment]
