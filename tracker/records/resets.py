"""Password resets: asked for by anybody, for anybody; used once."""

from datetime import datetime

import msgspec
from sqlalchemy import delete, select, update

from tracker.records.database import Transaction
from tracker.records.schema import password_resets


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """One reset. ``person_id`` None: nobody has the address that was typed; it opens nothing."""

    id: str
    person_id: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


_RESET = [password_resets.c[name] for name in Reset.__struct_fields__]


async def add(tx: Transaction, reset: Reset, token_hash: bytes) -> None:
    """Keep it; those asked for earlier by the same person are used up."""
    older = password_resets.c.used_at.is_(None) & (password_resets.c.person_id == (reset.person_id or ""))
    await tx.change(update(password_resets).where(older).values(used_at=reset.created_at))
    await tx.change(password_resets.insert().values(token_hash=token_hash, **msgspec.structs.asdict(reset)))


async def by_token(tx: Transaction, token_hash: bytes, now: datetime, *, lock: bool = False) -> Reset | None:
    """The living reset of a token; None for one that never was, was used, or has expired. ``lock`` its row to use it."""
    living = (password_resets.c.token_hash == token_hash) & password_resets.c.used_at.is_(None)
    living &= (password_resets.c.expires_at > now) & password_resets.c.person_id.is_not(None)
    query = select(*_RESET).where(living)
    return await tx.one(query.with_for_update() if lock else query, Reset)


async def by_id(tx: Transaction, id: str) -> Reset | None:
    """One reset, living or not."""
    return await tx.one(select(*_RESET).where(password_resets.c.id == id), Reset)


async def use(tx: Transaction, reset: str, now: datetime) -> None:
    """Used up."""
    await tx.change(update(password_resets).where(password_resets.c.id == reset).values(used_at=now))


async def purge_before(tx: Transaction, moment: datetime) -> int:
    """Forget those that expired before a moment; how many."""
    return await tx.change(delete(password_resets).where(password_resets.c.expires_at < moment))
