"""What programs of staff make is made once for one Idempotency-Key, also at once, and no secret is kept with it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.serving import config_for, free_socket, serving
from tests.web.roles import whole_app
from tests.world import World
from tracker.actions.house import House
from tracker.actions.people.accounts import hashed
from tracker.records import schema, sessions
from tracker.records.database import new_id


@pytest.fixture
async def staff(house: House, world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An admin's own program."""
    token, now = new_id(), house.clock()
    row = sessions.Session(
        id=new_id(),
        person_id=world.admin.id,
        user_agent=None,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(days=1),
    )
    async with house.db.transaction() as tx:
        await sessions.add(tx, row, hashed(token))
    bound = free_socket()
    async with serving(whole_app(house, config_for(bound, tmp_path)), bound) as client:
        client.headers.update({"Cookie": f"tt={token}", "Origin": str(client.base_url).rstrip("/")})
        yield client


async def once(staff: httpx.AsyncClient, path: str, body: Any, other: Any) -> dict[str, Any]:
    """The same request five times, three of them at once: one answer; another body with the key is refused."""
    key = {"Idempotency-Key": new_id()}

    async def ask(said: Any) -> httpx.Response:
        return await staff.post(f"/api/v1{path}", json=said, headers=key)

    answers = [*await asyncio.gather(*(ask(body) for _ in range(3))), await ask(body), await ask(body)]
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    if other is not None:
        refused = await ask(other)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch")
    made: dict[str, Any] = answers[0].json()
    return made


async def test_one_key_makes_one_thing_and_keeps_no_secret(staff: httpx.AsyncClient, house: House) -> None:
    place = {"address": "Street 1", "lat": 60.17, "lon": 24.94}
    account = (await once(staff, "/accounts", {"name": "Koe", "place": place}, {"name": "Koe 2"}))["id"]
    kaisa = {"name": "Kaisa", "email": "kaisa@example.org"}
    added = await once(staff, f"/accounts/{account}/contacts", kaisa, kaisa | {"phone": "1"})
    assert (added["invited"], added["attached"]) == (True, False)
    barn = await once(staff, f"/accounts/{account}/locations", {"name": "Barn", "place": place}, {"name": "Barn"})
    await once(staff, f"/accounts/{account}/assets", {"name": "Pump", "location": barn["id"]}, {"name": "Pump"})
    contact = f"/contacts/{added['contact']['id']}"
    given = await once(staff, f"{contact}/invitations", None, None)
    whole = (await staff.get(f"/api/v1/accounts/{account}")).json()
    assert [len(whole[kind]) for kind in ("contacts", "locations", "assets")] == [1, 1, 1]
    invitations = (await staff.get(f"/api/v1{contact}/invitations")).json()["invitations"]
    assert [one["automatic"] for one in invitations if one.get("automatic")] == [True]
    assert len(invitations) == 2  # the one by itself, and the one by hand
    found = (await staff.get("/api/v1/accounts", params={"query": "Koe"})).json()["accounts"]
    assert [one["id"] for one in found] == [account]

    # a token's secret is shown once: its key is told so, and nothing that opens is kept
    said, key = {"name": "plan", "scopes": ["accounts:read"]}, {"Idempotency-Key": "token"}
    answers = await asyncio.gather(*(staff.post("/api/v1/tokens", json=said, headers=key) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    again = (await staff.post("/api/v1/tokens", json=said, headers=key)).json()
    assert (again["code"], again["token"]) == ("secret_shown", made["token"]["id"])
    assert again["detail"].startswith("This was made already, and its secret was shown that once.")
    assert len((await staff.get("/api/v1/tokens")).json()["tokens"]) == 1
    async with house.db.reading() as tx:
        kept = str(await tx.rows(select(schema.idempotency)))
    assert made["token"]["id"] in kept
    assert made["secret"] not in kept
    assert given["code"] not in kept
    assert "kaisa" not in kept

    # what went since is not there again; without a key each request makes one
    assert (await staff.delete(f"/api/v1{contact}")).status_code == 204
    for _ in range(2):
        assert (await staff.post("/api/v1/accounts", json={"name": "Koe"})).status_code == 201
    found = (await staff.get("/api/v1/accounts", params={"query": "Koe"})).json()["accounts"]
    assert len(found) == 3
