"""Every door and every frame of a socket, asked by everybody, through the whole application as it is served (O7, F23)."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.web.knocking import ADMIN, Site, whole_site
from tests.web.matrix import (
    FRAMES,
    FREE,
    OWN_THINGS,
    PERSONAS,
    SAMPLES,
    SESSION_ONLY,
    WHOSE,
    Persona,
    Things,
)
from tests.web.roles import PAGE, matrix
from tests.world import NOW, World
from tracker.actions.house import House
from tracker.actions.trip.sharing import set_sharing
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.domain.scopes import ANY
from tracker.web.asyncapi import CHANNELS
from tracker.web.guard import SAFE, Door, SocketDoor


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: nothing here depends on it."""
    return sqlite_url


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    async with whole_site(house, world, tmp_path) as served:
        yield served


def role_at(route: Door, persona: Persona) -> Role:
    """As whom the door sees them: a link is looked at where its holder and the appointment are named, and nowhere else."""
    looked_at = Role.LINK_HOLDER in route.roles and "appointment" in route.param_convertors
    return Role.ANONYMOUS if persona.link and not looked_at else persona.role


def admits(route: Door, persona: Persona) -> bool:
    """Whether the door's own row lets this persona in."""
    if route.kind == "machine":
        return True
    if persona.bearer and route.kind == "page":
        return Role.ANONYMOUS in route.roles  # a page reads no Authorization: who shows one is nobody there
    if persona.scope:
        return route.scope in (persona.scope, ANY)
    return role_at(route, persona) in route.roles


def owns(route: Door, method: str, persona: Persona) -> bool:
    """Whether what the path (or the body) names is this persona's."""
    named = set(route.param_convertors) - FREE
    if (method, route.path) in OWN_THINGS and persona.name == "another account's":
        return False
    return all(persona.name in WHOSE[name] for name in named)


def refused_at_the_door(answer: httpx.Response, persona: Persona, route: Door) -> bool:
    """What somebody gets whose role a door does not know: programs a code, people a page or the way to sign in."""
    anonymous = role_at(route, persona) is Role.ANONYMOUS or (persona.bearer and route.kind == "page")
    if answer.status_code == 303:
        return anonymous and answer.headers["location"].startswith("/sign-in")
    return answer.status_code == (401 if anonymous else 403)


def refused_behind(route: Door, method: str, persona: Persona, answer: httpx.Response) -> bool:
    """Refusals of what stands behind a door, for whom it was opened: a sign-in without its password, a phone nobody knows."""
    if route.kind == "machine":
        return True  # the token in the path opens nothing: that is the answer, whoever asks
    if persona.phone and route.path.startswith("/api/v1/sessions"):
        return answer.status_code == 401  # a phone has no sessions
    if route.path.endswith("/steps") and persona.name in {"technician", "phone"}:
        return answer.status_code == 403  # whose the visit is, but only customers and staff cancel
    if answer.status_code in (401, 422, 429) and route.path in {"/sign-in", "/redeem", "/reset", "/api/v1/sessions"}:
        return True
    if route.path == "/api/v1/links/open":
        return answer.status_code == 404  # a token nobody was given
    return route.path in SESSION_ONLY and answer.status_code in (401, 403, 404)


async def test_every_door_lets_in_whom_it_names_to_what_is_theirs(site: Site) -> None:
    asked: Counter[str] = Counter()
    wrong: list[str] = []
    doors = [route for route in site.app.routes if isinstance(route, Door)]
    for route in doors:
        if unknown := set(route.param_convertors) - FREE - WHOSE.keys():
            pytest.fail(f"{route.path}: say in tests/web/matrix.py whose {unknown} is")
        for method in sorted(route.methods or ()):
            if method not in SAFE and route.kind != "machine" and (method, route.path) not in SAMPLES:
                pytest.fail(f"{method} {route.path}: say in tests/web/matrix.py what is sent to it")
            for persona in PERSONAS:
                outcome, where = await knock(site, route, method, persona)
                asked[outcome] += 1
                wrong += [where] if outcome == "wrong" else []
    assert not wrong, "\n".join(wrong)
    print(f"{len(doors)} doors, {len(PERSONAS)} personas: {dict(asked)}")
    assert min(asked[outcome] for outcome in ("let in", "refused at the door", "not theirs")) >= 20


async def knock(site: Site, route: Door, method: str, persona: Persona) -> tuple[str, str]:
    """Ask once and judge the answer by the matrix: how it came out, and what was said."""
    things = await site.things(route.param_convertors if method not in SAFE and admits(route, persona) else ())
    sample = SAMPLES.get((method, route.path))
    answer = await site.ask(route, method, persona, things, sample(things) if sample else None)
    status = answer.status_code
    where = f"{method} {route.path} as {persona.name}: {status} {answer.text[:200]!r}"
    if status >= 500:
        return "wrong", where
    if not admits(route, persona):
        return ("refused at the door" if refused_at_the_door(answer, persona, route) else "wrong"), where
    if refused_behind(route, method, persona, answer):
        return "refused behind it", where
    if not owns(route, method, persona):
        return ("not theirs" if status == 404 else "wrong"), where
    if status in (400, 401, 403) or (status == 404 and not named_nothing(answer, route)):
        return "wrong", where
    return "let in", where


