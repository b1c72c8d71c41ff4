"""A company large enough for benchmarks: technicians under way on own routes, phones with tokens, a watching customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import cos, radians

from tests.world import ALL_WEEK
from tracker.actions.house import House
from tracker.actions.people.accounts import hashed
from tracker.actions.trip.gates import gates_of_all
from tracker.domain.appointments import Role, State
from tracker.domain.geo import Point, bearing_deg, distance_m
from tracker.domain.ways import Basis, StoredRoute
from tracker.live import keys
from tracker.live.gate import Gate
from tracker.records import appointments, legs, people, sessions, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction, new_id
from tracker.records.legs import Leg
from tracker.records.migrations import migrate
from tracker.records.people import Person
from tracker.records.sessions import Session
from tracker.records.technicians import Technician

MPS = 8.0
STEP_M, STEPS = 60.0, 240
"""A route has 240 stretches of 60 m: half an hour at 8 m/s, longer than any run, so that nobody turns round."""
SOCKETS_EACH = 40
"""Viewers that share one session (the service closes the 65th)."""
HOME = Point(60.32, 24.55)
"""Far from every route: the cloak round the trips' beginning hides nothing that is measured."""


@dataclass(frozen=True, slots=True)
class Van:
    """One technician under way."""

    technician: str
    token: str
    appointment: str
    leg: str
    line: tuple[Point, ...]
    courses: tuple[float, ...]

    def at(self, seconds: float) -> tuple[float, float, float]:
        """(lat, lon, course) so long after the start."""
        along = min(seconds * MPS / STEP_M, STEPS - 0.001)
        i = int(along)
        a, b, share = self.line[i], self.line[i + 1], along - i
        return a.lat + (b.lat - a.lat) * share, a.lon + (b.lon - a.lon) * share, self.courses[i]


@dataclass
class Company:
    """Everyone; ``cookies`` belong to sessions of one customer who may watch every visit."""

    house: House
    vans: list[Van]
    cookies: list[str]
    gates: list[Gate]

    async def open_gates(self) -> None:
        """What the worker does every few seconds: a lease of fifteen from now."""
        await self.house.positions.renew(self.gates)

    async def offsets(self, vans: Sequence[Van]) -> list[int]:
        """How far viewers of each visit have been told."""
        pipe = self.house.positions.client.pipeline()
        for van in vans:
            pipe.hget(f"{keys.tag(van.technician)}visit:{van.appointment}", "off")
        return [int(said or 0) for said in await pipe.execute()]

    def cookie(self, viewer: int) -> str:
        """The Cookie header of a viewer by its number."""
        return self.cookies[viewer // SOCKETS_EACH]


async def settle(house: House, vans: int, viewers: int) -> Company:
    """Fill an empty database and Redis."""
    await migrate(house.db)
    now = datetime.now(UTC)
    async with house.db.transaction() as tx:
        account = await people.add_account(tx, "Esimerkki", now)
        watcher = Person(id=new_id(), email="anna@example.org", name="Anna", role=Role.CUSTOMER)
        await people.add(tx, watcher, now)
        await people.add_contact(tx, account, watcher.email, watcher.name, now, person=watcher.id)
        service = await appointments.add_service_type(tx, "Heat pump service", 90)
        cookies = [await _session(tx, watcher, now) for _ in range(-(-viewers // SOCKETS_EACH))]
        fleet = [await _van(tx, number, account, service, now) for number in range(vans)]
    company = Company(house, fleet, cookies, await gates_of_all(house))
    await company.open_gates()
    for van in fleet:
        times = [i * STEP_M / MPS for i in range(STEPS + 1)]
        route = StoredRoute.of(1, van.line, times, van.line[-1], Basis.ROAD)
        assert await house.positions.store_route(van.technician, van.appointment, van.leg, route)
    return company


async def _session(tx: Transaction, person: Person, now: datetime) -> str:
    token = new_id() * 4
    until = now + timedelta(days=1)
    row = Session(id=new_id(), person_id=person.id, user_agent=None, created_at=now, seen_at=now, expires_at=until)
    await sessions.add(tx, row, hashed(token))
    return f"tt={token}"


async def _van(tx: Transaction, number: int, account: str, service: str, now: datetime) -> Van:
    line, courses = _route(number)
    who, visit, token = new_id(), new_id(), new_id() * 2
    home = {"home_lat": HOME.lat, "home_lon": HOME.lon}
    await technicians.add(tx, Technician(id=who, name=f"Maya {number}", zone="Europe/Helsinki", **home))
    await technicians.set_hours(tx, who, ALL_WEEK)
    phone = await technicians.add_device(tx, who, "phone", now, token_hash=hashed(token))
    await technicians.change(tx, who, device_id=phone)
    booking = {"booking_id": f"WP-{number:05}", "account_id": account, "service_type_id": service, "technician_id": who}
    place = {"address": "Esimerkkikatu 1", "lat": line[-1].lat, "lon": line[-1].lon, "zone": "Europe/Helsinki"}
    arrival = now + timedelta(minutes=30)
    times = {"arrival_at": arrival, "ends_at": arrival + timedelta(minutes=90), "duration_min": 90, "created_at": now}
    await appointments.add(tx, Appointment(id=visit, state=State.SCHEDULED, source="portal", **booking, **place, **times))
    begun = now - timedelta(minutes=1)
    row = Leg(
        id=new_id(),
        appointment_id=visit,
        technician_id=who,
        device_id=phone,
        started_at=begun,
        hides_at=now + timedelta(hours=2),
        origin_lat=HOME.lat,
        origin_lon=HOME.lon,
    )
    await legs.add(tx, row)
    found = await appointments.by_id(tx, visit)
    assert found is not None
    await appointments.change(tx, found, state=State.TRAVELING, leg_id=row.id, traveling_at=begun)
    return Van(who, token, visit, row.id, line, courses)


def _route(number: int) -> tuple[tuple[Point, ...], tuple[float, ...]]:
    """A staircase to the north-east or north-west through the city, another for each number; it never comes near itself."""
    lat, lon = 60.10 + 0.0005 * (number % 100), 24.80 + 0.003 * (number // 100 % 40)
    north = STEP_M / 111_195
    east = north / cos(radians(lat)) * (1 if number % 2 else -1)
    line = [Point(lat, lon)]
    for i in range(STEPS):
        last = line[-1]
        turned = i // 3 % 2
        line.append(Point(round(last.lat + (0 if turned else north), 6), round(last.lon + (east if turned else 0), 6)))
    courses = tuple(round(bearing_deg(a, b), 1) for a, b in pairwise(line))
    assert abs(distance_m(line[0], line[1]) - STEP_M) < 1
    return tuple(line), courses
