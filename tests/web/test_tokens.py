"""Programs with API tokens (X8), and staff's JSON doors for accounts and contacts, through real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from tests.serving import config_for, free_socket, serving
from tests.web.roles import whole_app
from tests.world import World
from tracker.actions.house import House
from tracker.actions.people import leaving, tokens
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.scopes import SCOPES
from tracker.errors import BadInput, NotAllowed, NotFound, NotSignedIn
from tracker.records import audit
from tracker.records.schema import api_tokens
from tracker.web import bodies

ADMIN = Actor(Role.ADMIN, person="admin")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: the records have their own tests on both."""
    return sqlite_url


@pytest.fixture
async def client(house: House, world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A program: it sends no Origin and no cookie."""
    bound = free_socket()
    app = whole_app(house, config_for(bound, tmp_path))
    async with serving(app, bound) as served, httpx.AsyncClient(base_url=served.base_url, timeout=20) as program:
        yield program


async def token(house: House, *scopes: str, days: int = 30) -> tokens.NewToken:
    return await tokens.add_token(house, ADMIN, "the office", list(scopes), days)


def shown(made: tokens.NewToken) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.secret}"}


async def test_a_program_works_with_its_scopes_and_without_an_origin(client: httpx.AsyncClient, house: House) -> None:
    client.headers.update(shown(await token(house, "accounts:read", "accounts:write")))
    place = {"address": "Korkeavuorenkatu 24, Helsinki", "lat": 60.1651, "lon": 24.9463}
    made = await client.post("/api/v1/accounts", json={"name": "Kokeilu Oy", "place": place})
    assert (made.status_code, made.json()["zone"]) == (201, "Europe/Helsinki")
    at = f"/api/v1/accounts/{made.json()['id']}"
    added = (await client.post(f"{at}/contacts", json={"name": "Kaisa", "email": "Kaisa@Example.org"})).json()
    assert (added["invited"], added["attached"], added["contact"]["email"]) == (True, False, "kaisa@example.org")
    again = await client.post(f"{at}/contacts", json={"name": "Kaisa", "email": "kaisa@example.org"})
    assert (again.status_code, again.json()["code"]) == (409, "already_there")
    barn = (await client.post(f"{at}/locations", json={"name": "Barn", "place": place})).json()
    pump = (await client.post(f"{at}/assets", json={"name": "Pump", "location": barn["id"]})).json()
    whole = (await client.get(at)).json()
    assert [one["id"] for one in whole["assets"]] == [pump["id"]]
    contact = f"/api/v1/contacts/{added['contact']['id']}"
    given = (await client.post(f"{contact}/invitations")).json()
    listed = (await client.get(f"{contact}/invitations")).json()["invitations"]
    assert len(listed) == 2
    assert given["code"] not in str(listed)
    assert (await client.delete(f"/api/v1/invitations/{given['invitation']['id']}")).status_code == 204
    assert (await client.delete(contact)).status_code == 204
    assert (await client.get(at)).json()["contacts"] == []
    changed = await client.patch(at, json={"active": False})
    assert (changed.json()["active"], changed.json()["name"]) == (False, "Kokeilu Oy")
    found = (await client.get("/api/v1/accounts", params={"query": "kokeilu"})).json()
    assert ([one["id"] for one in found["accounts"]], found["after"]) == ([made.json()["id"]], None)


async def test_nothing_is_open_to_a_token_but_what_its_scopes_name(client: httpx.AsyncClient, house: House) -> None:
    made = await token(house, "accounts:read", days=30)
    client.headers.update(shown(made))
    assert (await client.get("/api/v1/accounts")).status_code == 200
    assert (await client.get("/api/v1/me")).json() == {
        **{"person": None, "name": "the office", "role": "dispatcher", "technician": None},
        "token": {"id": made.token.id, "scopes": ["accounts:read"], "expires_at": "2026-12-24T12:02:00Z"},
    }
    for method, path, said in (
        ("POST", "/api/v1/accounts", "It needs the scope accounts:write."),
        ("GET", "/api/v1/appointments", "It needs the scope appointments:read."),
        ("POST", "/api/v1/tokens", "not allowed"),
        ("GET", "/api/v1/tokens", "not allowed"),
    ):
        answer = await client.request(method, path)
        assert (answer.status_code, said in answer.json()["detail"]) == (403, True), answer.text


async def test_a_token_opens_nothing_once_it_is_revoked_or_has_expired_or_is_changed(
    client: httpx.AsyncClient, house: House
) -> None:
    async def status(headers: dict[str, str]) -> int:
        return (await client.get("/api/v1/accounts", headers=headers)).status_code

    first, second = await token(house, "accounts:read"), await token(house, "accounts:read", days=1)
    assert [await status(shown(one)) for one in (first, second)] == [200, 200]
    await tokens.revoke_token(house, ADMIN, first.token.id)
    assert [await status(shown(one)) for one in (first, second)] == [401, 200]
    house.clock.now += timedelta(days=1)
    assert await status(shown(second)) == 401
    good = (await token(house, "accounts:read")).secret
    for bad in (good[:-1], good + "x", good.upper(), "tta_", good.removeprefix("tta_")):
        assert await status({"Authorization": f"Bearer {bad}"}) == 401
    assert await status({"Authorization": f"Basic {good}"}) == 401
    assert (await client.get("/api/v1/accounts", params={"token": good})).status_code == 401


async def test_whoever_leaves_takes_the_tokens_they_made_along(client: httpx.AsyncClient, house: House, world: World) -> None:
    boss = Actor(Role.ADMIN, person=world.admin.id, name="admin")
    theirs = await tokens.add_token(house, boss, "theirs", ["accounts:read"])
    other = await token(house, "accounts:read")
    assert [(await client.get("/api/v1/accounts", headers=shown(one))).status_code for one in (theirs, other)] == [200, 200]
    assert await leaving.end_sign_in(house, ADMIN, world.admin.email) == 1
    assert [(await client.get("/api/v1/accounts", headers=shown(one))).status_code for one in (theirs, other)] == [401, 200]
    with pytest.raises(NotSignedIn):  # a request of theirs that was under way
        await tokens.add_token(house, boss, "late", ["accounts:read"])
    with pytest.raises(NotFound):
        await leaving.end_sign_in(house, ADMIN, world.admin.email)


async def test_a_request_left_open_is_not_carried_out_after_its_token_was_revoked(
    client: httpx.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the last of its body is there before; the answer is that of any revoked token."""
    monkeypatch.setattr(bodies, "LATE_S", 0.0)
    made, going_on, begun = await token(house, "accounts:write", "accounts:read"), asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"name":'
        begun.set()
        await going_on.wait()
        yield b'"Too Late"}'

    async def ask() -> httpx.Response:
        headers = shown(made) | {"Content-Type": "application/json"}
        return await client.post("/api/v1/accounts", content=body(), headers=headers)

    asking = asyncio.create_task(ask())
    await begun.wait()
    async with asyncio.timeout(10):
        while (await tokens.list_tokens(house, ADMIN))[0].seen_at is None:  # noqa: ASYNC110 - until it was let in
            await asyncio.sleep(0.01)
    await tokens.revoke_token(house, ADMIN, made.token.id)
    going_on.set()
    assert (await asking).status_code == 401
    found = await client.get("/api/v1/accounts", params={"query": "Too Late"}, headers=shown(await token(house, "accounts:read")))
    assert found.json()["accounts"] == []


async def test_what_opens_is_not_stored_and_its_use_is_noted_and_signed(client: httpx.AsyncClient, house: House) -> None:
    made = await token(house, "accounts:write")
    await client.post("/api/v1/accounts", json={"name": "Uusi"}, headers=shown(made))
    async with house.db.reading() as tx:
        rows = await tx.rows(select(api_tokens))
        lines = await audit.latest(tx)
    assert made.secret not in str(rows)
    assert rows[0]["seen_at"] == house.clock()
    assert next(line.actor for line in lines if line.what == "account.added") == f"token:{made.token.id}"
    [listed] = await tokens.list_tokens(house, ADMIN)
    assert listed.seen_at == house.clock()


async def test_only_admins_in_person_make_tokens_with_known_scopes_for_a_while(house: House, world: World) -> None:
    for actor in (
        Actor(Role.DISPATCHER, person="desk"),
        Actor(Role.CUSTOMER, person=world.customer.id),
        Actor(Role.DISPATCHER, token="x", scopes=frozenset(SCOPES)),
        Actor(Role.ADMIN, token="x", scopes=frozenset(SCOPES)),
    ):
        with pytest.raises(NotAllowed):
            await tokens.add_token(house, actor, "x", ["accounts:read"])
    for scopes, days in ((["all"], 1), ([], 1), (["accounts:read"], 0), (["accounts:read"], 367)):
        with pytest.raises(BadInput):
            await tokens.add_token(house, ADMIN, "x", scopes, days)