def named_nothing(answer: httpx.Response, route: Door) -> bool:
    """A 404 for somebody whose it is: only where there is nothing yet."""
    visit, survey = "/appointments/{appointment}", "/api/v1/appointments/{appointment}/survey"
    return route.path in {f"{visit}/moved", f"{visit}/live/place", f"{visit}/feedback/read", survey, f"{survey}/read"}


async def test_no_door_that_changes_something_takes_another_sites_request(site: Site) -> None:
    people = [persona for persona in PERSONAS if not persona.bearer]
    for route in site.app.routes:
        if not isinstance(route, Door) or route.kind == "machine":
            continue
        for method in sorted((route.methods or set()) - SAFE):
            things = Things(**dict.fromkeys(WHOSE, "0" * 16))
            for persona in people:
                own = await site.headers_of(persona, things.appointment if persona.link == "" else await site.world.appointment())
                headers = {**own, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
                path = route.path_format.format(**{name: getattr(things, name, "1") for name in route.param_convertors})
                answer = await site.client.request(method, path, headers=headers)
                assert answer.status_code in (401, 403), f"{method} {route.path} as {persona.name}: {answer.status_code}"


async def test_the_printed_matrix_is_what_is_served(site: Site) -> None:
    assert PAGE.read_text() == matrix(site.app.routes), "run `python -m tests.web.roles` and look at what changed"


# -- sockets -----------------------------------------------------------------------------------------------------------


def frame_for(name: str, appointment: str) -> dict[str, Any]:
    return {
        "watch": {"type": "watch", "appointment": appointment},
        "watchBoard": {"type": "watch", "board": True},
        "seen": {"type": "seen", "offset": 1},
        "hello": {"type": "hello", "boot": "b1", "first": 1},
        "pings": {"type": "pings", "pings": [{"seq": 1, "at": NOW.isoformat(), "lat": 60.17, "lon": 24.93}]},
        "step": {
            "type": "step",
            "id": appointment,
            "appointment": appointment,
            "step": "start_travel",
            "from": "scheduled",
            "at": NOW.isoformat(),
        },
        "sharing": {"type": "sharing", "id": "h1", "on": False, "reason": "lunch"},
    }[name]


async def said_to(site: Site, address: str, name: str, persona: Persona, appointment: str) -> str:
    """The type of the answer to one frame, the close code, or the status that stood before the socket."""
    base = str(site.client.base_url).rstrip("/")
    headers = {} if persona.bearer else {**await site.headers_of(persona, appointment), "Origin": base}
    hello = frame_for("hello", appointment) | ({"token": site.phones[persona.phone]} if persona.phone else {})
    try:
        async with websockets.connect(base.replace("http", "ws") + address, additional_headers=headers) as socket:
            if address == "/ws/technician" and (name == "hello" or FRAMES[address, "hello"].get(persona.name) == "welcome"):
                await socket.send(json.dumps(hello))
                if name != "hello":
                    assert json.loads(await socket.recv())["type"] == "welcome"
            if name != "hello":
                await socket.send(json.dumps(frame_for(name, appointment)))
            async with asyncio.timeout(60):
                return str(json.loads(await socket.recv())["type"])
    except websockets.InvalidStatus as refused:
        return str(refused.response.status_code)
    except TimeoutError:
        return "silence"
    except websockets.ConnectionClosed as closed:
        return str(closed.rcvd.code if closed.rcvd else closed.sent)


async def as_before(site: Site, appointment: str) -> None:
    """The next one asks as the first did: nobody travels, everybody shares."""
    await take_step(site.house, ADMIN, appointment, Wish(step=Step.CANCEL, reason="over"))
    for technician in (site.world.maya, site.world.onni):
        await set_sharing(site.house, Actor(Role.TECHNICIAN, technician=technician), technician, on=True)


async def test_every_frame_is_answered_to_whom_it_concerns_and_nobody_else(site: Site, world: World) -> None:
    served = {route.path for route in site.app.routes if isinstance(route, SocketDoor)}
    described = {(channel.address, message.name) for channel in CHANNELS for message in channel.heard}
    assert served == {address for address, _ in described}
    assert described == FRAMES.keys(), "say in tests/web/matrix.py who may send it"
    asked: Counter[str] = Counter()
    wrong: list[str] = []
    for (address, name), expected in sorted(FRAMES.items()):
        for persona in PERSONAS:
            if persona.scope or (persona.bearer and address == "/ws/live"):
                continue  # these sockets read no Authorization: such a caller is nobody, and asked as nobody above
            appointment = await world.appointment()
            came = await said_to(site, address, name, persona, appointment)
            await as_before(site, appointment)
            allowed = expected.get(persona.name, "401" if persona.role is Role.ANONYMOUS else "403")
            wrong += [f"{name} on {address} as {persona.name}: {came} instead of {allowed}"] if came != allowed else []
            asked[came] += 1
    assert not wrong, "\n".join(wrong)
    print(f"{len(FRAMES)} kinds of frames: {dict(asked)}")


async def test_no_socket_opens_for_another_sites_page(site: Site) -> None:
    base = str(site.client.base_url).replace("http", "ws").rstrip("/")
    for route in site.app.routes:
        if not isinstance(route, SocketDoor):
            continue
        for persona in (each for each in PERSONAS if not each.bearer):
            headers = {**await site.headers_of(persona, await site.world.appointment()), "Origin": "https://evil.example"}
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(base + route.path, additional_headers=headers)
            assert refused.value.response.status_code == 403
