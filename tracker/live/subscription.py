"""One connection a process to everything that is published: channels are added and dropped, a lost one is noticed and mended."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tracker.live.replies import Replies

type Handler = Callable[[bytes], None]

PING_EVERY_S = 5.0
"""A question to Redis this often, so that a connection that died without a word is noticed …"""
SILENT_S = 12.0
"""… when nothing at all came for this long."""
CONFIRM_S = 2.0
"""How long a caller waits for Redis to confirm a channel."""

log = structlog.get_logger()


class Subscription:
    """A plain connection with its own reader, not redis-py's PubSub: that one reconnects silently, and what was
    published meanwhile would be missing without anybody knowing. Here a loss is an event (``lost``, then ``back``).

    Handlers run inside the reader, in the order in which Redis sent the messages: no task and no queue per message.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._handlers: dict[bytes, Handler] = {}
        self._confirmations: dict[bytes, asyncio.Future[bool]] = {}
        self._asked: Counter[bytes] = Counter()  # dropped and added again at once: only the last answer counts
        self._connection: Any = None
        self._replies: Replies | None = None
        self._heard = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self.connected = asyncio.Event()
        self.on_lost: list[Callable[[], None]] = []
        self.on_back: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to connect; ``connected`` is set when Redis has confirmed every channel wanted so far."""
        self._spawn(self._run())
        self._spawn(self._keep_asking())

    async def stop(self) -> None:
        """End the connection and its tasks."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hang_up()

    async def add(self, channel: str, handler: Handler) -> bool:
        """Hear a channel from now on. True once Redis has confirmed: whatever is published after that is heard.

        False while Redis is away (it will be subscribed on return, and ``on_back`` is called then).
        """
        name = channel.encode()
        self._handlers[name] = handler
        confirmed = self._confirmations.get(name)
        if confirmed is None:
            confirmed = self._confirmations[name] = asyncio.get_running_loop().create_future()
            self._subscribe(name)
        try:
            return await asyncio.wait_for(asyncio.shield(confirmed), CONFIRM_S)
        except TimeoutError:
            return False

    async def drop(self, channel: str, handler: Handler) -> None:
        """Hear a channel no longer, if ``handler`` is still the one that does."""
        name = channel.encode()
        if self._handlers.get(name) == handler:
            del self._handlers[name]
            dropped = self._confirmations.pop(name, None)
            if dropped is not None and not dropped.done():
                dropped.set_result(False)
            self._say("UNSUBSCRIBE", name)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        """Connect, read until it breaks, tell, wait a little, again."""
        pause = 0.05
        while True:
            try:
                over = await self._connect()
                pause = 0.05
                await over
            except (RedisError, OSError, EOFError, TimeoutError) as error:
                log.warning("subscription_lost", reason=type(error).__name__)
            finally:
                self._lose()
            await self._hang_up()
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 1.0)

    async def _connect(self) -> asyncio.Future[None]:
        """Connect and ask for every channel wanted; what is returned raises when the connection ends."""
        pool = self.redis.connection_pool
        own = {"protocol": 2, "decode_responses": False, "health_check_interval": 0, "socket_timeout": None}
        self._connection = pool.connection_class(**{**pool.connection_kwargs, **own, "retry": Retry(NoBackoff(), 0)})
        await self._connection.connect()
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()

        def lost(error: Exception) -> None:
            if not over.done():
                over.set_exception(error)

        self._replies = Replies(self._connection, self._dispatch, lost)
        self._heard = loop.time()
        wanted = list(self._handlers)
        for name in wanted:
            if name not in self._confirmations:
                self._confirmations[name] = loop.create_future()
        self._subscribe(*wanted)
        self._say("PING")  # its answer comes after every confirmation
        return over

    async def _hang_up(self) -> None:
        replies, self._replies = self._replies, None
        connection, self._connection = self._connection, None
        if replies is not None:
            replies.close()
        if connection is not None:
            with contextlib.suppress(RedisError, OSError):
                await connection.disconnect(nowait=True)

    def _lose(self) -> None:
        was_connected = self.connected.is_set()
        self.connected.clear()
        for future in self._confirmations.values():
            if not future.done():
                future.set_result(False)
        self._confirmations.clear()
        self._asked.clear()
        if was_connected:
            for tell in self.on_lost:
                tell()

    def _dispatch(self, response: Any) -> None:
        if isinstance(response, RedisError):
            raise response  # a channel that is not ours to hear, a server that is loading: as good as lost
        self._heard = asyncio.get_running_loop().time()
        kind = response[0] if isinstance(response, list | tuple) else response
        if kind == b"message":
            handler = self._handlers.get(response[1])
            if handler is not None:
                handler(response[2])
        elif kind == b"subscribe":
            name = response[1]
            self._asked[name] -= 1
            future = self._confirmations.get(name)
            if future is not None and self._asked[name] <= 0 and not future.done():
                future.set_result(True)
        elif kind in (b"pong", b"PONG") and not self.connected.is_set():
            self.connected.set()
            for tell in self.on_back:
                tell()

    def _subscribe(self, *names: bytes) -> None:
        if names and self._replies is not None and not self._replies.over:
            self._asked.update(names)
            self._say("SUBSCRIBE", *names)

    def _say(self, command: str, *args: bytes) -> None:
        if self._replies is not None:  # else `_connect` subscribes everything wanted
            self._replies.say(command, *args)

    async def _keep_asking(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_EVERY_S)
            if not self.connected.is_set():
                continue
            if loop.time() - self._heard > SILENT_S:
                log.warning("subscription_silent")
                await self._hang_up()
            else:
                self._say("PING")
