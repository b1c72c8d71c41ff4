"""People who sign in, and the accounts they belong to through contacts."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, update

from tracker.domain.appointments import Role
from tracker.domain.emails import one_way
from tracker.records.database import Transaction, new_id
from tracker.records.schema import accounts, contacts, people


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a sign-in. ``technician_id`` is set for the role technician only."""

    id: str
    email: str
    name: str
    role: Role
    password_hash: str | None = None
    technician_id: str | None = None
    ended_at: datetime | None = None
    phone: str | None = None
    locale: str | None = None
    zone: str | None = None
    profile_at: datetime | None = None


_PERSON = [people.c[name] for name in Person.__struct_fields__]


async def by_id(tx: Transaction, person: str) -> Person | None:
    """The person, ended or not."""
    return await tx.one(select(*_PERSON).where(people.c.id == person), Person)


async def phones_of(tx: Transaction, persons: Collection[str]) -> dict[str, str]:
    """The numbers that some people gave in their own profiles, by person; who gave none, or left, is absent."""
    given = people.c.id.in_(persons) & people.c.phone.is_not(None) & people.c.ended_at.is_(None)
    rows = await tx.rows(select(people.c.id, people.c.phone).where(given)) if persons else []
    return {row["id"]: row["phone"] for row in rows}


async def locked(tx: Transaction, person: str) -> Person | None:
    """The person with their row locked until the transaction ends."""
    return await tx.one(select(*_PERSON).where(people.c.id == person).with_for_update(), Person)


async def by_email(tx: Transaction, email: str) -> Person | None:
    """The person of an e-mail address (any case), if there is one and it was not ended."""
    return await tx.one(select(*_PERSON).where(people.c.email == one_way(email), people.c.ended_at.is_(None)), Person)


async def everybody(tx: Transaction) -> list[Person]:
    """Everyone who may sign in, by role and e-mail."""
    return await tx.all(select(*_PERSON).where(people.c.ended_at.is_(None)).order_by(people.c.role, people.c.email), Person)


async def add(tx: Transaction, person: Person, now: datetime) -> None:
    """A new person; an address already known raises ConstraintViolated("uq_people_email")."""
    values = msgspec.structs.asdict(person) | {"email": one_way(person.email), "created_at": now}
    await tx.change(people.insert().values(values))


async def by_email_ended_too(tx: Transaction, email: str) -> Person | None:
    """The person of an e-mail address, even if their sign-in was ended: an address has one row for ever."""
    return await tx.one(select(*_PERSON).where(people.c.email == one_way(email)), Person)


async def change(tx: Transaction, person: str, **values: Any) -> None:
    """Set columns."""
    await tx.change(update(people).where(people.c.id == person).values(**values))


async def set_password(tx: Transaction, person: str, password_hash: str) -> None:
    """Replace the password's hash."""
    await tx.change(update(people).where(people.c.id == person).values(password_hash=password_hash))


async def end(tx: Transaction, person: str, now: datetime) -> None:
    """The person can sign in no more; the row stays, because others point at it."""
    await tx.change(update(people).where(people.c.id == person, people.c.ended_at.is_(None)).values(ended_at=now))


async def add_account(
    tx: Transaction,
    name: str,
    now: datetime,
    *,
    address: str | None = None,
    lat: float | None = None,
    lon: float | None = None,
    zone: str | None = None,
) -> str:
    """A new customer account; its id."""
    account = new_id()
    values = {"name": name, "address": address, "lat": lat, "lon": lon, "zone": zone, "created_at": now}
    await tx.change(accounts.insert().values(id=account, **values))
    return account


async def add_contact(
    tx: Transaction, account: str, email: str, name: str, now: datetime, *, person: str | None = None, phone: str | None = None
) -> str:
    """A new contact of an account; its id."""
    contact = new_id()
    values = {"account_id": account, "person_id": person, "email": one_way(email), "name": name, "phone": phone}
    await tx.change(contacts.insert().values(id=contact, created_at=now, **values))
    return contact


async def how_many(tx: Transaction) -> int:
    """People who may sign in."""
    return int(await tx.value(select(func.count()).select_from(people).where(people.c.ended_at.is_(None))))
