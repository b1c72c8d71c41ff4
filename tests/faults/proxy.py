"""A proxy that cuts: after so many bytes of one direction a connection is gone, for both ends or for one of them only."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(StrEnum):
    """A direction, seen from who connects."""

    UP = "up"
    DOWN = "down"


@dataclass
class Proxy:
    """``cut`` arms it: after so many more bytes of a direction, over all connections, the one that carries the last is cut."""

    dial: Callable[[], Awaitable[Ends]]
    passed: dict[Way, int] = field(default_factory=lambda: dict.fromkeys(Way, 0))
    cuts: int = 0
    _left: int | None = None
    _way: Way = Way.UP
    _silent: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _buried: list[asyncio.StreamWriter] = field(default_factory=list)
    _far: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut(self, after: int, way: Way = Way.UP, *, silent: bool = False) -> None:
        """``silent``: the far end is told nothing, as when a cable is pulled."""
        self._left, self._way, self._silent = after, way, silent

    def calm(self) -> None:
        """Nothing is cut any more; the counts begin anew."""
        self._left = None
        self.passed = dict.fromkeys(Way, 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end or a cut ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self.dial()
        except OSError:
            writer.transport.abort()
            return
        self._far.append(far_writer)
        ways = (self._carry(reader, far_writer, Way.UP), self._carry(far_reader, writer, Way.DOWN))
        tasks = [asyncio.create_task(each) for each in ways]
        buried = False
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if any(task.result() for task in done):
                reset(writer)
                buried = self._silent
        finally:
            for task in tasks:
                task.cancel()
            if buried:
                self._buried.append(far_writer)
            else:
                far_writer.close()  # politely: what came before the cut has arrived

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> bool:
        """Carry bytes; whether it was cut."""
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self._left is not None and way is self._way:
                    if len(data) > self._left:
                        writer.write(data[: self._left])
                        await writer.drain()
                        self._left, self.cuts = None, self.cuts + 1
                        return True
                    self._left -= len(data)
                self.passed[way] += len(data)
                writer.write(data)
                await writer.drain()
        return False

    async def stop(self) -> None:
        """Nothing is carried any more."""
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._far:
            writer.transport.abort()

    def dig_up(self) -> None:
        """The far ends that were told nothing hear it now."""
        for writer in self._buried:
            writer.transport.abort()
        self._buried.clear()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection at once: what was sent on TCP last may never arrive."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.family != socket.AF_UNIX:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def before_port(port: int) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy before a port of this machine; its own port."""
    proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await proxy.stop()


@asynccontextmanager
async def before_socket(target: Path, own: Path) -> AsyncIterator[Proxy]:
    """A proxy before a unix socket, on one of its own."""
    proxy = Proxy(lambda: asyncio.open_unix_connection(target))
    server = await asyncio.start_unix_server(proxy.serve, own)
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()
