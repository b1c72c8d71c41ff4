"""What Anna's account has beside itself: an address, equipment at home and at the office, services, a second customer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.portal_web.living import Town
from tests.world import PLACE
from tracker.actions.booking import booking
from tracker.actions.booking.booking import Need
from tracker.domain.accounts import Actor, OwnAccount
from tracker.domain.appointments import Role, State
from tracker.domain.geo import moved
from tracker.records import appointments, customers, settings, technicians
from tracker.records.appointments import Appointment
from tracker.records.customers import Asset, Location
from tracker.records.database import new_id
from tracker.records.people import Person

HOME, OFFICE = "Korkeavuorenkatu 24 B 3", "Office, Bulevardi 7"


@dataclass
class Household:
    """The ids of what can be chosen."""

    town: Town
    inspection: str
    repair: str
    pump: str
    fan: str

    @property
    def account(self) -> str:
        return self.town.world.account

    @property
    def anna(self) -> Actor:
        """Anna, as a program of hers would be."""
        return self.actor(self.town.world.customer, self.account)

    def actor(self, person: Person, account: str) -> Actor:
        own = (OwnAccount(account, "Household"),)
        return Actor(Role.CUSTOMER, person.id, person.name, accounts=frozenset({account}), own=own, account=account)

    async def book(self, day: int = 1, nth: int = 0) -> Appointment:
        """A visit for Anna: the nth time of a day from tomorrow on."""
        need = Need(account=self.account, service_type=self.inspection, asset=self.pump)
        found = await booking.times(self.town.house, self.anna, need)
        return await booking.book(self.town.house, self.anna, need, found.days[day].offers[nth].arrival_at)

    async def visit(self, state: State, **more: Any) -> str:
        """One in a state, put there directly: for lists."""
        now = self.town.house.clock()
        at: datetime = more.pop("arrival_at", now + timedelta(minutes=30))
        made = Appointment(
            id=new_id(),
            booking_id=f"WP-{new_id()[:4].upper()}-{new_id()[:2].upper()}",
            account_id=self.account,
            service_type_id=self.inspection,
            state=state,
            arrival_at=at,
            ends_at=at + timedelta(minutes=60),
            duration_min=60,
            address=HOME,
            lat=PLACE.lat,
            lon=PLACE.lon,
            zone="Europe/Helsinki",
            source="portal",
            created_at=now - timedelta(days=2),
            technician_id=self.town.world.maya,
        )
        async with self.town.house.db.transaction() as tx:
            await appointments.add(tx, Appointment(**{name: getattr(made, name) for name in made.__struct_fields__} | more))
        return made.id

    async def set(self, key: str, value: Any) -> None:
        """Change a setting, known to the process at once."""
        async with self.town.house.db.transaction() as tx:
            await settings.write(tx, key, value, "test", self.town.house.clock())
        await self.town.house.settings.refresh(self.town.house.db)

    async def appointment(self, id: str) -> Appointment:
        """As it stands."""
        async with self.town.house.db.reading() as tx:
            found = await appointments.by_id(tx, id)
        assert found
        return found

    async def all_booked(self) -> list[Appointment]:
        """Every appointment of the account."""
        async with self.town.house.db.reading() as tx:
            return await appointments.of_accounts(tx, frozenset({self.account}))


async def furnish(town: Town) -> Household:
    """Furnish Anna's account; Maya is the only technician, so that a time can be lost."""
    now, account = town.house.clock(), town.world.account
    office = moved(PLACE, 200, 300)
    async with town.house.db.transaction() as tx:
        await customers.change_account(tx, account, address=HOME)
        place = Location(
            id=new_id(), account_id=account, name="Office", address=OFFICE, lat=office.lat, lon=office.lon, zone="Europe/Helsinki"
        )
        await customers.add_location(tx, place)
        pump = Asset(id=new_id(), account_id=account, name="Heat pump", model="Utility room", created_at=now)
        fan = Asset(id=new_id(), account_id=account, name="Ventilation unit", location_id=place.id, created_at=now)
        for asset in (pump, fan):
            await customers.add_asset(tx, asset)
        inspection = await appointments.add_service_type(tx, "Heat pump inspection", 60)
        repair = await appointments.add_service_type(tx, "Heat pump repair", 90)
        await technicians.change(tx, town.world.onni, active=False)
    return Household(town, inspection, repair, pump.id, fan.id)
