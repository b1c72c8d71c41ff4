"""The whole service on real servers for the portal's tests: pages, sockets and a technician who can be driven about."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec

from portal_web.doors import portal
from tests.serving import config_for, free_socket, serving
from tests.world import PLACE, World, settle
from tracker.actions.agenda import appointment_for
from tracker.actions.house import House, close, furnish, the_clock
from tracker.actions.people.accounts import hashed
from tracker.actions.trip import visits
from tracker.actions.trip.sharing import set_sharing
from tracker.actions.trip.visits import Wish
from tracker.app import create_app
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.domain.geo import Point, moved
from tracker.live import keys
from tracker.live.keep import Item, Keeper
from tracker.records import people, sessions, technicians
from tracker.records.database import Database, new_id
from tracker.records.people import Person
from tracker.records.sessions import Session
from tracker.roads.fallback import FallbackRouter

PASSWORD = "correct horse battery staple"
START = moved(PLACE, 300, 2_400)
"""Where the van is first seen: far from home and from the customer."""


@dataclass
class Town:
    """A served company: its address, its parts, its people."""

    url: str
    house: House
    world: World
    client: httpx.AsyncClient
    keeper: Keeper
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def technician(self) -> Actor:
        return Actor(Role.TECHNICIAN, self.world.technician.id, "Maya", technician=self.world.maya)

    @property
    def anna(self) -> Actor:
        who, account = self.world.customer.id, self.world.account
        return Actor(Role.CUSTOMER, who, "Anna", accounts=frozenset({account}), session=who)

    async def token_of(self, person: Person) -> str:
        """A session made for a person: what the browser's cookie would hold."""
        now, token = self.house.clock(), new_id() * 4
        session = Session(
            id=new_id(), person_id=person.id, user_agent=None, created_at=now, seen_at=now, expires_at=now + timedelta(days=1)
        )
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, session, hashed(token))
        return token

    async def get(self, path: str, person: Person | None = None) -> httpx.Response:
        """A page as this person gets it."""
        cookies = {"tt": await self.token_of(person)} if person else {}
        headers = {
            "Accept": "text/html",
            "Sec-Fetch-Dest": "document",
            "Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items()),
        }
        return await self.client.get(path, headers=headers)

    async def appointment(self, **more: datetime) -> str:
        """One of Anna's, promised in half an hour unless said otherwise."""
        return await self.world.appointment(arrival_at=more.get("arrival_at") or self.house.clock() + timedelta(minutes=30))

    async def step(self, appointment: str, step: Step) -> None:
        """Maya takes a step."""
        device = self.world.phone if step is Step.START_TRAVEL else None
        await visits.take_step(self.house, self.technician, appointment, Wish(step=step, device=device))

    async def cancel(self, appointment: str, reason: str) -> None:
        """Anna cancels, whether her technician is on the way or not."""
        seen = (await appointment_for(self.house, self.anna, appointment)).state
        await visits.take_step(self.house, self.anna, appointment, Wish(step=Step.CANCEL, reason=reason, seen=seen))

    async def share(self, on: bool) -> None:
        """Maya pauses or resumes sharing."""
        await set_sharing(self.house, self.technician, self.world.maya, on, "lunch" if not on else None)

    async def ping(
        self,
        point: Point,
        *,
        ago_s: float = 0.0,
        acc: float = 20.0,
        eta_min: tuple[float, float] | None = (10, 16),
        reason: str | None = None,
    ) -> None:
        """One fix of Maya's phone, kept as ingest keeps it; with an arrival range from ``eta_min`` minutes on."""
        who, phone, now = self.world.maya, self.world.phone, datetime.now(UTC)
        at, version = now - timedelta(seconds=ago_s), new_id()
        shown: dict[str, object] = {"lat": point.lat, "lon": point.lon, "acc": acc, "fix_at": _text(at)}
        head = msgspec.json.encode(shown | ({"reason": reason} if reason else {}))[:-1].decode()
        eta = _eta(now, eta_min) if eta_min else ""
        leg = await self._leg() if eta else ""
        fix = round(at.timestamp() * 1000)
        for _ in range(2):  # another version stood there (a pause took the last one away): judged again, as ingest does
            known = self.versions.get(who, "")
            item = Item(who, keys.tag(who), phone, known, version, fix, *point, head, "[]", leg, eta, [], "", "")
            [answer] = await self.keeper.keep([item], now)
            self.versions[who] = version if answer.moved else answer.version
            if answer.moved:
                return
        raise AssertionError(answer)

    async def _leg(self) -> str:
        gate = await self.house.positions.gate(self.world.maya)
        return (gate.leg if gate else None) or ""


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _eta(now: datetime, minutes: tuple[float, float]) -> str:
    low, high = (now + timedelta(minutes=each) for each in minutes)
    return msgspec.json.encode({"at": _text(low), "low": _text(low), "high": _text(high), "basis": "road"}).decode()


@asynccontextmanager
async def living(database_url: str, redis_url: str, data: Path) -> AsyncIterator[Town]:
    """The service on a database without a row, served; everybody of the small company may sign in with `PASSWORD`."""
    db = Database(database_url)
    house = furnish(db, redis_url, FallbackRouter(None), b"the secret of the tests, 32 bytes", the_clock)
    world = await settle(db, house.clock())
    bound = free_socket()
    config = config_for(bound, data)
    pages = portal(config)
    app = create_app(house, config, pages.routes, refusal_page=pages.refusal_page)
    keeper = Keeper(house.positions.client)
    try:
        async with serving(app, bound) as client:
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            yield Town(url, house, world, client, keeper)
    finally:
        await keeper.close()
        await close(house)
        await db.close()


async def give_password(town: Town, person: Person) -> None:
    """So that this person may sign in with `PASSWORD`."""
    known = await town.house.passwords.hashed(PASSWORD)
    async with town.house.db.transaction() as tx:
        await people.set_password(tx, person.id, known)


async def describe_maya(town: Town, **values: object) -> None:
    """More about Maya: title, plate, phone …"""
    async with town.house.db.transaction() as tx:
        await technicians.change(tx, town.world.maya, **values)


def form_token(html: str) -> str:
    """The token in a page's first form."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', html)
    assert found
    return found[1]


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 -- conditions of a browser have no event here
            await asyncio.sleep(0.02)
