"""Invitations: bound to a contact, used once, by themselves once for each address for ever (O3)."""

from datetime import datetime

import msgspec
from sqlalchemy import select, text, update

from tracker.records.database import Transaction
from tracker.records.schema import invitations


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """One invitation. Its code is made from the id (`domain/codes`); only its fingerprint is stored."""

    id: str
    contact_id: str
    email: str
    automatic: bool
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def open(self, now: datetime) -> bool:
        """True while it can be redeemed."""
        return self.used_at is None and self.revoked_at is None and now < self.expires_at


_INVITATION = [invitations.c[name] for name in Invitation.__struct_fields__]
_OPEN = invitations.c.used_at.is_(None) & invitations.c.revoked_at.is_(None)


async def add(tx: Transaction, invitation: Invitation, code_hash: bytes) -> bool:
    """Keep it. False for an automatic one whose address had one before: the constraint decides, whoever asks at once."""
    values = msgspec.structs.asdict(invitation) | {"code_hash": code_hash}
    statement = tx.insert(invitations).values(values)
    if invitation.automatic:
        statement = statement.on_conflict_do_nothing(index_elements=["email"], index_where=text("automatic"))
    return bool(await tx.rows(statement.returning(invitations.c.id)))


async def by_code(tx: Transaction, code_hash: bytes) -> Invitation | None:
    """The invitation of a code, open or not."""
    return await tx.one(select(*_INVITATION).where(invitations.c.code_hash == code_hash), Invitation)


async def by_id(tx: Transaction, id: str) -> Invitation | None:
    """One invitation."""
    return await tx.one(select(*_INVITATION).where(invitations.c.id == id), Invitation)


async def lock_address(tx: Transaction, email: str) -> None:
    """Lock every invitation of an address, in the order of ids: who adds a contact and who redeems wait for each other."""
    await tx.rows(select(invitations.c.id).where(invitations.c.email == email).order_by(invitations.c.id).with_for_update())


async def of_contact(tx: Transaction, contact: str) -> list[Invitation]:
    """A contact's invitations, the newest first."""
    which = invitations.c.contact_id == contact
    return await tx.all(select(*_INVITATION).where(which).order_by(invitations.c.created_at.desc(), invitations.c.id), Invitation)


async def use(tx: Transaction, invitation: str, now: datetime) -> None:
    """Used up."""
    await tx.change(update(invitations).where(invitations.c.id == invitation).values(used_at=now))


async def revoke(
    tx: Transaction, now: datetime, *, id: str | None = None, contact: str | None = None, email: str | None = None
) -> list[str]:
    """Take back what is open: one, all of a contact, or all of an address; the ids of those it closed."""
    named = {"id": id, "contact_id": contact, "email": email}
    which = [invitations.c[column] == value for column, value in named.items() if value is not None]
    if not which:
        raise ValueError("which invitations?")
    rows = await tx.rows(update(invitations).where(_OPEN, *which).values(revoked_at=now).returning(invitations.c.id))
    return [row["id"] for row in rows]
