"""What many thousand connections must not cost: memory all their life, and everybody else's turn when all come at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from weakref import WeakKeyDictionary

AT_ONCE = 5
"""Sockets that ask the records at the same time: half of the connections there are stay free for requests, so that a step or
a booking does not wait behind two thousand viewers who come back together."""

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def apart[T](work: Coroutine[Any, Any, T]) -> T:
    """Do ``work``, which asks the records for a socket, in a task of its own; at most `AT_ONCE` of a process do so at a time.

    SQLAlchemy switches greenlets, and that leaves a frame object behind at every coroutine on the stack, for as long as the
    coroutine lives: a socket's stack is eighteen deep and lives for hours (five kilobytes a viewer).
    """
    try:
        return await asyncio.create_task(_in_turn(work))
    finally:
        work.close()  # given up before its turn


async def _in_turn[T](work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    turns = _turns.get(loop)
    if turns is None:
        turns = _turns[loop] = asyncio.Semaphore(AT_ONCE)
    async with turns:
        return await work


class Inbox:
    """Messages for one reader: the part of `asyncio.Queue` that uvicorn uses. (An empty Queue and Event take three kilobytes.)"""

    __slots__ = ("_items", "_reader")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, item: Any) -> None:
        """Add one."""
        self._items.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        """The oldest, once there is one."""
        while not self._items:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._items.pop(0)

    def empty(self) -> bool:
        """True if nothing waits."""
        return not self._items


class Flag:
    """An `asyncio.Event` that begins set and is an object of its own only while it is not."""

    __slots__ = ("_cleared",)

    def __init__(self) -> None:
        self._cleared: asyncio.Event | None = None

    def is_set(self) -> bool:
        return self._cleared is None

    def clear(self) -> None:
        self._cleared = self._cleared or asyncio.Event()

    def set(self) -> None:
        if self._cleared is not None:
            self._cleared.set()
            self._cleared = None

    async def wait(self) -> None:
        if self._cleared is not None:
            await self._cleared.wait()
