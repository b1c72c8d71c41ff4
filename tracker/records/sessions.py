"""Sign-in sessions as rows, so that they can be listed and ended; only the SHA-256 of a token is stored."""

from collections.abc import Collection
from datetime import datetime
from itertools import batched

import msgspec
from sqlalchemy import ColumnElement, delete, select, update

from tracker.records.database import Transaction
from tracker.records.people import Person
from tracker.records.schema import people, sessions


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser signed in. ``id`` may be shown and sent to other processes; it opens nothing."""

    id: str
    person_id: str
    user_agent: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    account_id: str | None = None  # the account chosen in the header


_SESSION = [sessions.c[name] for name in Session.__struct_fields__]


async def add(tx: Transaction, session: Session, token_hash: bytes) -> None:
    """Keep a new session under the hash of its token."""
    await tx.change(sessions.insert().values(token_hash=token_hash, **msgspec.structs.asdict(session)))


async def found(tx: Transaction, token_hash: bytes, now: datetime) -> tuple[Session, Person] | None:
    """The living session of a token and who it is; None if it never was, expired, was ended, or its person was."""
    return await _living(tx, sessions.c.token_hash == token_hash, now)


async def by_id(tx: Transaction, session: str, now: datetime) -> tuple[Session, Person] | None:
    """The same by the session's id."""
    return await _living(tx, sessions.c.id == session, now)


async def _living(tx: Transaction, which: ColumnElement[bool], now: datetime) -> tuple[Session, Person] | None:
    person = [people.c[name].label(f"who_{name}") for name in Person.__struct_fields__]
    row = await tx.row(select(*_SESSION, *person).join_from(sessions, people).where(which, *_lives(now)))
    if row is None:
        return None
    session = {name: row[name] for name in Session.__struct_fields__}
    who = {name: row[f"who_{name}"] for name in Person.__struct_fields__}
    return msgspec.convert(session, Session), msgspec.convert(who, Person)


def _lives(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return sessions.c.ended_at.is_(None), sessions.c.expires_at > now, people.c.ended_at.is_(None)


async def living(tx: Transaction, ids: Collection[str], now: datetime) -> set[str]:
    """Those of some sessions that are living."""
    found: set[str] = set()
    for some in batched(sorted(ids), 500):
        query = select(sessions.c.id).join_from(sessions, people).where(sessions.c.id.in_(some), *_lives(now))
        found |= {row["id"] for row in await tx.rows(query)}
    return found


async def of_person(tx: Transaction, person: str, now: datetime) -> list[Session]:
    """The living sessions of a person, the last used first."""
    living = (sessions.c.person_id == person) & sessions.c.ended_at.is_(None) & (sessions.c.expires_at > now)
    return await tx.all(select(*_SESSION).where(living).order_by(sessions.c.seen_at.desc()), Session)


async def of_technician(tx: Transaction, technician: str, now: datetime) -> list[str]:
    """The ids of the living sessions of those who sign in as a technician."""
    query = select(sessions.c.id).join_from(sessions, people).where(people.c.technician_id == technician, *_lives(now))
    return [row["id"] for row in await tx.rows(query)]


async def seen(tx: Transaction, session: str, now: datetime) -> None:
    """Note that the session was used."""
    await tx.change(update(sessions).where(sessions.c.id == session).values(seen_at=now))


async def choose_account(tx: Transaction, session: str, account: str) -> None:
    """Remember which of the person's accounts this browser looks at."""
    await tx.change(update(sessions).where(sessions.c.id == session).values(account_id=account))


async def end(tx: Transaction, person: str, now: datetime, *, only: str | None = None, but: str | None = None) -> list[str]:
    """End a person's sessions (``only`` one, or all ``but`` one); the ids of those that were living."""
    which = (sessions.c.person_id == person) & sessions.c.ended_at.is_(None)
    if only is not None:
        which &= sessions.c.id == only
    if but is not None:
        which &= sessions.c.id != but
    rows = await tx.rows(update(sessions).where(which).values(ended_at=now).returning(sessions.c.id))
    return [row["id"] for row in rows]


async def purge_before(tx: Transaction, moment: datetime) -> int:
    """Remove the rows of sessions that ended or expired before a moment; how many."""
    return await tx.change(delete(sessions).where((sessions.c.expires_at < moment) | (sessions.c.ended_at < moment)))
