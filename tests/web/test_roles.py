"""Every door with every role, through the whole application as it is served (O7): deny by default."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.serving import config_for, free_socket, serving
from tests.web.roles import PAGE, matrix, whole_app
from tests.world import NOW, World
from tracker.actions.accounts import hashed
from tracker.actions.house import House
from tracker.domain.appointments import Role
from tracker.records import sessions
from tracker.records.database import new_id
from tracker.records.sessions import Session
from tracker.web.guard import SAFE, Door, SocketDoor

NUMBERS = dict.fromkeys(["version", *"xyz"], 1)
NOTHING = "0" * 16
"""What stands in for a path's parameters: nothing has such an id, name or token."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: nothing here depends on it."""
    return sqlite_url


@dataclass
class Site:
    client: httpx.AsyncClient
    app: Any
    house: House
    world: World

    async def cookie_of(self, role: Role) -> dict[str, str]:
        """A new session of somebody with this role; none for anonymous."""
        people = {
            Role.CUSTOMER: self.world.customer,
            Role.TECHNICIAN: self.world.technician,
            Role.DISPATCHER: self.world.dispatcher,
            Role.ADMIN: self.world.admin,
        }
        if role not in people:
            return {}
        token, times = new_id(), {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=1)}
        session = Session(id=new_id(), person_id=people[role].id, user_agent=None, **times)
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, session, hashed(token))
        return {"Cookie": f"tt={token}"}


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    bound = free_socket()
    app = whole_app(house, config_for(bound, tmp_path))
    async with serving(app, bound) as client:
        yield Site(client, app, house, world)


PEOPLE = (Role.ANONYMOUS, Role.CUSTOMER, Role.TECHNICIAN, Role.DISPATCHER, Role.ADMIN)


def path_of(route: Door | SocketDoor) -> str:
    return route.path_format.format(**{name: NUMBERS.get(name, NOTHING) for name in route.param_convertors})


def refused_at_the_door(answer: httpx.Response, role: Role) -> bool:
    """What somebody gets whose role a door does not know: programs a code, people a page or the way to sign in."""
    if answer.status_code == 303:
        return role is Role.ANONYMOUS and answer.headers["location"].startswith("/sign-in")
    return answer.status_code == (401 if role is Role.ANONYMOUS else 403)


async def test_every_door_lets_in_whom_it_names_and_nobody_else(site: Site) -> None:
    asked: Counter[str] = Counter()
    doors = [route for route in site.app.routes if isinstance(route, Door)]
    for route in doors:
        for method in sorted(route.methods or ()):
            for role in PEOPLE:
                cookie = await site.cookie_of(role)
                answer = await site.client.request(method, path_of(route), headers={**cookie, "Accept": "text/html"})
                where = f"{method} {route.path} as {role}: {answer.status_code} {answer.text[:200]}"
                if role in route.roles:
                    assert answer.status_code < 500, where
                    assert answer.status_code not in (401, 403) or _refused_behind(route, method, answer), where
                else:
                    assert refused_at_the_door(answer, role), where
                asked["let in" if role in route.roles else "refused"] += 1
                site.client.cookies.clear()
    print(f"{len(doors)} doors: {dict(asked)}")
    assert asked["refused"] >= 20


def _refused_behind(route: Door, method: str, answer: httpx.Response) -> bool:
    """A refusal of what stands behind the door: a form without its token, a sign-in without a password, a phone nobody knows."""
    if route.kind == "machine":
        return True  # the token in the path opens nothing: that is the answer, whoever asks
    if route.kind == "page":
        return method not in SAFE and answer.status_code == 403
    return answer.json()["code"] in {"bad_credentials", "bad_token"}


async def test_every_socket_lets_in_whom_it_names_and_nobody_else(site: Site) -> None:
    base = str(site.client.base_url).rstrip("/")
    sockets = [route for route in site.app.routes if isinstance(route, SocketDoor)]
    assert sockets
    for route in sockets:
        for role in PEOPLE:
            for origin, own in ((base, True), ("https://evil.example", False)):
                headers = {**await site.cookie_of(role), "Origin": origin}
                try:
                    async with websockets.connect(base.replace("http", "ws") + path_of(route), additional_headers=headers):
                        status = 101
                except websockets.InvalidStatus as refused:
                    status = refused.response.status_code
                expected = 403 if not own else 101 if role in route.roles else 401 if role is Role.ANONYMOUS else 403
                assert status == expected, f"{route.path} as {role} from {origin}"


async def test_no_door_that_changes_something_takes_another_sites_request(site: Site) -> None:
    for route in site.app.routes:
        if not isinstance(route, Door) or route.kind == "machine":
            continue
        for method in sorted((route.methods or set()) - SAFE):
            for role in PEOPLE:
                headers = {**await site.cookie_of(role), "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
                answer = await site.client.request(method, path_of(route), headers=headers)
                assert answer.status_code in (401, 403), f"{method} {route.path} as {role}: {answer.status_code}"


async def test_the_printed_matrix_is_what_is_served(site: Site) -> None:
    assert PAGE.read_text() == matrix(site.app.routes), "run `python -m tests.web.roles` and look at what changed"
