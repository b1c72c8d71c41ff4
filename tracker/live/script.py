"""Lua functions beside this module, called by their digest with msgpack in and msgpack out."""

import asyncio
from collections.abc import Awaitable, Callable
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

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Line:
    """One connection of its own for one call after another (never two at once).

    redis-py's client costs 170 µs of CPU a command: half of it round the connection (retries, measurements, its pool), most
    of the rest in its reader. A call that fails is tried once more on a new connection, so what is called must not mind
    being called twice.
    """

    def __init__(self, client: Redis) -> None:
        self._connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._replies: Replies | None = None
        self._answer: asyncio.Future[Any] | None = None

    async def __call__(self, *command: Any) -> Any:
        """The answer; raises one of `AWAY`, or what Redis says."""
        try:
            return await self._once(command)
        except AWAY:
            return await self._once(command)

    async def _once(self, command: tuple[Any, ...]) -> Any:
        try:
            if self._replies is None:
                await self._connection.connect()
                self._replies = Replies(self._connection, self._hear, self._lose)
            answer = await self._asked(self._replies, command)
        except BaseException:
            # an answer may still be on its way: it must not meet the next question
            await self.close()
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _asked(self, replies: Replies, command: tuple[Any, ...]) -> Any:
        if replies.over:
            raise RedisConnectionError
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        late = loop.call_later(self._connection.socket_timeout, self._lose, RedisTimeoutError("No answer."))
        try:
            replies.say(*command)
            return await self._answer
        finally:
            late.cancel()
            self._answer = None

    def _hear(self, answer: Any) -> None:
        if isinstance(answer, RedisConnectionError):
            self._lose(answer)  # loading, too many clients: the next try begins anew
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _lose(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    async def close(self) -> None:
        """Give the connection back."""
        replies, self._replies = self._replies, None
        if replies is not None:
            replies.close()
        await self._connection.disconnect(nowait=True)


class Script:
    """One function inside Redis. It runs alone: nothing another process does comes between its reads and its writes."""

    def __init__(self, client: Client, name: str, line: Line | None = None) -> None:
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
