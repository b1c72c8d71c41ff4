"""A rush of customers on real processes: each books, moves and cancels under keys, and presses until it is answered."""

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from tests import bookable
from tests.faults.warm import Warm, warm
from tests.machine import Machine
from tests.world import ALL_WEEK
from tracker.actions.people.accounts import hashed
from tracker.records import appointments, events, outbox, people, sessions, technicians
from tracker.records.database import Database, Transaction, new_id
from tracker.records.migrations import migrate
from tracker.records.schema import appointments as visits
from tracker.records.schema import holds, idempotency
from tracker.records.sessions import Session

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nobody here speaks TLS: without one of its own each client would read the system's certificates."""
CREW = 6
SLOTS = 5 * 24 * 2
"""Half hours of five days from tomorrow on: many are wanted by two at once."""


@dataclass
class Rush:
    """The company, its processes, and what every customer was answered."""

    machine: Machine
    db: Database
    warm: Warm
    company: bookable.Bookable
    customers: list["Customer"]
    running: dict[str, int] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    news: asyncio.Event = field(default_factory=asyncio.Event)  # somebody has booked
    up: asyncio.Event = field(default_factory=asyncio.Event)  # the web process answers
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, command: str) -> None:
        """A process of the service; the web one is ready afterwards."""
        self.running[command] = await self.warm.start(command)
        if command == "serve":
            await self.warm.ready()
            self.up.set()

    async def kill(self, command: str) -> None:
        if command == "serve":
            self.up.clear()
        await self.warm.kill(self.running.pop(command))

    async def faults(self) -> dict[str, int]:
        """What does not hold, counted: answers of 2xx that are not there or say something else now, and what nobody was told."""
        kept = {id: answer for one in self.customers for id, answer in one.kept.items()}
        cells = await bookable.cells_of(self.db)
        async with self.db.reading() as tx:
            there = {row[0] for row in await tx.tuples(select(visits.c.id))}
            unlike = [id for id in there & kept.keys() if not await _as_answered(tx, id, kept[id])]
            stories = [id for id in there if not await _told_once(tx, id)]
            keys = Counter(row[0]["appointment"] for row in await tx.tuples(select(idempotency.c.answer)))
            left = await tx.value(select(func.count()).select_from(holds))
        standing = {id for id, answer in kept.items() if answer["state"] == "scheduled"}
        return {
            "lost": len(kept.keys() - there),
            "doubled": len(there - kept.keys()) + len(there ^ keys.keys()),
            "changed": len(unlike),
            "letters or events amiss": len(stories),
            "orphans": len(set(cells.values()) ^ standing) + left,
            "overlaps": await bookable.overlaps(self.db),
        }

    async def everything_holds(self) -> None:
        """Every answer of 2xx is there and says the same; nobody is promised twice; nothing is there that nobody was told."""
        assert (faults := await self.faults()) == dict.fromkeys(faults, 0)

    @property
    def figures(self) -> dict[str, object]:
        """What was answered, and how often it was pressed again because nothing was."""
        return {name: self.told[name] for name in ("booked", "moved", "canceled", "409", "again", "503")}


