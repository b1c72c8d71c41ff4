"""F5: the same request ten times at once, and ten times after a restart: one row, letter and answer; every door with a key."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from tests.faults.rush import Rush, rushing
from tests.machine import ROOT
from tracker.actions.people.accounts import hashed
from tracker.domain.appointments import Role
from tracker.records import people, sessions
from tracker.records.database import new_id
from tracker.records.people import Person
from tracker.records.schema import metadata
from tracker.records.sessions import Session

TIMES = 10
MADE = (
    "appointments",
    "outbox",
    "events",
    "accounts",
    "contacts",
    "functional_locations",
    "assets",
    "invitations",
    "idempotency",
)
KEPT = (*MADE, "idempotency")
"""Tables that a request sent again must leave as they are."""
SECRETS = {"/api/v1/tokens"}
"""Doors that show a secret once: their key is told so (tests/web/test_made_once.py)."""


@dataclass
class Sent:
    """A request with its key, and what it was answered."""

    method: str
    path: str
    body: Any
    other: Any
    headers: dict[str, str] = field(default_factory=lambda: {"Idempotency-Key": new_id()})
    said: tuple[int, Any] = (0, None)

    async def by(self, client: httpx.AsyncClient, body: Any = None) -> httpx.Response:
        return await client.request(self.method, f"/api/v1{self.path}", json=body or self.body, headers=self.headers)


@dataclass
class Doors:
    """Each door, pressed by somebody who may."""

    rush: Rush
    desk: httpx.AsyncClient
    anna: httpx.AsyncClient
    sent: list[tuple[httpx.AsyncClient, Sent]] = field(default_factory=list)
    asked: int = 0

    async def once(self, client: httpx.AsyncClient, sent: Sent) -> dict[str, Any]:
        """The same ten times at once: one answer. Another body is refused, and leaves nothing."""
        answers = await asyncio.gather(*(sent.by(client) for _ in range(TIMES)))
        self.asked += TIMES
        assert {one.status_code for one in answers} <= {200, 201}, [one.text for one in answers]
        assert len({(one.status_code, one.text) for one in answers}) == 1
        sent.said = answers[0].status_code, answers[0].json()
        self.sent.append((client, sent))
        if sent.other is not None:
            before = await self.rows()
            refused = await sent.by(client, sent.other)
            assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch"), (sent.path, refused.text)
            assert await self.rows() == before
        made: dict[str, Any] = answers[0].json()
        return made

    async def rows(self) -> dict[str, int]:
        """How many there are of everything that could be doubled."""
        async with self.rush.db.reading() as tx:
            counts = [select(func.count()).select_from(metadata.tables[name]) for name in KEPT]
            return {name: await tx.value(count) for name, count in zip(KEPT, counts, strict=True)}


def hour(number: int) -> str:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    return (midnight + timedelta(hours=number)).isoformat()


async def signed_in(rush: Rush, role: Role) -> str:
    """The cookie of somebody of the staff."""
    now, token = datetime.now(UTC), new_id() * 2
    person = Person(id=new_id(), email=f"{role}@example.org", name="Staff", role=role, profile_at=now)
    row = Session(
        id=new_id(), person_id=person.id, user_agent=None, created_at=now, seen_at=now, expires_at=now + timedelta(days=1)
    )
    async with rush.db.transaction() as tx:
        await people.add(tx, person, now)
        await sessions.add(tx, row, hashed(token))
    return token


async def every_door(doors: Doors) -> None:
    """One request to each, in an order in which each can be done."""
    company, anna, desk = doors.rush.company, doors.anna, doors.desk
    book = {"service_type": company.service, "account": company.account, "arrival_at": hour(0)}
    visit = await doors.once(anna, Sent("POST", "/appointments", book, book | {"details": "Ring once."}))
    one = f"/appointments/{visit['id']}"
    move = Sent("PUT", f"{one}/arrival", {"arrival_at": hour(3)}, {"arrival_at": hour(5)})
    move.headers["If-Match"] = '"1"'
    await doors.once(anna, move)
    await doors.once(anna, Sent("POST", f"{one}/cancel", {"reason": "away"}, {"reason": "ill"}))
    alone = await doors.once(anna, Sent("POST", "/appointments", book | {"arrival_at": hour(8)}, book))
    assert (await desk.put(f"/api/v1/appointments/{alone['id']}/technician", json={"technician": None})).status_code == 200
    await doors.once(anna, Sent("POST", f"/appointments/{alone['id']}/cancel", {"reason": "away"}, {"reason": "ill"}))
    begun = await doors.once(desk, Sent("POST", "/appointments", book | {"arrival_at": hour(11)}, book))
    steps = f"/appointments/{begun['id']}/steps"
    for step, other in (("start_travel", "arrive"), ("arrive", "complete")):
        await doors.once(desk, Sent("POST", steps, {"step": step}, {"step": other}))
    letters = (await desk.get("/api/v1/letters", params={"kind": "canceled"})).json()["letters"]
    await doors.once(desk, Sent("POST", f"/letters/{letters[0]['id']}/resend", None, None))
    place = {"address": "Street 1", "lat": 60.17, "lon": 24.94}
    account = await doors.once(desk, Sent("POST", "/accounts", {"name": "Koe", "place": place}, {"name": "Koe 2"}))
    within = f"/accounts/{account['id']}"
    kaisa = {"name": "Kaisa", "email": "kaisa@example.org"}
    added = await doors.once(desk, Sent("POST", f"{within}/contacts", kaisa, kaisa | {"phone": "1"}))
    await doors.once(desk, Sent("POST", f"{within}/locations", {"name": "Barn", "place": place}, {"name": "Barn"}))
    await doors.once(desk, Sent("POST", f"{within}/assets", {"name": "Pump"}, {"name": "Fan"}))
    await doors.once(desk, Sent("POST", f"/contacts/{added['contact']['id']}/invitations", None, None))


def shape(path: str) -> str:
    """A path as the description of the doors writes it."""
    names = {"appointments": "appointment", "letters": "letter", "accounts": "account", "contacts": "contact"}
    parts = path.split("/")[1:]
    return "/api/v1/" + "/".join(f"{{{names[parts[0]]}}}" if n == 1 else part for n, part in enumerate(parts))


def keyed_doors() -> set[str]:
    """Every door that takes a key, as the description says."""
    described = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    takes = {(path, method) for path, doors in described.items() for method, one in doors.items() if _has_key(one)}
    return {path for path, _ in takes} - SECRETS


def _has_key(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "Idempotency-Key" for one in operation["parameters"])


@pytest.mark.parametrize("where", ["sqlite_url", "postgres_url"])
async def test_what_is_sent_again_is_done_once_also_after_a_restart(
    where: str, redis_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with rushing(request.getfixturevalue(where), redis_url, tmp_path, clients=2) as rush:
        anna, stranger = rush.customers
        staff = [f"tt={await signed_in(rush, role)}" for role in (Role.DISPATCHER, Role.ADMIN)]
        await rush.start("serve")
        async with anna.browser() as own, stranger.browser() as others, anna.browser() as desk, anna.browser() as admin:
            desk.headers["Cookie"], admin.headers["Cookie"] = staff
            doors = Doors(rush, desk, own)
            await every_door(doors)
            assert {shape(sent.path) for _, sent in doors.sent} == keyed_doors()
            before = await doors.rows()
            await rush.kill("serve")
            await rush.start("serve")
            for client, sent in doors.sent:
                answers = await asyncio.gather(*(sent.by(client) for _ in range(TIMES)))
                doors.asked += TIMES
                assert {(one.status_code, one.json().get("id")) for one in answers} == {(sent.said[0], sent.said[1].get("id"))}
            assert await doors.rows() == before
            # another one's key of the same name is another key
            told: Counter[int] = Counter()
            for client, sent in doors.sent:
                told[(await sent.by(admin if client is desk else others)).status_code] += 1
            assert (await doors.rows())["idempotency"] > before["idempotency"]
            assert told.keys() <= {200, 201, 409, 412}, told
    doing = f"{doors.asked} requests, {len(doors.sent)} things done at {len(keyed_doors())} doors"
    print(f"F5 {where[:-4]}: {doing}; others were told {dict(told)}")
