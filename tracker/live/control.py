"""What one process asks of all others, and waits for: end a session, replace a device, let go of a visit's positions."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from tracker.live.connect import AWAY, Client, RedisCluster, RedisError
from tracker.live.subscription import Subscription

CHANNEL = "control"
WAIT_S = 1.5
"""How long a closing waits for processes that do not answer (a hung one must not hold up everybody's work)."""

log = structlog.get_logger()


class Ask(StrEnum):
    """What can be asked; the id that goes with it is a session's, a device's, an appointment's or a technician's."""

    END_SESSION = "session"  # close every socket of this session, then answer
    REPLACE_DEVICE = "device"  # another connection of this device took over
    FLUSH = "visit"  # nothing of this appointment's positions may wait anywhere, then answer
    LOOK_AGAIN = "look"  # something of this appointment changed that its channel does not tell
    POLICY = "policy"  # the gate of this technician changed: tell the phones that are connected


class Question(msgspec.Struct):
    """One message on the control channel. ``but``: a process (its token) that need not do it, the asker of REPLACE_DEVICE."""

    kind: Ask
    id: str
    reply: str | None = None
    but: str | None = None


type Deed = Callable[[str], Awaitable[None] | None]


class Control:
    """Asks are answered by every process that listens; each answers after its deed is done.

    The answer to FLUSH comes through the same connection as the positions themselves, after every frame that was published
    before it: so "answered" means that nothing published before is still on its way inside that process.
    """

    def __init__(self, redis: Client, subscription: Subscription | None = None) -> None:
        self._redis: Any = redis
        # on a cluster PUBLISH counts the receivers of the node it was sent to: that must be the one all subscribe at
        self._publisher: Any = subscription.redis if subscription is not None else redis
        self._subscription = subscription
        self._deeds: dict[Ask, list[Deed]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.token = secrets.token_hex(8)

    def on(self, kind: Ask, deed: Deed) -> None:
        """Do this when asked. What ``deed`` does before its first await happens before any later message is read."""
        self._deeds.setdefault(kind, []).append(deed)

    async def listen(self) -> None:
        """Hear questions from now on (needs a subscription)."""
        assert self._subscription is not None  # noqa: S101 - a mistake of the composition, not of a caller
        await self._subscription.add(CHANNEL, self._heard)

    async def ask(self, kind: str, id: str, *, spare_me: bool = False, wait_s: float = WAIT_S, after: str | None = None) -> bool:
        """Ask every listening process and wait until each has answered. False if not all did in time, or Redis is away.

        Redis' own count of receivers says how many answers there must be; a process killed meanwhile is out of that count
        as soon as the kernel has closed its connection. With Redis away this process still does its own part.
        ``after``: a key's tag; the question is heard after everything that was published there.
        """
        reply = f"control:{secrets.token_hex(8)}"
        question = Question(Ask(kind), id, reply, self.token if spare_me else None)
        try:
            async with asyncio.timeout(wait_s):
                for _ in range(await self._publish(msgspec.json.encode(question), after)):
                    await self._redis.blpop([reply], timeout=wait_s)
        except TimeoutError:
            log.warning("control_not_all_answered", kind=kind)
            return False
        except (*AWAY, RedisError) as error:
            log.warning("control_unavailable", kind=kind, reason=type(error).__name__)
            if not spare_me:
                await self._do(question)
            return False
        return True

    async def _publish(self, question: bytes, after: str | None) -> int:
        """Publish on the control channel; how many hear it."""
        if after is None or not isinstance(self._redis, RedisCluster):
            return int(await self._publisher.publish(CHANNEL, question))
        # Between two nodes messages keep their order, among three they do not: frames of a bucket are overtaken by nothing
        # that its own node publishes. That node has no subscribers to count, so they are counted where all subscribe.
        [(_, expected)] = await self._publisher.pubsub_numsub(CHANNEL)
        node = self._redis.get_node_from_key(after)
        await self._redis.execute_command("PUBLISH", CHANNEL, question, target_nodes=node)
        return int(expected)

    async def tell(self, kind: str, id: str) -> None:
        """Ask without waiting."""
        try:
            await self._publisher.publish(CHANNEL, msgspec.json.encode(Question(Ask(kind), id)))
        except (*AWAY, RedisError):
            await self._do(Question(Ask(kind), id))

    async def stop(self) -> None:
        """Finish answering."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _heard(self, data: bytes) -> None:
        try:
            question = msgspec.json.decode(data, type=Question)
        except msgspec.DecodeError:
            return  # a newer version's question, or somebody else's message
        deeds = [] if question.but == self.token else [deed(question.id) for deed in self._deeds.get(question.kind, ())]
        task = asyncio.create_task(self._answer(question, [deed for deed in deeds if deed is not None]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, question: Question) -> None:
        deeds = [deed(question.id) for deed in self._deeds.get(question.kind, ())]
        await asyncio.gather(*(deed for deed in deeds if deed is not None))

    async def _answer(self, question: Question, deeds: list[Awaitable[None]]) -> None:
        results = await asyncio.gather(*deeds, return_exceptions=True)
        for failed in (r for r in results if isinstance(r, Exception)):
            log.error("control_deed_failed", kind=question.kind, exc_info=failed)
            return  # no answer: the asker hears that not all is well
        if question.reply is None:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.rpush(question.reply, b"1")
                pipe.expire(question.reply, 30)
                await pipe.execute()
        except (*AWAY, RedisError) as error:
            log.warning("control_answer_lost", kind=question.kind, reason=type(error).__name__)
