"""Turns within one process: who waits for a technician's day waits here, without a connection to the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any


class Turns:
    """One at a time for each key, and one answer for everybody who asks the same at once."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

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

    async def together[T](self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer of ``ask``; whoever comes while it is being found gets the same one. Waiters may go away."""
        task = self._asked.get(key)
        if task is None:
            task = asyncio.ensure_future(ask())
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        answer: T = await asyncio.shield(task)
        return answer
