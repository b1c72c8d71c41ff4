"""Turns within one process: who waits for a technician's day waits here, without a connection to the database."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any

from tracker.domain.diaries import Promise

NOTED_S, MOST_NOTED = 10.0, 5_000
"""So long, and for so many technicians, a process notes what it promised."""


class Turns:
    """One at a time for each key, and one answer for everybody who asks the same at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}
        self._given: dict[Hashable, list[tuple[float, Promise]]] = {}
        self._clock = clock

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Wait until nobody else of this process is in the block with this key.

        The database's own lock would do, but each waiter would hold a connection: a rush for one technician's time would
        leave none for everybody else.
        """
        lock, waiting = self._locks.get(key) or (asyncio.Lock(), 0)
        self._locks[key] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks[key]
            if waiting == 1:
                del self._locks[key]
            else:
                self._locks[key] = lock, waiting - 1

    def give(self, key: Hashable, promise: Promise) -> None:
        """Note what has just been promised by this process."""
        now = self._clock()
        if len(self._given) > MOST_NOTED:
            self._given.clear()
        lately = [one for one in self._given.get(key, ()) if now - one[0] < NOTED_S]
        self._given[key] = [*lately, (now, promise)]

    def given_since(self, key: Hashable, since: float) -> list[Promise]:
        """What was promised by this process after a moment of `now`: then nobody need ask the database to know."""
        return [promise for at, promise in self._given.get(key, ()) if at >= since]

    @property
    def now(self) -> float:
        """The monotonic clock of `given_since`."""
        return self._clock()

    async def together[T](self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of ``ask``; whoever comes while it is being found gets the same one. Waiters may go away."""
        task = self._asked.get(key)
        if task is None:
            task = asyncio.ensure_future(ask())
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        answer: T = await asyncio.shield(task)
        return answer