@dataclass
class Customer:
    """Somebody with a browser who does not give up."""

    rush: Rush
    number: int
    cookie: str
    dice: random.Random
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)  # key, body, appointment

    async def run(self) -> None:
        """Book, and move or cancel some of it, until the rush is over. What was begun is brought to its end."""
        async with self.browser() as client:
            while not self.rush.over.is_set():
                visit = await self.book(client)
                if visit is not None and self.dice.random() < 0.5:
                    await self.move(client, visit)
                if visit is not None and self.dice.random() < 0.6:
                    await self.cancel(client, visit)

    def browser(self, **more: Any) -> httpx.AsyncClient:
        """Signed in."""
        url = self.rush.machine.url
        headers = {"Cookie": f"tt={self.cookie}", "Origin": url, "Sec-Fetch-Site": "same-origin"}
        return httpx.AsyncClient(headers=headers, verify=NO_TLS, **{"base_url": url, "timeout": 30} | more)

    async def book(self, client: httpx.AsyncClient) -> str | None:
        key, body = new_id(), {"service_type": self.rush.company.service, "arrival_at": self._wish()}
        body["account"] = self.rush.company.account
        answer = await self._press(client, "POST", "/appointments", body, {"Idempotency-Key": key})
        if answer.status_code != 201:
            return None
        self.rush.told["booked"] += 1
        self.rush.news.set()
        made: dict[str, Any] = answer.json()
        assert made["id"] not in self.kept
        self.kept[made["id"]] = made
        self.asked.append((key, body, made["id"]))
        return str(made["id"])

    async def move(self, client: httpx.AsyncClient, visit: str) -> None:
        headers = {"Idempotency-Key": new_id(), "If-Match": f'"{self.kept[visit]["version"]}"'}
        answer = await self._press(client, "PUT", f"/appointments/{visit}/arrival", {"arrival_at": self._wish()}, headers)
        if answer.status_code == 200:
            self.rush.told["moved"] += 1
            self.kept[visit] = answer.json()

    async def cancel(self, client: httpx.AsyncClient, visit: str) -> None:
        headers = {"Idempotency-Key": new_id(), "If-Match": f'"{self.kept[visit]["version"]}"'}
        answer = await self._press(client, "POST", f"/appointments/{visit}/cancel", {"reason": "away"}, headers)
        assert answer.status_code == 200, answer.text
        self.rush.told["canceled"] += 1
        self.kept[visit] = answer.json()

    async def _press(self, client: httpx.AsyncClient, method: str, path: str, body: Any, headers: Any) -> httpx.Response:
        while True:
            try:
                answer = await client.request(method, f"/api/v1{path}", json=body, headers=headers)
            except httpx.TransportError:
                self.rush.told["again"] += 1
                await self.rush.up.wait()
                await asyncio.sleep(self.dice.uniform(0, 0.05))
                continue
            if answer.status_code != 503:
                assert answer.status_code in {200, 201, 409}, (method, path, answer.status_code, answer.text)
                self.rush.told["409"] += answer.status_code == 409
                return answer
            self.rush.told["503"] += 1
            await asyncio.sleep(0.05)

    def _wish(self) -> str:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (midnight + timedelta(minutes=30 * self.dice.randrange(SLOTS))).isoformat()


@asynccontextmanager
async def rushing(
    database_url: str, redis_url: str, data: Path, clients: int, seed: int = 1, through: str | None = None
) -> AsyncIterator[Rush]:
    """Everything migrated and settled; no process of the service runs yet. ``through``: the database as the service sees it."""
    db = Database(database_url)
    await migrate(db)
    company = await bookable.settle(db, CREW, customers=min(clients, 16))
    cookies = await _opened(db, company)
    machine = Machine(data, {"DATABASE_URL": through or database_url, "REDIS_URL": redis_url})
    dice = random.Random(seed)
    try:
        async with warm(machine) as parent:
            rush = Rush(machine, db, parent, company, [])
            rush.customers += [Customer(rush, n, cookies[n % len(cookies)], random.Random(dice.random())) for n in range(clients)]
            try:
                yield rush
            finally:
                for command in list(rush.running):
                    await rush.kill(command)
    finally:
        await machine.stop()
        await db.close()


async def _opened(db: Database, company: bookable.Bookable) -> list[str]:
    """Everybody works all week; each customer has a session: its token."""
    now, tokens = datetime.now(UTC), []
    times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=1)}
    async with db.transaction() as tx:
        for technician in company.technicians:
            await technicians.set_hours(tx, technician, ALL_WEEK)
        for actor in company.others:
            assert actor.person
            await people.change(tx, actor.person, profile_at=now)
            tokens.append(new_id() * 2)
            row = Session(id=new_id(), person_id=actor.person, user_agent=None, **times)  # type: ignore[arg-type]
            await sessions.add(tx, row, hashed(tokens[-1]))
    return tokens


async def _as_answered(tx: Transaction, id: str, answer: dict[str, Any]) -> bool:
    """Whether an appointment stands as its customer was told last."""
    found = await appointments.by_id(tx, id)
    assert found is not None
    arrival = datetime.fromisoformat(answer["arrival_at"])
    return (found.state, found.version, found.arrival_at) == (answer["state"], answer["version"], arrival)


async def _told_once(tx: Transaction, id: str) -> bool:
    """Whether it has one event of each thing that happened, and one letter that confirms it."""
    found = await appointments.by_id(tx, id)
    kinds = Counter(event.kind for event in await events.of_appointment(tx, id))
    letters = Counter(letter.kind for letter in await outbox.of_appointment(tx, id))
    canceled = found is not None and found.state == "canceled"
    return (kinds["booked"], kinds["canceled"], letters["confirmation"]) == (1, canceled, 1)
