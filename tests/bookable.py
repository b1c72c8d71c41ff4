"""A company that can be booked: technicians with hours and homes, an account with an address, a service, people who ask."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import select

from tests.world import NOW
from tracker.actions.booking.booking import Need
from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.cells import cells, epoch_s
from tracker.domain.geo import Point, moved
from tracker.domain.ways import Basis
from tracker.records import appointments, people, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Database, Transaction, new_id
from tracker.records.schema import appointments as appointment_rows
from tracker.records.schema import holds, promised_cells
from tracker.records.technicians import Hours, Technician
from tracker.roads.router import Hop, Route

ZONE = "Europe/Helsinki"
HOME = Point(60.20, 24.90)
PLACE = Point(60.17, 24.94)
OFFICE_HOURS = [Hours(day, 480, 1020) for day in range(5)]
TOMORROW = datetime(2026, 11, 25, tzinfo=UTC)
"""Local midnight is two hours earlier; 14:00 there is 12:00 UTC."""


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A Helsinki wall-clock time on the day after NOW (a Wednesday), as UTC."""
    return TOMORROW + timedelta(days=days, hours=hour - 2, minutes=minute)


class Roads:
    """A router whose every way takes the same time, or as long as told for two places."""

    name = "table"
    ready = True

    def __init__(self, minutes: float = 20) -> None:
        self.minutes, self.metres = minutes, 5000.0
        self.told: dict[tuple[Point, Point], tuple[float, float]] = {}
        self.asked: list[tuple[int, int]] = []

    def tell(self, start: Point, end: Point, minutes: float, metres: float) -> None:
        """How long one way takes, in both directions."""
        self.told[start, end] = self.told[end, start] = (minutes, metres)

    async def route(self, start: Point, end: Point, *, heading: float | None = None) -> Route:
        hop = self._hop(start, end)
        return Route((start, end), (0.0, hop.duration_s), hop.length_m, hop.duration_s, Basis.ROAD, self.name)

    async def matrix(self, sources: list[Point], targets: list[Point]) -> list[list[Hop | None]]:
        self.asked.append((len(sources), len(targets)))
        return [[self._hop(a, b) for b in targets] for a in sources]

    def _hop(self, start: Point, end: Point) -> Hop:
        minutes, metres = self.told.get((start, end), (self.minutes, self.metres))
        return Hop(minutes * 60, metres, Basis.ROAD)

    async def close(self) -> None:
        pass


@dataclass
class Bookable:
    """The ids of what is there."""

    db: Database
    account: str
    service: str
    technicians: list[str]
    anna: Actor
    desk: Actor
    others: list[Actor] = field(default_factory=list)

    def need(self, **more: str) -> Need:
        return Need(account=self.account, service_type=self.service, **more)


async def settle(db: Database, crew: int = 1, *, minutes: int = 60, customers: int = 1) -> Bookable:
    """Fill an empty database; technicians live 100 m apart, the first one nearest."""
    async with db.transaction() as tx:
        account = await people.add_account(
            tx, "Esimerkki", NOW, address="Esimerkkikatu 1", lat=PLACE.lat, lon=PLACE.lon, zone=ZONE
        )
        service = await appointments.add_service_type(tx, "Heat pump service", minutes)
        ids = [await add_technician(tx, f"Technician {n}", moved(HOME, 0, 100.0 * n)) for n in range(crew)]
        actors = [await _customer(tx, account, n) for n in range(customers)]
    desk = Actor(Role.DISPATCHER, person="desk")
    return Bookable(db, account, service, sorted(ids), actors[0], desk, actors)


async def add_technician(tx: Transaction, name: str, home: Point | None, hours: list[Hours] = OFFICE_HOURS) -> str:
    technician = new_id()
    where = {} if home is None else {"home_lat": home.lat, "home_lon": home.lon}
    await technicians.add(tx, Technician(id=technician, name=name, zone=ZONE, **where))  # type: ignore[arg-type]
    await technicians.set_hours(tx, technician, hours)
    return technician


async def _customer(tx: Transaction, account: str, number: int) -> Actor:
    person = people.Person(id=new_id(), email=f"customer{number}@example.org", name=f"Customer {number}", role=Role.CUSTOMER)
    await people.add(tx, person, NOW)
    await people.add_contact(tx, account, person.email, person.name, NOW, person=person.id)
    return Actor(Role.CUSTOMER, person=person.id, session=new_id(), accounts=frozenset({account}))


def drive(house: House, roads: Roads) -> Roads:
    """The house asks these roads from now on."""
    house.router = roads
    return roads


async def cells_of(db: Database) -> dict[tuple[str, int], str]:
    """Every promised cell: (technician, cell) → appointment or hold."""
    c = promised_cells.c
    async with db.reading() as tx:
        rows = await tx.tuples(select(c.technician_id, c.cell, c.appointment_id, c.hold_id))
    return {(row[0], row[1]): row[2] or row[3] for row in rows}


async def scheduled(db: Database) -> list[Appointment]:
    """Every appointment that stands, by arrival."""
    columns = [appointment_rows.c[name] for name in Appointment.__struct_fields__ if name != "service"]
    async with db.reading() as tx:
        found = await tx.all(select(*columns).where(appointment_rows.c.state != "canceled"), Appointment)
    return sorted(found, key=lambda one: one.arrival_at)


async def overlaps(db: Database) -> int:
    """Pairs of scheduled visits that one technician would be at at once, and scheduled visits whose work is not all theirs."""
    held = await cells_of(db)
    standing = [one for one in await scheduled(db) if one.technician_id is not None and one.state == "scheduled"]
    days: dict[str | None, list[Appointment]] = {}
    for one in standing:
        days.setdefault(one.technician_id, []).append(one)
    pairs = sum(one.ends_at > other.arrival_at for day in days.values() for one, other in pairwise(day))
    work = {one.id: cells(epoch_s(one.arrival_at), epoch_s(one.ends_at)) for one in standing}
    return pairs + sum(any(held.get((one.technician_id or "", cell)) != one.id for cell in work[one.id]) for one in standing)


async def nothing_overlaps(db: Database) -> None:
    """Every cell of a scheduled appointment's work is its own, so no technician is promised twice."""
    assert await overlaps(db) == 0


async def holds_left(db: Database) -> int:
    async with db.reading() as tx:
        return len(await tx.tuples(select(holds.c.id)))
