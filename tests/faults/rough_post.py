"""A mail server that misbehaves on purpose, at the step and to the letter it was told: SMTP spoken by hand (RFC 5321)."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from tests.post.catcher import SENDER, URL
from tracker.post.server import Post, Security, Server


class Fault(StrEnum):
    """What goes wrong at a step. ``AFTER`` in a comment: the letter was read whole, only nobody is told so."""

    LATER = "450 4.2.1 not now"
    NEVER = "550 5.1.1 nobody of that name"
    CLOSING = "421 4.3.2 shutting down"
    SILENT = "silent"
    DROP = "drop"
    DRIBBLE = "dribble"  # one byte after another, each in its own time


STEPS = ("rcpt", "data", "body")
"""After RCPT TO, after DATA, after the whole letter (AFTER)."""
ADDRESS = re.compile(rb"<([^>]*)>")
REFUSED = {("body", fault) for fault in (Fault.LATER, Fault.NEVER, Fault.CLOSING)}
IDENTIFIED = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.MULTILINE | re.IGNORECASE)


@dataclass
class RoughPost:
    """``plans``: recipient → the (step, fault) of its next tries, one after the other; ``taken``: Message-IDs answered 250;
    ``read``: those read whole and not refused."""

    plans: dict[str, list[tuple[str, Fault]]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    seen: Counter[Fault] = field(default_factory=Counter)
    heard: Callable[[str], None] = lambda _step: None
    port: int = 0
    dribble_s: float = 0.2

    def post(self) -> Post:
        return Post(Server(host="127.0.0.1", port=self.port, security=Security.PLAIN), SENDER, URL)

    def fault(self, recipient: str, step: str) -> Fault | None:
        plan = self.plans.get(recipient)
        if not plan or plan[0][0] != step:
            return None
        fault = plan.pop(0)[1]
        self.seen[fault] += 1
        return fault


class Gone(Exception):
    """The connection is over."""


class Conversation:
    """One connection."""

    def __init__(self, post: RoughPost, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._post, self._reader, self._writer = post, reader, writer
        self._recipient = ""

    async def hold(self) -> None:
        try:
            await self._say("220 rough")
            while line := await self._reader.readline():
                await self._command(line)
        except (Gone, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writer.transport.abort()

    async def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"RCPT":
            found = ADDRESS.search(line)
            assert found
            self._recipient = found[1].decode()
            await self._answer("rcpt", "250 ok")
        elif verb == b"DATA":
            if await self._answer("data", "354 go on"):
                await self._letter(await self._reader.readuntil(b"\r\n.\r\n"))
        elif verb == b"QUIT":
            await self._say("221 bye")
            raise Gone
        else:
            await self._say("250 ok")

    async def _letter(self, raw: bytes) -> None:
        found = IDENTIFIED.search(raw)
        assert found
        plan = self._post.plans.get(self._recipient)
        if not plan or plan[0] not in REFUSED:
            self._post.read[found[1].decode()] += 1
        if await self._answer("body", "250 taken"):
            self._post.taken[found[1].decode()] += 1

    async def _answer(self, step: str, good: str) -> bool:
        """True if it was the good answer."""
        fault = self._post.fault(self._recipient, step)
        match fault:
            case None:
                await self._say(good)
            case Fault.SILENT:
                await self._reader.read()
                raise Gone
            case Fault.DROP:
                raise Gone
            case Fault.DRIBBLE:
                for byte in f"{good}\r\n".encode():
                    self._writer.write(bytes([byte]))
                    await self._writer.drain()
                    await asyncio.sleep(self._post.dribble_s)
            case _:
                await self._say(fault.value)
        self._post.heard(step)
        if fault is Fault.CLOSING:
            raise Gone
        return fault is None

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()


@asynccontextmanager
async def rough_post(port: int = 0) -> AsyncIterator[RoughPost]:
    """The server on a free port, or on one that was told before."""
    made = RoughPost()
    talks: set[asyncio.Task[None]] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        talks.add(talk)
        try:
            await Conversation(made, reader, writer).hold()
        finally:
            talks.discard(talk)

    server = await asyncio.start_server(hold, "127.0.0.1", port, limit=2**20)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for talk in set(talks):
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
