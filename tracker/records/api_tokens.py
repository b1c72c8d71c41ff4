"""API tokens for programs (X8): hashed, scoped, expiring, revocable."""

from datetime import datetime

import msgspec
from sqlalchemy import select, update

from tracker.records.database import Transaction
from tracker.records.schema import api_tokens


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """One token, without the token."""

    id: str
    name: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None = None
    revoked_at: datetime | None = None

    def living(self, now: datetime) -> bool:
        """True while it opens something."""
        return self.revoked_at is None and now < self.expires_at


_TOKEN = [api_tokens.c[name] for name in ApiToken.__struct_fields__]


async def add(tx: Transaction, token: ApiToken, token_hash: bytes) -> None:
    """Keep a new one under the hash of what the program will show."""
    await tx.change(api_tokens.insert().values(token_hash=token_hash, **msgspec.structs.asdict(token)))


async def by_hash(tx: Transaction, token_hash: bytes, now: datetime) -> ApiToken | None:
    """The living token of a hash."""
    found = await tx.one(select(*_TOKEN).where(api_tokens.c.token_hash == token_hash), ApiToken)
    return found if found and found.living(now) else None


async def by_id(tx: Transaction, id: str) -> ApiToken | None:
    """One token, living or not."""
    return await tx.one(select(*_TOKEN).where(api_tokens.c.id == id), ApiToken)


async def everything(tx: Transaction) -> list[ApiToken]:
    """All tokens, the newest first, the revoked and expired among them."""
    return await tx.all(select(*_TOKEN).order_by(api_tokens.c.created_at.desc(), api_tokens.c.id), ApiToken)


async def seen(tx: Transaction, token: str, now: datetime) -> None:
    """Note that it was used."""
    await tx.change(update(api_tokens).where(api_tokens.c.id == token).values(seen_at=now))


async def revoke_of(tx: Transaction, maker: str, now: datetime) -> list[str]:
    """Those that somebody made open nothing any more (``maker``: `Actor.signed`); which they were."""
    living = (api_tokens.c.created_by == maker) & api_tokens.c.revoked_at.is_(None) & (api_tokens.c.expires_at > now)
    rows = await tx.rows(update(api_tokens).where(living).values(revoked_at=now).returning(api_tokens.c.id))
    return [row["id"] for row in rows]


async def revoke(tx: Transaction, token: str, now: datetime) -> bool:
    """It opens nothing any more; False if there is none, or it was revoked before."""
    which = (api_tokens.c.id == token) & api_tokens.c.revoked_at.is_(None)
    return bool(await tx.rows(update(api_tokens).where(which).values(revoked_at=now).returning(api_tokens.c.id)))
