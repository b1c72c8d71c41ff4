"""Letters on their way out: leased by one worker at a time, then sent, put off, or parked."""

from datetime import datetime

from sqlalchemy import delete, select, update

from tracker.domain.letter_kinds import Kind
from tracker.records.database import Transaction
from tracker.records.outbox import LETTER, WAITING, Letter
from tracker.records.schema import outbox

MOST_ERROR = 200


async def lease(tx: Transaction, now: datetime, until: datetime, most: int) -> list[Letter]:
    """Up to ``most`` due letters which no other worker gets before ``until``: the untried first, so that one which breaks
    every connection keeps no other waiting; among those the oldest."""
    free = outbox.c.leased_until.is_(None) | (outbox.c.leased_until <= now)
    order = (outbox.c.attempts, outbox.c.due_at, outbox.c.id)
    due = select(outbox.c.id).where(WAITING, outbox.c.due_at <= now, free).order_by(*order).limit(most)
    chosen = [row["id"] for row in await tx.rows(due.with_for_update(skip_locked=True))]
    if not chosen:
        return []
    await tx.change(update(outbox).where(outbox.c.id.in_(chosen)).values(leased_until=until))
    return await tx.all(select(*LETTER).where(outbox.c.id.in_(chosen)).order_by(*order), Letter)


async def sent(tx: Transaction, letter: Letter, now: datetime) -> None:
    """The server has it."""
    told = {"last_error": None, "attempts": letter.attempts + 1, "unsure": False}
    values = {"sent_at": now, "parked_at": None, "leased_until": None, **told}
    await tx.change(update(outbox).where(outbox.c.id == letter.id, outbox.c.sent_at.is_(None)).values(values))


async def begin(tx: Transaction, letter: Letter) -> None:
    """It is handed in now: whoever dies before the answer is written down leaves it unsure."""
    await _failed(tx, letter, unsure=True)


async def put_off(tx: Transaction, letter: Letter, until: datetime, why: str, *, unsure: bool = False) -> None:
    """Not taken this time: nobody tries it again before ``until``. ``unsure``: nobody was told whether it was taken."""
    known = {"last_error": why[:MOST_ERROR], "attempts": letter.attempts + 1, "unsure": unsure or letter.unsure}
    await _failed(tx, letter, leased_until=until, **known)


async def park(tx: Transaction, letter: Letter, now: datetime, why: str, *, unsure: bool = False) -> None:
    """Given up; staff are warned (`outbox.state`). ``unsure``: as `put_off`."""
    known = {"last_error": why[:MOST_ERROR], "attempts": letter.attempts + 1, "unsure": unsure or letter.unsure}
    await _failed(tx, letter, leased_until=None, parked_at=now, **known)


async def drop(tx: Transaction, letter: Letter, now: datetime) -> None:
    """What it would say is not so any more, or its kind is switched off: parked without an error, nobody is warned."""
    await _failed(tx, letter, leased_until=None, parked_at=now, last_error=None)


async def release(tx: Transaction, letters: list[Letter]) -> None:
    """Not tried: anybody may have them at once."""
    if letters:
        await tx.change(update(outbox).where(outbox.c.id.in_([one.id for one in letters]), WAITING).values(leased_until=None))


async def known_at(tx: Transaction, letter: Letter, now: datetime) -> datetime | None:
    """When it is known whether a letter went out, or may have: not before its lease is over. None: it did not, and nobody
    has it in hands. Its row is locked."""
    columns = outbox.c.sent_at, outbox.c.parked_at, outbox.c.leased_until, outbox.c.unsure
    row = await tx.row(select(*columns).where(outbox.c.id == letter.id).with_for_update())
    if row is None:
        return None
    held = row["leased_until"] if row["sent_at"] is None and row["parked_at"] is None else None
    if held is not None and held > now:
        return held  # type: ignore[no-any-return]
    return now if row["sent_at"] is not None or row["unsure"] else None


async def call_off(tx: Transaction, appointment: str, kind: Kind) -> int:
    """Remove the letters of a kind about an appointment that were not sent; how many."""
    which = WAITING & (outbox.c.appointment_id == appointment) & (outbox.c.kind == kind)
    return await tx.change(delete(outbox).where(which))


async def again(tx: Transaction, letter: Letter, now: datetime) -> None:
    """Send a letter that waits no more (once more), now, with the Message-ID it had."""
    went = {"unsure": letter.unsure or letter.sent_at is not None}
    values = {"sent_at": None, "parked_at": None, "leased_until": None, "last_error": None, "attempts": 0, "due_at": now}
    await tx.change(update(outbox).where(outbox.c.id == letter.id).values(values | went))


async def hasten(tx: Transaction, letter: Letter, latest: datetime) -> bool:
    """Try a letter now that was put off beyond ``latest``; one that is leased for less may be in a worker's hands."""
    which = (outbox.c.id == letter.id) & WAITING & (outbox.c.leased_until > latest)
    return bool(await tx.change(update(outbox).where(which).values(leased_until=None)))


async def _failed(tx: Transaction, letter: Letter, **values: object) -> None:
    await tx.change(update(outbox).where(outbox.c.id == letter.id, WAITING).values(values))
