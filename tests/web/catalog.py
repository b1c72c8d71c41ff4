"""Staff with a token, a customer with a browser, and a company that is empty until staff fill it through their doors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.serving import config_for, free_socket, serving
from tests.web.roles import whole_app
from tests.world import NOW
from tracker.actions.house import House
from tracker.actions.people import contacts, customers, tokens
from tracker.actions.people.accounts import hashed
from tracker.actions.people.customers import Place
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.geo import Point, moved
from tracker.records import people, sessions, settings
from tracker.records.database import new_id
from tracker.records.sessions import Session

ADMIN = Actor(Role.ADMIN, person="admin")
THERE = ZoneInfo("Europe/Helsinki")
PLACE = Point(60.17, 24.94)
TOMORROW = (NOW + timedelta(days=1)).astimezone(THERE).date()
"""A Wednesday."""
DAYTIME = [{"weekday": day, "starts": "08:00", "ends": "16:00"} for day in range(1, 6)]


def square(centre: Point, metres: float) -> dict[str, Any]:
    """A GeoJSON square round a place."""
    south, north = moved(centre, 180, metres).lat, moved(centre, 0, metres).lat
    west, east = moved(centre, 270, metres).lon, moved(centre, 90, metres).lon
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def home(bearing: float, metres: float) -> dict[str, float]:
    """A home base so far from the customer."""
    return moved(PLACE, bearing, metres)._asdict()


@dataclass
class Company:
    """What is served, and how staff and the customer speak with it."""

    house: House
    client: httpx.AsyncClient
    staff: dict[str, str]
    customer: dict[str, str]
    account: str
    ids: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """As staff's program."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.client.cookies.clear()
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=self.staff | more)

    async def done(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """What it was answered; it must not be refused."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code in (200, 201, 204), (path, answer.text)
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
        """Status, code and sentence of a refusal."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code >= 400, (path, answer.text)
        said = answer.json()
        return said["status"], said["code"], said["detail"]

    async def technician(self, name: str, **said: Any) -> str:
        """A new technician, 900 m from the customer unless said otherwise; by name in ``ids``."""
        body = {"name": name, "home": home(0, 900), "hours": DAYTIME} | said
        made: str = (await self.done("POST", "/technicians", body))["technician"]["id"]
        self.ids[name] = made
        return made

    async def browser_of(self, technician: str) -> dict[str, str]:
        """The headers of the technician's own page, signed in."""
        person, token, now = new_id(), new_id(), self.house.clock()
        who = people.Person(
            id=person, email=f"{person}@example.org", name="x", role=Role.TECHNICIAN, technician_id=technician, profile_at=now
        )
        times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=1)}
        async with self.house.db.transaction() as tx:
            await people.add(tx, who, now)
            await sessions.add(tx, Session(id=new_id(), person_id=person, user_agent=None, **times), hashed(token))
        return self.customer | {"Cookie": f"tt={token}"}

    async def change(self, name: str, **said: Any) -> None:
        """Change a technician."""
        await self.done("PATCH", f"/technicians/{self.ids[name]}", said)

    async def service(self, **said: Any) -> None:
        """Change the service type."""
        await self.done("PATCH", f"/service-types/{self.ids['service']}", said)

    async def set(self, **values: Any) -> None:
        """Change settings, known to the process at once."""
        async with self.house.db.transaction() as tx:
            for key, value in values.items():
                await settings.write(tx, key, value, "test", self.house.clock())
        await self.house.settings.refresh(self.house.db)

    async def times(self, day: int = 0) -> list[str]:
        """What the customer is offered on a day from tomorrow on, as wall-clock times (``08:00``)."""
        first = TOMORROW + timedelta(days=day)
        query = {"service_type": self.ids["service"], "first": first.isoformat(), "days": 1}
        answer = await self.client.get("/api/v1/booking/times", params=query, headers=self.customer)
        assert answer.status_code == 200, answer.text
        [found] = answer.json()["days"]
        return [f"{datetime.fromisoformat(each['arrival_at']).astimezone(THERE):%H:%M}" for each in found["offers"]]

    async def book(self, clock: str, day: int = 0, **body: Any) -> httpx.Response:
        """The customer books a wall-clock time."""
        at = datetime.fromisoformat(f"{TOMORROW + timedelta(days=day)}T{clock}").replace(tzinfo=THERE)
        body = {"service_type": self.ids["service"], "arrival_at": at.isoformat()} | body
        return await self.client.post("/api/v1/appointments", json=body, headers=self.customer)

    async def sent(self, clock: str = "10:00", day: int = 0) -> str:
        """The name of who would be sent: booked, looked up by staff, canceled again."""
        booked = await self.book(clock, day)
        assert booked.status_code == 201, booked.text
        seen = await self.done("GET", f"/appointments/{booked.json()['id']}")
        await self.done("POST", f"/appointments/{booked.json()['id']}/cancel", {"reason": "x"})
        return next(name for name, id in self.ids.items() if id == seen["technician_id"])


@asynccontextmanager
async def company(house: House, data: Path) -> AsyncIterator[Company]:
    """Serve it: an account with an address and a customer who is signed in; nothing can be booked as yet."""
    account = (await customers.add_account(house, ADMIN, "Esimerkki", Place("Esimerkkikatu 1", PLACE))).id
    who = people.Person(id=new_id(), email="anna@example.org", name="Anna", role=Role.CUSTOMER, profile_at=NOW)
    async with house.db.transaction() as tx:
        await people.add(tx, who, NOW)
    await contacts.add_contact(house, ADMIN, account, who.email, who.name)
    token, times = new_id(), {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=1)}
    async with house.db.transaction() as tx:
        await sessions.add(tx, Session(id=new_id(), person_id=who.id, user_agent=None, **times), hashed(token))
    program = await tokens.add_token(
        house, ADMIN, "plan", ["catalog:read", "catalog:write", "appointments:read", "appointments:write", "settings:write"]
    )
    bound = free_socket()
    async with serving(whole_app(house, config_for(bound, data)), bound) as client:
        made = Company(house, client, {"Authorization": f"Bearer {program.secret}"}, {"Cookie": f"tt={token}"}, account)
        body = {"name": "Heat pump service", "duration_min": 60}
        made.ids["service"] = (await made.done("POST", "/service-types", body))["id"]
        yield made


@asynccontextmanager
async def elsewhere(shop: Company, house: House, data: Path) -> AsyncIterator[Company]:
    """The same company, served by another process."""
    bound = free_socket()
    async with serving(whole_app(house, config_for(bound, data)), bound) as client:
        yield replace(shop, house=house, client=client)
