"""A connection to Redis whose answers are read where the bytes come in: redis-py opens it, then we listen ourselves."""

import asyncio
from collections.abc import Callable
from typing import Any

from hiredis import Reader
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

type Hear = Callable[[Any], None]
"""Hears every answer, in the order in which Redis sent them; errors of Redis are answers, too."""
type Lost = Callable[[Exception], object]
"""Hears once that no more answers will come."""


class Replies(asyncio.Protocol):
    """Takes the place of redis-py's stream on a connection that stands; address, TLS, password and database are its affair.

    Theirs costs a task's turn, a timer and five coroutines for each answer: more than the answer itself. Nothing may be
    under way on the connection when this takes it over.
    """

    def __init__(self, connection: Any, hear: Hear, lost: Lost) -> None:
        self._connection, self._hear, self._lost = connection, hear, lost
        self._reader = Reader(protocolError=RedisConnectionError, replyError=connection._parser.parse_error)
        self._over = False
        self._transport: asyncio.Transport = connection._writer.transport
        self._before: asyncio.BaseProtocol = self._transport.get_protocol()
        self._transport.set_protocol(self)
        if self._transport.is_closing() or connection._reader.at_eof():  # it went before we listened
            self._end(RedisConnectionError("Connection closed by server."))

    @property
    def over(self) -> bool:
        """True if nothing more can be said or heard here."""
        return self._over

    def say(self, *command: Any) -> None:
        """Send a command; after the end it is lost, as one is that was under way. (A transport that is closing says so soon.)"""
        if not self._over and not self._transport.is_closing():
            self._transport.writelines(self._connection.pack_command(*command))

    def close(self) -> None:
        """End it at once, whatever is under way."""
        self._end(RedisConnectionError("Connection closed."))
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data)
            while not self._over and (answer := reader.gets()) is not False:  # False: not whole yet
                self._hear(answer)
        except RedisError as error:  # not the protocol of Redis
            self._end(error)
            self._transport.abort()

    def eof_received(self) -> None:
        """The transport closes itself."""

    def connection_lost(self, error: Exception | None) -> None:
        self._before.connection_lost(error)
        self._end(RedisConnectionError(str(error or "Connection closed by server.")))

    def _end(self, error: Exception) -> None:
        if not self._over:
            self._over = True
            self._lost(error)
