"""The company's settings through their doors: who may, all or none, against the state that was seen, audited."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import config_for, free_socket, serving
from tests.web.roles import whole_app
from tests.world import World
from tracker.actions.house import House
from tracker.actions.people import tokens
from tracker.actions.people.accounts import hashed
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.records import audit, sessions
from tracker.records.database import new_id
from tracker.records.people import Person

PATH = "/api/v1/settings"


@pytest.fixture
async def client(house: House, world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    bound = free_socket()
    async with serving(whole_app(house, config_for(bound, tmp_path)), bound) as served:
        yield served


async def signed_in(client: httpx.AsyncClient, house: House, person: Person) -> dict[str, str]:
    token, now = new_id(), house.clock()
    times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=1)}
    async with house.db.transaction() as tx:
        await sessions.add(tx, sessions.Session(id=new_id(), person_id=person.id, user_agent=None, **times), hashed(token))
    return {"Cookie": f"tt={token}", "Origin": str(client.base_url).rstrip("/")}


async def program(house: House, *scopes: str) -> dict[str, str]:
    made = await tokens.add_token(house, Actor(Role.ADMIN, person="admin"), "the office", list(scopes))
    return {"Authorization": f"Bearer {made.secret}"}


async def test_settings_are_changed_all_or_none_by_whom_may(client: httpx.AsyncClient, house: House, world: World) -> None:
    admin, desk = [await signed_in(client, house, one) for one in (world.admin, world.dispatcher)]
    reader, writer = await program(house, "settings:read"), await program(house, "settings:write")

    async def change(who: dict[str, str], body: Any, **more: str) -> httpx.Response:
        client.cookies.clear()
        return await client.patch(PATH, json=body, headers=who | {name.replace("_", "-"): said for name, said in more.items()})

    before = await client.get(PATH, headers=desk)
    assert (before.status_code, before.json()["slot_grid_min"]) == (200, 30)
    for who in (desk, reader, await program(house, "catalog:write"), await signed_in(client, house, world.customer)):
        assert (await change(who, {"slot_grid_min": 15})).status_code == 403
    assert (await client.get(PATH, headers=writer)).status_code == 403  # a scope to write is none to read

    # against the state that was seen, known at once, and only what changed is written down
    changed = await change(admin, {"slot_grid_min": 15, "reminders_h": [48, 2], "hold_min": 5}, If_Match=before.headers["etag"])
    assert (changed.status_code, changed.json()["slot_grid_min"], changed.json()["reminders_h"]) == (200, 15, [48, 2])
    assert (house.settings.now.slot_grid_min, house.settings.now.reminders_h) == (15, (48, 2))
    stale = await change(admin, {"slot_grid_min": 20}, If_Match=before.headers["etag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    again = await client.get(PATH, headers=reader)
    assert again.headers["etag"] == changed.headers["etag"] != before.headers["etag"]
    async with house.db.reading() as tx:
        told = [line for line in await audit.latest(tx) if line.what == "setting"]
    assert {(line.subject, str(line.before), str(line.after), line.actor) for line in told} == {
        ("slot_grid_min", "{'value': 30}", "{'value': 15}", f"admin:{world.admin.id}"),
        ("reminders_h", "{'value': [24]}", "{'value': [48, 2]}", f"admin:{world.admin.id}"),
    }

    # all or none; every refusal names what does not fit
    wrong = [
        ({"company": "Waypoint", "slot_grid_min": 3}, "slot_grid_min must be between 5 and 240"),
        ({"company": "Waypoint", "holidays": "Atlantis"}, "holidays of 'Atlantis' are not known"),
        ({"company": "Waypoint", "surveys": "yes"}, "“surveys” must be true or false, not a text."),
        ({"letters_for": "nobody"}, "“letters_for” cannot be “nobody”. It can be: all, portal."),
        ({"company": "Waypoint", "colour": "blue"}, "There is no field “colour” here."),
        ({"company": None}, "“company” must be a text, not null."),
        ({"company": "x" * 201}, "company may have 200 characters at most"),
    ]
    for body, words in wrong:
        refused = await change(writer, body)
        assert refused.status_code == 422, refused.text
        assert words in refused.json()["detail"]
    assert (await client.get(PATH, headers=reader)).json()["company"] == "Technician Tracker"

    # of two who saw the same state at once, one is told
    seen = again.headers["etag"]
    both = await asyncio.gather(*(change(writer, {"company": name}, If_Match=seen) for name in ("North", "South")))
    assert sorted(answer.status_code for answer in both) == [200, 412]
