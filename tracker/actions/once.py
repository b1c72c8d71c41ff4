"""Making something once, however often the request is sent: what was made is remembered under its idempotency key, by id."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.errors import Refusal
from tracker.records import audit
from tracker.records.audit import Answer
from tracker.records.database import Transaction
from tracker.records.violations import ConstraintViolated


@dataclass(frozen=True, slots=True)
class Once[T]:
    """How a thing is made, what is remembered of it (ids and marks, never a secret), and how it is found again by that.

    ``again`` raises if it cannot be given a second time.
    """

    make: Callable[[Transaction], Awaitable[T]]
    remember: Callable[[T], dict[str, Any]]
    again: Callable[[Transaction, dict[str, Any]], Awaitable[T]]

    async def made(self, house: House, actor: Actor, key: str | None, *request: object) -> T:
        """The thing, made now or before. ``request``: all that was asked for, beginning with the name of what is made.

        Errors: those of making it; `IdempotencyMismatch` if this person's key was another request's.
        """
        if key is None:
            return await house.db.retrying(self.make)
        who, body = actor.signed[:64], msgspec.json.encode(request)

        async def turn(tx: Transaction) -> T:
            before = await audit.answered(tx, key, who, body)
            if before is not None:
                return await self.again(tx, before.answer)
            thing = await self.make(tx)
            await audit.keep_answer(tx, key, who, body, Answer(201, self.remember(thing)), house.clock())
            return thing

        try:
            return await house.db.retrying(turn)
        except (Refusal, ConstraintViolated) as refused:
            return await _meanwhile(self, house, (key, who, body), refused)


async def _meanwhile[T](once: Once[T], house: House, request: tuple[str, str, bytes], refused: Exception) -> T:
    """What the same request, sent twice at once, made: it stood in its own way. Else the refusal."""
    async with house.db.reading() as tx:
        before = await audit.answered(tx, *request)
        if before is None:
            raise refused
        return await once.again(tx, before.answer)
