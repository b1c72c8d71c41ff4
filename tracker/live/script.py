"""Lua functions beside this module, called by their digest with msgpack in and msgpack out."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha1
from pathlib import Path
from typing import Any

import msgspec

from tracker.errors import LiveUnavailable
from tracker.live.connect import (
    AWAY,
    Client,
    NoScriptError,
    Redis,
    RedisConnectionError,
    RedisTimeoutError,
)
from tracker.live.replies import Replies

type Call = Callable[..., Awaitable[Any]]
type Tell = Callable[[Any], None]
"""Hears the answer, or the exception that there is instead."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Line:
    """One connection of its own for one call after another (never two at once).

    redis-py's client costs 170 µs of CPU a command: half of it round the connection (retries, measurements, its pool), most
    of the rest in its reader. A call that fails is not tried again here; the next one opens a new connection.
    """

    def __init__(self, client: Redis) -> None:
        self._connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._replies: Replies | None = None
        self._tell: Tell | None = None
        self._asked_at = 0.0
        self._watch: asyncio.TimerHandle | None = None

    async def __call__(self, *command: Any) -> Any:
        """The answer; raises one of `AWAY`, or what Redis says."""
        try:
            if self._replies is None:
                await self._connection.disconnect(nowait=True)  # what was lost is not gone yet
                await self._connection.connect()
                self._replies = Replies(self._connection, self._hear, self._lose)
            if self._replies.over:
                raise RedisConnectionError
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self.ask(partial(_fulfil, answer), *command)
            outcome = await answer
        except BaseException:
            # an answer may still be on its way: it must not meet the next question
            await self.close()
            raise
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def free(self) -> bool:
        """True if it is connected and nothing is under way."""
        return self._tell is None and self._replies is not None and not self._replies.over

    def ask(self, tell: Tell, *command: Any) -> None:
        """Call once, if it is `free`; no coroutine, future or timer for it. ``tell`` hears what came of it, never at once."""
        if self._replies is None or self._tell is not None:
            raise RuntimeError("This line is not free.")
        loop = asyncio.get_running_loop()
        self._tell, self._asked_at = tell, loop.time()
        if self._watch is None:
            self._watch = loop.call_later(self._connection.socket_timeout, self._look)
        self._replies.say(*command)

    async def close(self) -> None:
        """Give the connection back."""
        self._tell = None
        self._let_go()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        await self._connection.disconnect(nowait=True)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """One timer for many calls: is the one that is under way now overdue?"""
        self._watch = None
        if self._tell is not None:
            loop = asyncio.get_running_loop()
            left_s = self._asked_at + self._connection.socket_timeout - loop.time()
            if left_s > 0:
                self._watch = loop.call_later(left_s, self._look)
            else:
                self._lose(RedisTimeoutError("No answer."))

    def _hear(self, answer: Any) -> None:
        if isinstance(answer, RedisConnectionError):
            self._lose(answer)  # loading, too many clients: the next try begins anew
        else:
            tell, self._tell = self._tell, None
            if tell is not None:
                tell(answer)

    def _lose(self, error: Exception) -> None:
        tell, self._tell = self._tell, None
        self._let_go()
        if tell is not None:
            tell(error)

    def _let_go(self) -> None:
        replies, self._replies = self._replies, None
        if replies is not None:
            replies.close()


class Script:
    """One function inside Redis. It runs alone: nothing another process does comes between its reads and its writes."""

    def __init__(self, client: Client, name: str, line: Line | None = None) -> None:
        self._line = line
        self._call: Call = line or client.execute_command
        self._text = (Path(__file__).parent / f"{name}.lua").read_text()
        self._digest = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, tag: str, argument: Any) -> Any:
        """Run it on the bucket ``tag`` (on a cluster: on the server that holds it). LiveUnavailable if Redis is away.

        Texts in ``argument`` must be str: Lua's msgpack of Redis knows no binary type.
        """
        # one declared key names the slot; the keys really used follow from the argument and carry the same tag
        packed = _encode(argument)
        try:
            try:
                answer = await self._call("EVALSHA", self._digest, 1, tag, packed)
            except NoScriptError:
                answer = await self._call("EVAL", self._text, 1, tag, packed)
        except AWAY as error:
            raise LiveUnavailable from error
        return _decode(answer)

    def ask(self, tell: Tell, tag: str, argument: Any) -> bool:
        """Run it on a line that is free, without waiting: ``tell`` hears the answer or an exception, never at once. False: there
        is no such line."""
        if self._line is None or not self._line.free:
            return False
        self._line.ask(partial(_heard, tell), "EVALSHA", self._digest, 1, tag, _encode(argument))
        return True


def _fulfil(waiting: "asyncio.Future[Any]", answer: Any) -> None:
    if not waiting.done():  # given up meanwhile
        waiting.set_result(answer)


def _heard(tell: Tell, answer: Any) -> None:
    if not isinstance(answer, Exception):
        try:
            answer = _decode(answer)
        except Exception as error:  # whoever waits must hear in any case
            answer = error
    tell(answer)
