"""A small company for tests: an admin, a dispatcher, two technicians with phones, two customers, appointments."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tracker.actions.house import House, close, furnish
from tracker.domain.appointments import Role, State
from tracker.domain.geo import Point
from tracker.records import appointments, people, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Database, Transaction, new_id
from tracker.records.people import Person
from tracker.records.technicians import Hours, Technician
from tracker.roads.fallback import FallbackRouter

NOW = datetime(2026, 11, 24, 12, 2, tzinfo=UTC)
"""A Tuesday, 14:02 in Helsinki."""
HOME = Point(60.2055, 24.6559)
PLACE = Point(60.1699, 24.9384)
ALL_WEEK = [Hours(weekday, 0, 1440) for weekday in range(7)]


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Forward by hours=, minutes= or seconds=."""
        self.now += timedelta(**by)
        return self.now


@asynccontextmanager
async def process(db: Database, redis_url: str, clock: Callable[[], datetime] | None = None) -> AsyncIterator[House]:
    """What one process of the service holds; several may stand on the same database and Redis."""
    house = furnish(db, redis_url, FallbackRouter(None), b"the secret of the tests, 32 bytes", clock or Clock())
    yield house
    await close(house)


@dataclass
class World:
    """The ids of what is there."""

    db: Database
    account: str
    other_account: str
    service: str
    maya: str
    phone: str
    onni: str
    other_phone: str
    customer: Person
    stranger: Person
    dispatcher: Person
    admin: Person
    technician: Person
    colleague: Person

    async def appointment(self, technician: str | None = None, *, arrival_at: datetime = NOW, place: Point = PLACE) -> str:
        """A scheduled appointment of the first account; Maya's if nobody is named."""
        async with self.db.transaction() as tx:
            return await add_appointment(tx, self, technician or self.maya, arrival_at, place)


async def add_appointment(tx: Transaction, world: World, technician: str, arrival_at: datetime, place: Point) -> str:
    appointment = Appointment(
        id=new_id(),
        booking_id=f"WP-{new_id()[:4].upper()}-{new_id()[:4].upper()}",
        account_id=world.account,
        service_type_id=world.service,
        state=State.SCHEDULED,
        arrival_at=arrival_at,
        ends_at=arrival_at + timedelta(minutes=90),
        duration_min=90,
        address="Esimerkkikatu 1",
        lat=place.lat,
        lon=place.lon,
        zone="Europe/Helsinki",
        source="portal",
        created_at=arrival_at - timedelta(days=1),
        technician_id=technician,
    )
    await appointments.add(tx, appointment)
    return appointment.id


async def settle(db: Database, now: datetime = NOW) -> World:
    """Fill an empty database."""
    async with db.transaction() as tx:
        account = await people.add_account(tx, "Esimerkki", now, lat=PLACE.lat, lon=PLACE.lon, zone="Europe/Helsinki")
        other = await people.add_account(tx, "Malli", now)
        maya, phone = await _technician(tx, "Maya", now)
        onni, other_phone = await _technician(tx, "Onni", now)
        persons = {
            "customer": await _person(tx, "anna@example.org", Role.CUSTOMER, now),
            "stranger": await _person(tx, "eve@example.org", Role.CUSTOMER, now),
            "dispatcher": await _person(tx, "desk@example.org", Role.DISPATCHER, now),
            "admin": await _person(tx, "admin@example.org", Role.ADMIN, now),
            "technician": await _person(tx, "maya@example.org", Role.TECHNICIAN, now, maya),
            "colleague": await _person(tx, "onni@example.org", Role.TECHNICIAN, now, onni),
        }
        await people.add_contact(tx, account, "anna@example.org", "Anna", now, person=persons["customer"].id)
        await people.add_contact(tx, other, "eve@example.org", "Eve", now, person=persons["stranger"].id)
        service = await appointments.add_service_type(tx, "Heat pump service", 90)
    return World(db, account, other, service, maya, phone, onni, other_phone, **persons)


async def _technician(tx: Transaction, name: str, now: datetime) -> tuple[str, str]:
    technician = new_id()
    home = {"home_lat": HOME.lat, "home_lon": HOME.lon}
    await technicians.add(tx, Technician(id=technician, name=name, zone="Europe/Helsinki", vehicle="White van", **home))
    await technicians.set_hours(tx, technician, ALL_WEEK)
    phone = await technicians.add_device(tx, technician, f"{name}'s phone", now, token_hash=name.encode().ljust(32, b"."))
    await technicians.change(tx, technician, device_id=phone)
    return technician, phone


async def _person(tx: Transaction, email: str, role: Role, now: datetime, technician: str | None = None) -> Person:
    person = Person(
        id=new_id(), email=email, name=email.split("@")[0].title(), role=role, technician_id=technician, profile_at=now
    )
    await people.add(tx, person, now)
    return person
