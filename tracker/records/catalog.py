"""What can be booked, for whom and where: service types, assets, and the places where the work would be."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import String, bindparam, exists, select

from tracker.records.database import Transaction
from tracker.records.prepared import Prepared
from tracker.records.schema import (
    accounts,
    assets,
    contacts,
    functional_locations,
    service_type_accounts,
    service_types,
)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's account, as far as booking cares."""

    id: str
    name: str
    active: bool
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None


class ServiceType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of work. ``duration_min`` is the time on site."""

    id: str
    name: str
    duration_min: int
    description: str | None = None
    active: bool = True
    self_schedulable: bool = True
    crew: int = 1
    for_all: bool = True

    @property
    def by_customers(self) -> bool:
        """Whether customers may book it themselves (B7)."""
        return self.active and self.self_schedulable and self.crew == 1


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A thing to be serviced, with its functional location's name and address if it stands somewhere of its own."""

    id: str
    account_id: str
    name: str
    model: str | None = None
    serial: str | None = None
    location_id: str | None = None
    location: str | None = None
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None


_ACCOUNT = [accounts.c[name] for name in Account.__struct_fields__]
_SERVICE = [service_types.c[name] for name in ServiceType.__struct_fields__]
_THERE = [functional_locations.c[name] for name in ("address", "lat", "lon", "zone")]
_ASSET = [assets.c[name] for name in ("id", "account_id", "name", "model", "serial", "location_id")]


async def account(tx: Transaction, account: str) -> Account | None:
    """One account, active or not."""
    return await tx.one(select(*_ACCOUNT).where(accounts.c.id == account), Account)


class Facts(NamedTuple):
    """What one statement says of a wish: the account and service if they exist, whether they go together, and who reports it."""

    account: Account | None
    service: ServiceType | None
    available: bool
    contact: str | None


async def facts(tx: Transaction, account: str, service: str, person: str | None) -> Facts:
    """Account, service type, whether the one may have the other, and the person's living contact of the account."""
    rows = await tx.tuples(_FACTS, {"account": account, "service": service, "person": person})
    if not rows:
        return Facts(None, None, False, None)
    own, kind, (available, reported_by) = rows[0][: len(_ACCOUNT)], rows[0][len(_ACCOUNT) : -2], rows[0][-2:]
    named = dict(zip(ServiceType.__struct_fields__, kind, strict=True))
    return Facts(
        account=Account(**dict(zip(Account.__struct_fields__, own, strict=True))),
        service=ServiceType(**named) if named["id"] is not None else None,
        available=bool(available),
        contact=reported_by,
    )


def _facts() -> Prepared:
    account, service, person = (bindparam(name, type_=String) for name in ("account", "service", "person"))
    mine = contacts.c
    living = (mine.account_id == account) & (mine.person_id == person) & mine.ended_at.is_(None)
    contact = select(mine.id).where(living).order_by(mine.created_at).limit(1).scalar_subquery()
    joined = accounts.outerjoin(service_types, service_types.c.id == service)
    extra = [(service_types.c.active & _available(account)).label("available"), contact.label("contact")]
    return Prepared(select(*_ACCOUNT, *_SERVICE, *extra).select_from(joined).where(accounts.c.id == account))


async def has_contact(tx: Transaction, account: str, contact: str) -> bool:
    """Whether a contact is a living one of the account."""
    which = (contacts.c.account_id == account) & (contacts.c.id == contact) & contacts.c.ended_at.is_(None)
    return await tx.value(select(contacts.c.id).where(which)) is not None


async def service(tx: Transaction, service: str) -> ServiceType | None:
    """One service type, active or not."""
    return await tx.one(select(*_SERVICE).where(service_types.c.id == service), ServiceType)


async def services_for(tx: Transaction, account: str) -> list[ServiceType]:
    """The service types that this account may have, by name (B2); whether customers may book them is theirs to say."""
    query = select(*_SERVICE).where(service_types.c.active, _available(account)).order_by(service_types.c.name)
    return await tx.all(query, ServiceType)


def _available(account: Any) -> Any:
    named = service_type_accounts.c
    return service_types.c.for_all | exists().where(named.service_type_id == service_types.c.id, named.account_id == account)


_FACTS = _facts()


async def assets_of(tx: Transaction, account: str) -> list[Asset]:
    """The account's assets in use, by name."""
    which = (assets.c.account_id == account) & assets.c.active
    return await tx.all(_assets().where(which).order_by(assets.c.name, assets.c.id), Asset)


async def asset(tx: Transaction, asset: str) -> Asset | None:
    """One asset, in use or not."""
    return await tx.one(_assets().where(assets.c.id == asset), Asset)


def _assets() -> Any:
    columns = [*_ASSET, functional_locations.c.name.label("location"), *_THERE]
    return select(*columns).select_from(assets.outerjoin(functional_locations, assets.c.location_id == functional_locations.c.id))
