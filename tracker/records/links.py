"""Links to one appointment as rows; what they open with is stored as its keyed hash only."""

from collections.abc import Collection
from datetime import datetime
from itertools import batched
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, or_, select, update

from tracker.domain.links import Kind
from tracker.records.database import Transaction
from tracker.records.schema import appointments, links


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link, without what it opens with. ``until``: as staff extended it; ``blocked_at`` can be lifted, ``ended_at`` not."""

    id: str
    appointment_id: str
    kind: Kind
    created_by: str
    created_at: datetime
    contact_id: str | None = None  # whose letters carry it
    name: str | None = None  # whom the customer says it is for
    until: datetime | None = None
    opened: int = 0
    opened_at: datetime | None = None
    blocked_at: datetime | None = None
    ended_at: datetime | None = None


_LINK = [links.c[name] for name in Link.__struct_fields__]


async def add(tx: Transaction, link: Link, token_hash: bytes) -> None:
    """Keep a link; nothing happens if it is there already (a letter that is written again)."""
    values = {"token_hash": token_hash, **msgspec.structs.asdict(link)}
    await tx.change(tx.insert(links).values(values).on_conflict_do_nothing(index_elements=["id"]))


async def by_hash(tx: Transaction, token_hash: bytes) -> Link | None:
    """The link of a token, be it ended or not."""
    return await tx.one(select(*_LINK).where(links.c.token_hash == token_hash), Link)


async def by_id(tx: Transaction, link: str) -> Link | None:
    """One link."""
    return await tx.one(select(*_LINK).where(links.c.id == link), Link)


async def of_appointment(tx: Transaction, appointment: str) -> list[Link]:
    """All links to an appointment, the oldest first, the ended among them."""
    query = select(*_LINK).where(links.c.appointment_id == appointment)
    return await tx.all(query.order_by(links.c.created_at, links.c.id), Link)


async def of_contact(tx: Transaction, account: str, contact: str, maker: str | None) -> list[Link]:
    """The account's links not ended yet that a contact's letters carry, or that they made (``maker``: `Actor.signed`)."""
    theirs = or_(links.c.contact_id == contact, links.c.created_by == maker) if maker else links.c.contact_id == contact
    query = select(*_LINK).join_from(links, appointments).where(appointments.c.account_id == account)
    return await tx.all(query.where(links.c.ended_at.is_(None), theirs), Link)


async def living(tx: Transaction, ids: Collection[str]) -> set[str]:
    """Those of some links that are neither ended nor blocked."""
    found: set[str] = set()
    for some in batched(sorted(ids), 500):
        rows = await tx.rows(select(links.c.id).where(links.c.id.in_(some), *_lives()))
        found |= {row["id"] for row in rows}
    return found


async def any_living(tx: Transaction, hashes: Collection[bytes]) -> bool:
    """True if one of these tokens' links is neither ended nor blocked."""
    return await tx.row(select(links.c.id).where(links.c.token_hash.in_(hashes), *_lives()).limit(1)) is not None


def _lives() -> tuple[ColumnElement[bool], ...]:
    return links.c.ended_at.is_(None), links.c.blocked_at.is_(None)


async def change(tx: Transaction, link: str, **values: Any) -> None:
    """Set some of its columns."""
    await tx.change(update(links).where(links.c.id == link).values(values))


async def opened(tx: Transaction, link: str, now: datetime) -> None:
    """Count that somebody opened it."""
    await tx.change(update(links).where(links.c.id == link).values(opened=links.c.opened + 1, opened_at=now))
