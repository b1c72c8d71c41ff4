"""Lua functions beside this module, called by their digest with msgpack in and msgpack out."""

from collections.abc import Awaitable, Callable
from hashlib import sha1
from pathlib import Path
from typing import Any

import msgspec

from tracker.errors import LiveUnavailable
from tracker.live.connect import AWAY, Client, NoScriptError, Redis, ResponseError

type Call = Callable[..., Awaitable[Any]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Line:
    """One connection of its own for one call after another (never two at once).

    redis-py's client costs 170 µs of CPU a command, half of it round the connection (retries, measurements, its pool);
    on the way of a ping the connection itself is enough. A call that fails is tried once more on a new connection, so
    what is called must not mind being called twice.
    """

    def __init__(self, client: Redis) -> None:
        self._connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]

    async def __call__(self, *command: Any) -> Any:
        """The answer; raises one of `AWAY`, or what Redis says."""
        try:
            return await self._once(command)
        except AWAY:
            return await self._once(command)

    async def _once(self, command: tuple[Any, ...]) -> Any:
        connection = self._connection
        try:
            await connection.connect()
            await connection.send_packed_command(connection.pack_command(*command), check_health=False)
            return await connection.read_response()
        except ResponseError:
            raise
        except BaseException:
            # an answer may still be on its way: it must not meet the next question
            await connection.disconnect(nowait=True)
            raise

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.disconnect()


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
