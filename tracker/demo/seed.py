"""The first day of the demo: accounts, sign-ins, technicians with phones, and appointments in every state."""

import secrets
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from tracker.actions.booking.promising import adopt
from tracker.actions.people.accounts import hashed
from tracker.actions.people.passwords import Passwords
from tracker.demo import cast
from tracker.domain.appointments import Role, State
from tracker.records import appointments, customers, people, settings, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Database, Transaction, new_id
from tracker.records.technicians import Hours, Technician

_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class SignIn(msgspec.Struct, frozen=True):
    """What the demo prints for one role."""

    role: str
    email: str
    password: str


class Driver(msgspec.Struct, frozen=True):
    """A technician with the token of the simulated phone."""

    id: str
    name: str
    token: str
    home: tuple[float, float]


class Demo(msgspec.Struct, frozen=True):
    """What outlives a restart beside the database: it lies in the data folder, readable for its owner only."""

    sign_ins: tuple[SignIn, ...]
    drivers: tuple[Driver, ...]
    account: str
    contact: str
    households: tuple[str, ...]
    services: tuple[str, ...]

    @property
    def standby(self) -> tuple[Driver, ...]:
        """Those whose day is left free, so that a visit can be booked for now: one in six, from the second on."""
        return self.drivers[1 : 1 + max(1, len(self.drivers) // 6)]


def booking_id() -> str:
    """What people say on the phone: ``WP-7K3F-21``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(4))
    return f"WP-{letters}-{secrets.randbelow(90) + 10}"


def appointment(account: str, service: str, place: cast.Place, arrival: datetime, **more: object) -> Appointment:
    """An appointment of ten minutes at one of the city's places."""
    values: dict[str, object] = {
        "id": new_id(),
        "booking_id": booking_id(),
        "account_id": account,
        "service_type_id": service,
        "state": State.SCHEDULED,
        "arrival_at": arrival,
        "ends_at": arrival + timedelta(minutes=10),
        "duration_min": 10,
        "address": place.address,
        "lat": place.point.lat,
        "lon": place.point.lon,
        "zone": cast.ZONE,
        "source": "portal",
        "created_at": arrival - timedelta(days=2),
    }
    return msgspec.convert(values | more, Appointment)


async def put(tx: Transaction, visit: Appointment) -> None:
    """Every appointment of the demo comes in through here: as if booked, with its time promised."""
    await appointments.add(tx, visit)
    await adopt(tx, visit)


async def seed(db: Database, drivers: int, now: datetime) -> Demo:
    """Fill an empty database; everything that must be known later is in the answer."""
    passwords = [secrets.token_urlsafe(9) for _ in range(4)]
    hashing = Passwords()
    hashes = [await hashing.hashed(password) for password in passwords]
    async with db.transaction() as tx:
        for key, value in cast.SETTINGS.items():
            await settings.write(tx, key, value, "demo", now)
        services = tuple([await appointments.add_service_type(tx, name, minutes) for name, minutes in cast.SERVICES])
        vans = tuple([await _driver(tx, number, now) for number in range(drivers)])
        account, contact = await _customer(tx, hashes[0], now)
        households = tuple([await _household(tx, number, now) for number in range(len(cast.HOUSEHOLDS))])
        await _staff(tx, vans[0], hashes, now)
        assets = await _assets(tx, account, now)
        await _other_visits(tx, account, contact, assets, services, vans, now)
    emails = (
        ("customer", cast.CUSTOMER[1]),
        ("dispatcher", cast.DISPATCHER[1]),
        ("admin", cast.ADMIN[1]),
        ("technician", "aino@example.com"),
    )
    signs = tuple(SignIn(role, email, password) for (role, email), password in zip(emails, passwords, strict=True))
    return Demo(signs, vans, account, contact, households, services)


async def _driver(tx: Transaction, number: int, now: datetime) -> Driver:
    name, title, vehicle, plate = cast.technician(number)
    home = cast.home(number).point
    one = Technician(
        id=new_id(),
        name=name,
        zone=cast.ZONE,
        title=title,
        vehicle=vehicle,
        plate=plate,
        photo=None,
        phone="+358 00 000 0000",
        home_lat=home.lat,
        home_lon=home.lon,
    )
    await technicians.add(tx, one)
    await technicians.set_hours(tx, one.id, [Hours(day, 0, 24 * 60) for day in range(7)])
    token = secrets.token_urlsafe(32)
    device = await technicians.add_device(tx, one.id, f"{name}'s phone", now, token_hash=hashed(token))
    await technicians.change(tx, one.id, device_id=device)
    return Driver(one.id, name, token, (home.lat, home.lon))


async def _customer(tx: Transaction, password_hash: str, now: datetime) -> tuple[str, str]:
    name, email, address = cast.CUSTOMER
    place = cast.place_of(address)
    person = people.Person(id=new_id(), email=email, name=name, role=Role.CUSTOMER, password_hash=password_hash)
    await people.add(tx, person, now)
    account = await people.add_account(
        tx, name, now, address=place.address, lat=place.point.lat, lon=place.point.lon, zone=cast.ZONE
    )
    return account, await people.add_contact(tx, account, email, name, now, person=person.id, phone=cast.CUSTOMER_PHONE)


async def _household(tx: Transaction, number: int, now: datetime) -> str:
    place = cast.places()[(number * 5 + 2) % len(cast.places())]
    where = {"address": place.address, "lat": place.point.lat, "lon": place.point.lon}
    return await people.add_account(tx, cast.HOUSEHOLDS[number], now, zone=cast.ZONE, **where)  # type: ignore[arg-type]


async def _staff(tx: Transaction, van: Driver, hashes: list[str], now: datetime) -> None:
    roles = ((cast.DISPATCHER, Role.DISPATCHER, None), (cast.ADMIN, Role.ADMIN, None))
    for ((name, email), role, _), password_hash in zip(roles, hashes[1:3], strict=True):
        await people.add(tx, people.Person(id=new_id(), email=email, name=name, role=role, password_hash=password_hash), now)
    aino = people.Person(
        id=new_id(),
        email="aino@example.com",
        name=van.name,
        role=Role.TECHNICIAN,
        password_hash=hashes[3],
        technician_id=van.id,
    )
    await people.add(tx, aino, now)


async def _assets(tx: Transaction, account: str, now: datetime) -> tuple[str, str]:
    """The customer's two things to be serviced: one at home, one at a place of its own."""
    place = cast.place_of(cast.STUDIO[1])
    studio = customers.Location(
        id=new_id(),
        account_id=account,
        name=cast.STUDIO[0],
        address=place.address,
        lat=place.point.lat,
        lon=place.point.lon,
        zone=cast.ZONE,
    )
    await customers.add_location(tx, studio)
    ids = new_id(), new_id()
    for id_, (name, model, serial), location in zip(ids, cast.ASSETS, (None, studio.id), strict=True):
        asset = customers.Asset(
            id=id_, account_id=account, name=name, model=model, serial=serial, location_id=location, created_at=now
        )
        await customers.add_asset(tx, asset)
    return ids


async def _other_visits(
    tx: Transaction,
    account: str,
    contact: str,
    assets: tuple[str, str],
    services: tuple[str, ...],
    vans: tuple[Driver, ...],
    now: datetime,
) -> None:
    """The customer's visits of other days: done, not done, canceled, and to come; the planner sees to those of today."""
    home, studio = cast.place_of(cast.CUSTOMER[2]), cast.place_of(cast.STUDIO[1])
    midnight = now.astimezone(ZoneInfo(cast.ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)

    def visit(service: int, asset: int | None, days: int, hours: float, **more: object) -> Appointment:
        arrival = (midnight + timedelta(days=days, hours=hours)).astimezone(UTC)
        chosen = {"technician_id": vans[(service + 3) % len(vans)].id, "contact_id": contact}
        thing = {"asset_id": assets[asset]} if asset is not None else {}
        return appointment(account, services[service], studio if asset == 1 else home, arrival, **(chosen | thing | more))

    def story(one: Appointment, *, until: str) -> Appointment:
        end = {until: one.arrival_at + timedelta(minutes=13)}
        begun = {"traveling_at": one.arrival_at - timedelta(minutes=9), "started_at": one.arrival_at + timedelta(minutes=2)}
        return msgspec.structs.replace(one, **(begun | end))

    gone = {"state": State.CANCELED, "canceled_by": "customer", "cancel_reason": "We are away that week."}
    not_done = {"state": State.CANCELED, "canceled_by": "technician", "outcome": "A part was missing."}
    for one in (
        story(visit(0, 0, -12, 9.0, state=State.COMPLETED), until="completed_at"),
        story(visit(1, 1, -40, 13.5, state=State.COMPLETED), until="completed_at"),
        story(visit(2, None, -26, 15.0, **not_done), until="canceled_at"),
        _canceled_before(visit(3, None, -63, 11.0, **gone)),
        visit(1, 1, 2, 10.0),
        visit(0, 0, 6, 13.5, details="Please ring the bell on the left."),
    ):
        await put(tx, one)


def _canceled_before(visit: Appointment) -> Appointment:
    return msgspec.structs.replace(visit, canceled_at=visit.arrival_at - timedelta(days=3))
