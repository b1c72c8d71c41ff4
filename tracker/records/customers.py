"""Accounts with their contacts, assets and functional locations."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, or_, select, update

from tracker.domain.accounts import OwnAccount
from tracker.records.database import Transaction
from tracker.records.schema import accounts, assets, contacts, functional_locations


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A customer: household or company. Without coordinates nothing can be booked for its address."""

    id: str
    name: str
    active: bool
    created_at: datetime
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person of an account. ``person_id``: the sign-in it belongs to, once there is one."""

    id: str
    account_id: str
    email: str
    name: str
    created_at: datetime
    person_id: str | None = None
    phone: str | None = None
    ended_at: datetime | None = None


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A functional location: where assets stand, if not at the account's address."""

    id: str
    account_id: str
    name: str
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A thing to be serviced."""

    id: str
    account_id: str
    name: str
    created_at: datetime
    active: bool = True
    location_id: str | None = None
    model: str | None = None
    serial: str | None = None


_ACCOUNT = [accounts.c[name] for name in Account.__struct_fields__]
_CONTACT = [contacts.c[name] for name in Contact.__struct_fields__]
_LOCATION = [functional_locations.c[name] for name in Location.__struct_fields__]
_ASSET = [assets.c[name] for name in Asset.__struct_fields__]


async def account(tx: Transaction, id: str) -> Account | None:
    """One account."""
    return await tx.one(select(*_ACCOUNT).where(accounts.c.id == id), Account)


async def locked_account(tx: Transaction, id: str) -> Account | None:
    """One account with its row locked until the transaction ends."""
    await tx.rows(select(accounts.c.id).where(accounts.c.id == id).with_for_update())
    return await account(tx, id)


async def find_accounts(tx: Transaction, text: str = "", most: int = 100, after: str = "") -> list[Account]:
    """Accounts by name (or address) containing ``text``; those behind the account with the id ``after`` only."""
    query = select(*_ACCOUNT).order_by(func.lower(accounts.c.name), accounts.c.id).limit(most)
    if text:
        within = f"%{_escaped(text.lower())}%"
        query = query.where(or_(*(func.lower(c).like(within, escape="\\") for c in (accounts.c.name, accounts.c.address))))
    last = await account(tx, after) if after else None
    if last:
        name = select(func.lower(accounts.c.name)).where(accounts.c.id == after).scalar_subquery()
        lower = func.lower(accounts.c.name)
        query = query.where(or_(lower > name, (lower == name) & (accounts.c.id > after)))
    return await tx.all(query, Account)


async def names_of(tx: Transaction, ids: Collection[str]) -> dict[str, str]:
    """The names of some accounts by id."""
    rows = await tx.rows(select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


async def add_account(tx: Transaction, account: Account) -> None:
    """A new account."""
    await tx.change(accounts.insert().values(msgspec.structs.asdict(account)))


async def change_account(tx: Transaction, account: str, **values: Any) -> None:
    """Set columns."""
    await tx.change(update(accounts).where(accounts.c.id == account).values(**values))


async def own_accounts(tx: Transaction, person: str) -> tuple[OwnAccount, ...]:
    """The accounts with a living contact that is this person, by name."""
    mine = select(contacts.c.account_id).where(contacts.c.person_id == person, contacts.c.ended_at.is_(None))
    columns = [accounts.c[name] for name in ("id", "name", "zone", "active")]
    rows = await tx.rows(select(*columns).where(accounts.c.id.in_(mine)).order_by(func.lower(accounts.c.name), accounts.c.id))
    return tuple(OwnAccount(row["id"], row["name"], row["zone"], row["active"]) for row in rows)


async def contact(tx: Transaction, id: str) -> Contact | None:
    """One contact, removed or not."""
    return await tx.one(select(*_CONTACT).where(contacts.c.id == id), Contact)


async def contacts_by_id(tx: Transaction, ids: Collection[str]) -> dict[str, Contact]:
    """Some contacts by id, removed or not."""
    return {one.id: one for one in await tx.all(select(*_CONTACT).where(contacts.c.id.in_(ids)), Contact)}


def can_be_informed(contact: Contact | None) -> bool:
    """Whether letters reach this contact: there is one, not removed, with an address."""
    return contact is not None and contact.ended_at is None and bool(contact.email)


async def contacts_of(tx: Transaction, account: str) -> list[Contact]:
    """The living contacts of an account, by name."""
    living = (contacts.c.account_id == account) & contacts.c.ended_at.is_(None)
    return await tx.all(select(*_CONTACT).where(living).order_by(func.lower(contacts.c.name), contacts.c.id), Contact)


async def contact_of(tx: Transaction, account: str, person: str) -> Contact | None:
    """The living contact that a person is of an account: who reports what they book."""
    which = (contacts.c.account_id == account) & (contacts.c.person_id == person) & contacts.c.ended_at.is_(None)
    found = await tx.all(select(*_CONTACT).where(which).order_by(contacts.c.created_at, contacts.c.id).limit(1), Contact)
    return found[0] if found else None


async def add_contact(tx: Transaction, contact: Contact) -> None:
    """A new contact; the address of a living one of the account raises ConstraintViolated("uq_contacts_one_living")."""
    await tx.change(contacts.insert().values(msgspec.structs.asdict(contact)))


async def change_contact(tx: Transaction, contact: str, **values: Any) -> None:
    """Set columns."""
    await tx.change(update(contacts).where(contacts.c.id == contact).values(**values))


async def attach(tx: Transaction, email: str, person: str) -> list[str]:
    """Give every living contact of an address its sign-in; the accounts that came by it."""
    waiting = (contacts.c.email == email) & contacts.c.person_id.is_(None) & contacts.c.ended_at.is_(None)
    rows = await tx.rows(update(contacts).where(waiting).values(person_id=person).returning(contacts.c.account_id))
    return [row["account_id"] for row in rows]


async def location(tx: Transaction, id: str) -> Location | None:
    """One functional location."""
    return await tx.one(select(*_LOCATION).where(functional_locations.c.id == id), Location)


async def locations_of(tx: Transaction, account: str) -> list[Location]:
    """The functional locations of an account, by name."""
    query = select(*_LOCATION).where(functional_locations.c.account_id == account)
    return await tx.all(query.order_by(func.lower(functional_locations.c.name), functional_locations.c.id), Location)


async def add_location(tx: Transaction, location: Location) -> None:
    """A new functional location."""
    await tx.change(functional_locations.insert().values(msgspec.structs.asdict(location)))


async def change_location(tx: Transaction, location: str, **values: Any) -> None:
    """Set columns."""
    await tx.change(update(functional_locations).where(functional_locations.c.id == location).values(**values))


async def asset(tx: Transaction, id: str) -> Asset | None:
    """One asset."""
    return await tx.one(select(*_ASSET).where(assets.c.id == id), Asset)


async def assets_of(tx: Transaction, account: str) -> list[Asset]:
    """The assets of an account, by name, in use or not."""
    query = select(*_ASSET).where(assets.c.account_id == account)
    return await tx.all(query.order_by(func.lower(assets.c.name), assets.c.id), Asset)


async def add_asset(tx: Transaction, asset: Asset) -> None:
    """A new asset."""
    await tx.change(assets.insert().values(msgspec.structs.asdict(asset)))


async def change_asset(tx: Transaction, asset: str, **values: Any) -> None:
    """Set columns."""
    await tx.change(update(assets).where(assets.c.id == asset).values(**values))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
