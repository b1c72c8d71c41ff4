"""Who did what to whom, before and after; and the answers kept for requests that are sent again."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select

from tracker.errors import IdempotencyMismatch
from tracker.records.database import Transaction
from tracker.records.prepared import Prepared
from tracker.records.schema import audit, idempotency


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit log."""

    id: int
    at: datetime
    actor: str
    what: str
    subject: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a request with an idempotency key was answered."""

    status: int
    answer: dict[str, Any]


_ANSWERED = select(*(idempotency.c[name] for name in ("body_hash", "status", "answer"))).where(
    idempotency.c.key == bindparam("key"), idempotency.c.who == bindparam("who")
)
_KEPT = Prepared(idempotency.insert(), columns=("key", "who", "body_hash", "status", "answer", "created_at"))


async def write(
    tx: Transaction,
    at: datetime,
    actor: str,
    what: str,
    subject: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add a line, in the transaction of what it tells. Never a password, a token or a position."""
    values = {"at": at, "actor": actor, "what": what, "subject": subject, "before": before, "after": after}
    await tx.change(audit.insert().values(values))


async def latest(tx: Transaction, most: int = 100) -> list[Entry]:
    """The newest lines first."""
    columns = [audit.c[name] for name in Entry.__struct_fields__]
    return await tx.all(select(*columns).order_by(audit.c.id.desc()).limit(most), Entry)


async def answered(tx: Transaction, key: str, who: str, body: bytes) -> Answer | None:
    """The kept answer of this person's key; `IdempotencyMismatch` if it was used with another body."""
    row = await tx.row(_ANSWERED, {"key": key, "who": who})
    if row is None:
        return None
    if row["body_hash"] != hashlib.sha256(body).digest():
        raise IdempotencyMismatch
    return Answer(row["status"], row["answer"])


async def keep_answer(
    tx: Transaction, key: str, who: str, body: bytes, answer: Answer, now: datetime, *, at_once: bool = False
) -> None:
    """Keep an answer, in the transaction that did the work: both are there, or neither.

    That there is one already is said by `ConstraintViolated` (``pk_idempotency``): here if ``at_once``, else by the commit.
    """
    values = {"key": key, "who": who, "body_hash": hashlib.sha256(body).digest(), "created_at": now}
    values |= {"status": answer.status, "answer": answer.answer}
    await (tx.change(_KEPT, values) if at_once else tx.later(_KEPT, values))


async def purge_answers(tx: Transaction, moment: datetime) -> int:
    """Forget answers older than a moment; how many."""
    return await tx.change(delete(idempotency).where(idempotency.c.created_at < moment))
