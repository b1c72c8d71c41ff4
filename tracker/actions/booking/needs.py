"""What somebody wants to book, checked: the account, the service, the asset and the place where the work would be (B2, B3)."""

from dataclasses import dataclass

import msgspec
from tzfpy import get_tz

from tracker.actions.booking.crew import Range
from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.cells import epoch_s
from tracker.domain.geo import Point
from tracker.domain.slots import Rules, Work
from tracker.errors import BadInput, NoAddress, NobodyToInform, NotAllowed, NotBookable, NotFound, NotSignedIn
from tracker.records import catalog, crew, customers
from tracker.records.appointments import Appointment
from tracker.records.catalog import Account, Asset, ServiceType
from tracker.records.crew import Needed
from tracker.records.database import Transaction

MOST_DETAILS = 1000
"""Characters of the additional details."""
BY_STAFF = "This service needs planning by our staff. Please call the service desk."


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is to be done for whom: ids, and what the person adds. ``contact``: on whose behalf staff book;
    ``keep_informed``: whether letters about it are sent, as staff say (None: as the setting presets it)."""

    account: str
    service_type: str
    asset: str | None = None
    details: str | None = None
    contact: str | None = None
    keep_informed: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the work would be. ``origin`` says whose address it is: ``asset`` or ``account``."""

    address: str
    point: Point
    zone: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a person can choose from. ``place`` is None while the address is not complete: then nothing can be booked."""

    account: Account
    assets: list[Asset]
    services: list[ServiceType]
    place: Place | None
    details_wanted: bool
    assets_wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A need whose parts were found and fit together."""

    need: Need
    account: Account
    service: ServiceType
    place: Place
    contact: str | None
    range: Range

    @property
    def work(self) -> Work:
        """As diaries are asked for it."""
        return Work(self.place.point, self.service.duration_min * 60)


async def choices(house: House, actor: Actor, account: str, asset: str | None = None) -> Choices:
    """What can be booked for an account, and where it would be done with this asset.

    Errors: `NotSignedIn`, `NotAllowed` (neither a customer nor staff), `NotFound` (an account or asset that is not theirs).
    """
    settings = house.settings.now
    async with house.db.reading() as tx:
        found = await _account(tx, actor, account)
        services = await catalog.services_for(tx, account)
        assets = await catalog.assets_of(tx, account) if settings.asset_selection else []
    chosen = next((one for one in assets if one.id == asset), None)
    if asset is not None and chosen is None:
        raise NotFound
    return Choices(
        account=found,
        assets=assets,
        services=[one for one in services if actor.staff or one.by_customers],
        place=place_of(found, chosen),
        details_wanted=settings.details_field,
        assets_wanted=settings.asset_selection and bool(assets),
    )


async def wanted(tx: Transaction, house: House, actor: Actor, need: Need) -> Wanted:
    """The need with everything it names; raises what stands against it.

    Errors: those of `choices`, `NotBookable` (the service is not for this account or not for self-scheduling, the account is
    not active), `NoAddress`, `BadInput`.
    """
    _check_reach(actor, need.account)
    account, service, available, contact = await catalog.facts(tx, need.account, need.service_type, actor.person)
    if account is None:
        raise NotFound
    if service is None or not available:
        raise NotBookable("This service cannot be booked for this account.")
    if not actor.staff and not service.by_customers:
        raise NotBookable(BY_STAFF)
    if not account.active:
        raise NotBookable("This account is not active. Please call the service desk.")
    _check_texts(house, actor, need)
    place = place_of(account, await _asset(tx, need))
    if place is None:
        raise NoAddress
    if actor.staff:
        contact = await _named_contact(tx, need)
    return Wanted(
        need=need, account=account, service=service, place=place, contact=contact, range=await _range(tx, house, need, place)
    )


async def wanted_again(tx: Transaction, house: House, actor: Actor, found: Appointment) -> Wanted:
    """What an appointment already says, for moving it: its own place and duration, whatever was changed since.

    Errors: `NotBookable` (the account is not active any more, or only staff can plan this service).
    """
    account = await _account(tx, actor, found.account_id)
    service = await catalog.service(tx, found.service_type_id)
    if service is None or not account.active:
        raise NotBookable("This account is not active. Please call the service desk.")
    if not actor.staff and not service.by_customers:
        raise NotBookable(BY_STAFF)
    need = Need(account=account.id, service_type=service.id, asset=found.asset_id)
    place = Place(found.address, found.place, found.zone, "asset" if found.asset_id else "account")
    service = msgspec.structs.replace(service, duration_min=found.duration_min)
    reach = await _range(tx, house, need, place)
    return Wanted(need=need, account=account, service=service, place=place, contact=found.contact_id, range=reach)


async def _account(tx: Transaction, actor: Actor, account: str) -> Account:
    _check_reach(actor, account)
    found = await catalog.account(tx, account)
    if found is None:
        raise NotFound
    return found


def _check_reach(actor: Actor, account: str) -> None:
    if actor.role is Role.ANONYMOUS:
        raise NotSignedIn
    if not actor.staff and actor.role is not Role.CUSTOMER:
        raise NotAllowed
    if not actor.staff and account not in actor.accounts:
        raise NotFound


async def _asset(tx: Transaction, need: Need) -> Asset | None:
    if need.asset is None:
        return None
    asset = next((one for one in await catalog.assets_of(tx, need.account) if one.id == need.asset), None)
    if asset is None:
        raise NotFound  # another account's, or out of use
    return asset


def _check_texts(house: House, actor: Actor, need: Need) -> None:
    settings = house.settings.now
    if need.asset is not None and not settings.asset_selection and not actor.staff:
        raise BadInput("Assets cannot be chosen here.")
    if need.details and not settings.details_field and not actor.staff:
        raise BadInput("Additional details cannot be given here.")
    if len(need.details or "") > MOST_DETAILS:
        raise BadInput(f"Additional details have at most {MOST_DETAILS} characters.")


def place_of(account: Account, asset: Asset | None) -> Place | None:
    """The asset's functional location if it has one, else the account's address; None if that one is not complete (B3)."""
    at_asset = asset is not None and asset.location_id is not None
    where = asset if at_asset and asset is not None else account
    if not where.address or where.lat is None or where.lon is None:
        return None
    zone = where.zone or get_tz(where.lon, where.lat)
    return Place(where.address, Point(where.lat, where.lon), zone, "asset" if at_asset else "account")


async def _named_contact(tx: Transaction, need: Need) -> str | None:
    """Who reports it, as staff name them; a customer is their own contact."""
    if need.contact is not None and not await catalog.has_contact(tx, need.account, need.contact):
        raise NotFound
    if need.keep_informed:
        named = await customers.contact(tx, need.contact) if need.contact else None
        if not customers.can_be_informed(named):
            raise NobodyToInform
    return need.contact


async def _range(tx: Transaction, house: House, need: Need, place: Place) -> Range:
    await house.company.refresh(tx)
    key = "demands", need.account, need.service_type, place.point
    needed = await house.company.lately(key, lambda: _needed(tx, house, need, place))
    return Range(needed, place.point, house.settings.now.radius_km * 1000.0)


async def _needed(tx: Transaction, house: House, need: Need, place: Place) -> Needed:
    asked = await crew.demands(tx, need.account, need.service_type, place.point)
    territories = await house.company.territories_at(tx, place.point, asked.territories)
    return Needed(asked.skills, territories, asked.never, asked.only)


def rules(house: House) -> Rules:
    """The company's rules of travel, now."""
    settings = house.settings.now
    return Rules(epoch_s(house.clock()), settings.home_travel_before_hours, settings.way_home_must_fit)
