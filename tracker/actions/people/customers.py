"""Staff's work on accounts, their locations and assets (O1). Everything is audited; texts are checked here, for every door."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from tracker.actions.house import House
from tracker.actions.once import Once
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.geo import Point
from tracker.domain.texts import one_line
from tracker.errors import AlreadyThere, BadInput, NotFound
from tracker.records import audit, customers
from tracker.records.customers import Account, Asset, Contact, Location
from tracker.records.database import Transaction, new_id
from tracker.roads.zones import zone_at

LONGEST_NAME, LONGEST_ADDRESS = 200, 300
"""Characters of a name, and of an address."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address with its coordinates, as somebody confirmed it."""

    address: str
    point: Point


@dataclass(frozen=True, slots=True)
class Customer:
    """An account with everything that belongs to it."""

    account: Account
    contacts: list[Contact]
    locations: list[Location]
    assets: list[Asset]


async def add_account(
    house: House, actor: Actor, name: str, place: Place | None = None, *, active: bool = True, key: str | None = None
) -> Account:
    """A new account, one for one idempotency ``key``. Without a place nothing can be booked for it until it has one."""
    only_staff(actor)
    columns = await _columns(place)
    account = Account(id=new_id(), name=text(name, "name"), active=active, created_at=house.clock(), **columns)

    async def make(tx: Transaction) -> Account:
        await customers.add_account(tx, account)
        await _audited(tx, house, actor, "account.added", account.id, after={"active": active})
        return account

    once = Once(make, by_id, lambda tx, before: _account(tx, before["id"]))
    return await once.made(house, actor, key, "account", name, place, active)


async def change_account(
    house: House,
    actor: Actor,
    account: str,
    *,
    name: str | None = None,
    place: Place | None = None,
    active: bool | None = None,
) -> Account:
    """Change what is given. Making an account active writes no invitations: staff send those by hand."""
    only_staff(actor)
    values: dict[str, Any] = await _columns(place)
    values |= {"name": text(name, "name")} if name is not None else {}
    values |= {"active": active} if active is not None else {}
    async with house.db.transaction() as tx:
        before = await _account(tx, account)
        if values:
            await customers.change_account(tx, account, **values)
            changed = sorted(values)
            old, new = {"active": before.active}, {"active": values.get("active", before.active), "changed": changed}
            await _audited(tx, house, actor, "account.changed", account, before=old, after=new)
        return await _account(tx, account)


async def give_place(house: House, actor: Actor, account: str, place: Place) -> Account:
    """Give an account its address: staff at any time, a customer only while the account has none."""
    if actor.staff:
        return await change_account(house, actor, account, place=place)
    if account not in actor.accounts:
        raise NotFound
    columns = await _columns(place)
    async with house.db.transaction() as tx:
        before = await customers.locked_account(tx, account)
        if before is None:
            raise NotFound
        if before.lat is not None:
            raise AlreadyThere("This account has an address. Ask the service desk to change it.")
        await customers.change_account(tx, account, **columns)
        await _audited(tx, house, actor, "account.changed", account, after={"changed": sorted(columns)})
        return await _account(tx, account)


async def find_accounts(house: House, actor: Actor, query: str = "", most: int = 100, after: str = "") -> list[Account]:
    """Accounts by name, those whose name or address holds ``query``."""
    only_staff(actor)
    async with house.db.reading() as tx:
        return await customers.find_accounts(tx, query.strip()[:100], most, after)


async def customer(house: House, actor: Actor, account: str) -> Customer:
    """An account with its contacts, locations and assets: for staff, and for its own contacts."""
    if not actor.staff and account not in actor.accounts:
        raise NotFound
    async with house.db.reading() as tx:
        return Customer(
            await _account(tx, account),
            await customers.contacts_of(tx, account),
            await customers.locations_of(tx, account),
            await customers.assets_of(tx, account),
        )


async def add_location(
    house: House, actor: Actor, account: str, name: str, place: Place | None = None, *, key: str | None = None
) -> Location:
    """A functional location, one for one idempotency ``key``: where assets stand, if not at the account's address."""
    only_staff(actor)
    columns = await _columns(place)
    location = Location(id=new_id(), account_id=account, name=text(name, "name"), **columns)

    async def make(tx: Transaction) -> Location:
        await _account(tx, account)
        await customers.add_location(tx, location)
        await _audited(tx, house, actor, "location.added", location.id, after={"account": account})
        return location

    once = Once(make, by_id, lambda tx, before: _there(customers.location(tx, before["id"])))
    return await once.made(house, actor, key, "location", account, name, place)


async def add_asset(
    house: House,
    actor: Actor,
    account: str,
    name: str,
    *,
    location: str | None = None,
    model: str | None = None,
    serial: str | None = None,
    key: str | None = None,
) -> Asset:
    """A thing to be serviced, one for one idempotency ``key``; ``location`` is one of the same account, None for its address."""
    only_staff(actor)
    asset = Asset(
        id=new_id(),
        account_id=account,
        name=text(name, "name"),
        created_at=house.clock(),
        location_id=location,
        model=text(model, "model") if model else None,
        serial=text(serial, "serial number", 64) if serial else None,
    )

    async def make(tx: Transaction) -> Asset:
        await _account(tx, account)
        where = await customers.location(tx, location) if location else None
        if location and (where is None or where.account_id != account):
            raise NotFound("There is no such location of this account.")
        await customers.add_asset(tx, asset)
        await _audited(tx, house, actor, "asset.added", asset.id, after={"account": account, "location": location})
        return asset

    once = Once(make, by_id, lambda tx, before: _there(customers.asset(tx, before["id"])))
    return await once.made(house, actor, key, "asset", account, name, location, model, serial)


async def set_asset_active(house: House, actor: Actor, asset: str, *, active: bool) -> Asset:
    """Take an asset out of use, or back; what was booked for it stays."""
    only_staff(actor)
    async with house.db.transaction() as tx:
        before = await customers.asset(tx, asset)
        if before is None:
            raise NotFound("There is no asset with this id.")
        await customers.change_asset(tx, asset, active=active)
        await _audited(tx, house, actor, "asset.changed", asset, before={"active": before.active}, after={"active": active})
        found = await customers.asset(tx, asset)
    assert found is not None  # noqa: S101 - it was there
    return found


def text(said: str, what: str, most: int = LONGEST_NAME) -> str:
    """A text on one line, without what cannot be seen; `BadInput` if nothing is left or it is too long."""
    plain = one_line(said)
    if not plain:
        raise BadInput(f"The {what} is missing.")
    if len(plain) > most:
        raise BadInput(f"The {what} may have {most} characters at most.")
    return plain


async def _columns(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {}
    if not (-90 <= place.point.lat <= 90 and -180 <= place.point.lon <= 180):
        raise BadInput("These coordinates are off the globe.")
    zone = await asyncio.to_thread(zone_at, place.point)
    address = text(place.address, "address", LONGEST_ADDRESS)
    return {"address": address, "lat": place.point.lat, "lon": place.point.lon, "zone": zone}


def by_id(made: Account | Location | Asset) -> dict[str, str]:
    """What is remembered of something that was made."""
    return {"id": made.id}


async def _there[T](found: Awaitable[T | None]) -> T:
    thing = await found
    if thing is None:
        raise NotFound
    return thing


async def _account(tx: Transaction, id: str) -> Account:
    found = await customers.account(tx, id)
    if found is None:
        raise NotFound("There is no account with this id.")
    return found


async def _audited(tx: Transaction, house: House, actor: Actor, what: str, subject: str, **more: Any) -> None:
    await audit.write(tx, house.clock(), actor.signed, what, subject, **more)
