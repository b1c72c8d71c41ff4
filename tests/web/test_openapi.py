"""The description is what is served: every door stands in it, and whatever is made up after it is answered as it says."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.serving import config_for, free_socket, serving
from tests.web.openapi import PAGE, page
from tests.web.roles import whole_app
from tests.world import NOW, World
from tracker.actions.house import House
from tracker.actions.people.accounts import hashed
from tracker.domain.appointments import Role
from tracker.records import sessions
from tracker.records.database import new_id
from tracker.records.people import Person
from tracker.records.sessions import Session
from tracker.web.api import operations
from tracker.web.guard import Door


def test_the_document_is_what_the_doors_say() -> None:
    assert PAGE.read_bytes() == page(), "run `python -m tests.web.openapi`"


def test_every_json_door_is_described(house: House, tmp_path: Path) -> None:
    with free_socket() as bound:
        app = whole_app(house, config_for(bound, tmp_path))
    served = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Door) and route.kind == "api"
        for method in route.methods or ()
    }
    described = {(each.method, each.path) for each in operations()}
    own = {path for path in served if path[0] != "HEAD" and path[1].startswith("/api/v1/") and not path[1].endswith("/live")}
    assert own == described  # the polling address answers as the socket does: docs/protocols.md


@dataclass
class Site:
    url: str
    house: House
    world: World

    async def headers_of(self, person: Person) -> dict[str, str]:
        token, times = new_id(), {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=1)}
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, Session(id=new_id(), person_id=person.id, user_agent=None, **times), hashed(token))
        return {"Cookie": f"tt={token}", "Origin": self.url}


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    bound = free_socket()
    async with serving(whole_app(house, config_for(bound, tmp_path)), bound) as client:
        yield Site(str(client.base_url).rstrip("/"), house, world)


@pytest.mark.parametrize("who", ["technician", "dispatcher", "customer"])
async def test_made_up_requests_are_answered_as_described(site: Site, who: str) -> None:
    """Schemathesis invents requests from the document: no 5xx, no undescribed status, no body of another shape."""
    visit = await site.world.appointment()
    headers = await site.headers_of(getattr(site.world, who))
    seen: Counter[int] = Counter()
    await asyncio.to_thread(invent, site.url, headers, visit, seen)
    print(f"{who}: {dict(sorted(seen.items()))}")
    assert sum(seen.values()) > 50
    assert seen[200]


@contextmanager
def one_connection() -> Iterator[requests.Session]:
    """One for all requests, which looks for nothing in the environment and keeps no cookie."""
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield session


def invent(url: str, headers: dict[str, str], visit: str, seen: Counter[int]) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    schema.config.generation.update(with_security_parameters=False)  # the sign-in is ours, not made up
    with one_connection() as connection:
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.method.upper() == "DELETE":
                continue  # it would end the session that asks

            @given(case=operation.as_strategy())
            @hypothesis_settings(
                max_examples=8,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: schemathesis.Case) -> None:
                if "appointment" in (case.path_parameters or {}) and sum(seen.values()) % 2:
                    case.path_parameters["appointment"] = visit
                answer = case.call(headers=headers, session=connection)
                seen[answer.status_code] += 1
                case.validate_response(answer, checks=[not_a_server_error, status_code_conformance, response_schema_conformance])

            ask()


async def test_a_field_that_no_door_knows_is_refused_by_its_name(site: Site) -> None:
    people = {Role.ANONYMOUS: None} | {
        person.role: await site.headers_of(person)
        for person in (site.world.customer, site.world.technician, site.world.dispatcher, site.world.admin)
    }
    asked = [each for each in operations() if each.body is not None]
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as client:
        for each in asked:
            headers = next(people[role] for role in people if role in each.roles) or {"Origin": site.url}
            path = re.sub(r"\{\w+\}", "0" * 16, each.path)
            answer = await client.request(each.method, path, json={"surprise": 1}, headers=headers)
            said = answer.json()
            assert (answer.status_code, said["code"], said["field"]) == (422, "bad_input", "surprise"), (each.path, said)
            assert said["detail"].startswith("There is no field “surprise” here.")
        desk = people[Role.DISPATCHER]
        place = {"address": "Street 1", "lat": 60.1, "lng": 24.9, "lon": 24.9}
        nested = await client.post("/api/v1/accounts", json={"name": "x", "place": place}, headers=desk)
        assert (nested.status_code, nested.json()["field"]) == (422, "place.lng")
        for each in (one for one in operations() if one.query or one.asks):
            answer = await client.get(each.path, params={"surprise": "1"}, headers=people[Role.ADMIN])
            said = answer.json()
            assert (answer.status_code, said["code"], said["field"]) == (422, "bad_input", "surprise"), (each.path, said)
            assert said["detail"].startswith("There is no parameter “surprise” here.")
    assert len(asked) > 25
