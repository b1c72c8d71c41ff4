"""The guard through real HTTP and WebSockets: roles, origins, form tokens, sizes, refusals, headers, log lines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import structlog
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from tests.live.hubs import until
from tests.serving import config_for, free_socket, serving
from tests.world import World
from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.app import create_app
from tracker.config import PublicAddress
from tracker.domain.appointments import STAFF, Role
from tracker.errors import BadConfiguration, Conflict, Refusal
from tracker.records import people
from tracker.web.guard import EVERYBODY, SIGNED_IN, actor_of, door, guard_of, socket
from tracker.web.identity import Guard


async def whoami(request: Request) -> Response:
    return JSONResponse({"role": actor_of(request).role, "person": actor_of(request).person})


async def form(request: Request) -> Response:
    if request.method == "GET":
        return PlainTextResponse(guard_of(request).form_token(request))
    return JSONResponse(dict((await request.form()).multi_items()))


async def enter(request: Request) -> Response:
    form = await request.form()
    signed = await accounts.sign_in(
        guard_of(request).house, str(form["email"]), str(form["password"]), address="::1", user_agent=None
    )
    answer = PlainTextResponse("in")
    guard_of(request).remember(answer, signed.token, signed.expires_at)
    return answer


async def body(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def refuses(_request: Request) -> Response:
    raise Conflict("Not <now>.", nearest=["14:00"])


async def breaks(_request: Request) -> Response:
    raise LookupError("a secret of the inside")


async def hello(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.state.actor.role)
    await websocket.receive_text()
    raise Conflict


DOORS = [
    door("/whoami", whoami, roles=EVERYBODY),
    door("/staff", whoami, roles=STAFF, name="staff"),
    door("/enter", enter, roles=EVERYBODY, methods=["POST"]),
    door("/form", form, roles=EVERYBODY, methods=["GET", "POST"]),
    door("/api/v1/body", body, roles=SIGNED_IN, methods=["POST"], kind="api", most_bytes=1000),
    door("/machine/{token}", body, roles=EVERYBODY, methods=["GET", "POST"], kind="machine", name="machine"),
    door("/refuses", refuses, roles=EVERYBODY),
    door("/breaks", breaks, roles=EVERYBODY),
    socket("/ws/seen", hello, roles=SIGNED_IN, name="seen"),
    socket("/ws/phone", hello, roles=[Role.TECHNICIAN, Role.ANONYMOUS], without_origin=True, name="phone"),
]


@dataclass
class Site:
    client: httpx.AsyncClient
    app: Starlette
    world: World

    @property
    def ws(self) -> str:
        return str(self.client.base_url).replace("http", "ws", 1).rstrip("/")

    async def signed_in(self, email: str) -> str:
        """Sign in through the form; the cookie header from then on."""
        token = (await self.client.get("/form")).text
        answer = await self.client.post("/enter", data={"email": email, "password": "correct horse", "form_token": token})
        assert answer.status_code == 200, answer.text
        return f"tt={answer.cookies['tt']}"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: nothing here depends on it."""
    return sqlite_url


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    async with house.db.transaction() as tx:
        for person in (world.customer, world.dispatcher, world.technician):
            await people.set_password(tx, person.id, await house.passwords.hashed("correct horse"))

    async def page(_request: Request, refusal: Refusal) -> Response:
        return PlainTextResponse(f"page: {refusal.sentence}", int(refusal.status))

    bound = free_socket()
    app = create_app(house, config_for(bound, tmp_path), DOORS, refusal_page=page)
    async with serving(app, bound) as client:
        yield Site(client, app, world)


async def test_the_cookie_says_who_it_is_and_roles_are_denied_by_default(site: Site) -> None:
    assert (await site.client.get("/whoami")).json() == {"role": "anonymous", "person": None}
    assert (await site.client.get("/staff")).status_code == 401
    await site.signed_in("anna@example.org")
    assert (await site.client.get("/whoami")).json() == {"role": "customer", "person": site.world.customer.id}
    assert (await site.client.get("/staff")).status_code == 403
    site.client.cookies.clear()
    await site.signed_in("desk@example.org")
    assert (await site.client.get("/staff")).json()["role"] == "dispatcher"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "", "Sec-Fetch-Site": ""},
    ],
)
async def test_another_sites_request_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    await site.signed_in("anna@example.org")
    token = (await site.client.get("/form")).text
    for path in ("/form", "/api/v1/body"):
        assert (await site.client.post(path, data={"form_token": token})).status_code == 200
        answer = await site.client.post(path, data={"form_token": token}, headers=headers)
        assert answer.status_code == 403, answer.text
    assert (await site.client.get("/whoami", headers=headers)).status_code == 200  # reading is a browser's own matter


async def test_without_origin_and_fetch_metadata_nothing_is_changed(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.client.base_url, timeout=20) as bare:
        assert (await bare.post("/form", data={"form_token": (await bare.get("/form")).text})).status_code == 403


async def test_a_form_needs_the_token_of_this_browser(site: Site) -> None:
    token = (await site.client.get("/form")).text
    assert (await site.client.post("/form", data={"form_token": token, "a": "b"})).json() == {"form_token": token, "a": "b"}
    for bad in ({}, {"form_token": ""}, {"form_token": token[::-1]}, {"form_token": "ä"}):
        assert (await site.client.post("/form", data=bad)).status_code == 403
    async with httpx.AsyncClient(base_url=site.client.base_url, headers=site.client.headers, timeout=20) as other:
        assert (await other.get("/form")).text != token
        assert (await other.post("/form", data={"form_token": token})).status_code == 403
    await site.signed_in("anna@example.org")
    assert (await site.client.post("/form", data={"form_token": token})).status_code == 403  # it was somebody else's


async def test_a_machines_door_looks_at_no_cookie_and_no_origin(site: Site) -> None:
    cookie = await site.signed_in("anna@example.org")
    headers = {"Cookie": cookie, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await site.client.post("/machine/t0ken", content=b"1234", headers=headers)).text == "4"


async def test_a_body_is_not_larger_than_its_door(site: Site) -> None:
    await site.signed_in("anna@example.org")
    assert (await site.client.post("/api/v1/body", content=b"x" * 1000)).text == "1000"
    assert (await site.client.post("/api/v1/body", content=b"x" * 1001)).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 500

    answer: httpx.Response | None = None
    with contextlib.suppress(httpx.TransportError):  # the server closed before we stopped
        answer = await site.client.post("/api/v1/body", content=endless())
    assert answer is None or answer.status_code == 413


async def test_refusals_are_problem_details_for_programs_and_a_page_for_people(site: Site) -> None:
    await site.signed_in("anna@example.org")
    refused = await site.client.post("/api/v1/body", content=b"x" * 1001)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {
        "type": "about:blank",
        "title": refused.json()["title"],
        "status": 413,
        "detail": "That is larger than this address accepts.",
        "code": "too_big",
    }
    page = await site.client.get("/refuses")
    assert (page.status_code, page.text) == (409, "page: Not <now>.")
    missing = await site.client.get("/api/v1/none", headers={"Accept": "text/html"})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (await site.client.get("/none", headers={"Accept": "text/html"})).text.startswith("page: There is nothing here")
    wrong = await site.client.get("/api/v1/body")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (405, "wrong_method", "POST")


async def test_our_own_mistake_tells_nothing_of_the_inside(site: Site) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await site.client.get("/breaks")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["broken"]
    assert "Content-Security-Policy" in answer.headers


async def test_who_goes_away_in_the_middle_of_a_body_is_no_mistake_of_ours(site: Site) -> None:
    with structlog.testing.capture_logs() as logs:
        _, writer = await asyncio.open_connection(site.client.base_url.host, site.client.base_url.port)
        writer.write(b"POST /machine/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        writer.close()
        await until(lambda: any(line["event"] == "request" for line in logs))
    assert [line["status"] for line in logs if line["event"] == "request"] == [499]
    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_no_redirect_repeats_the_host_that_was_said(site: Site) -> None:
    for path in ("/whoami/", "/enter/", "//evil.example/whoami/"):
        answer = await site.client.post(path, headers={"Host": "evil.example"}, content=b"password=1")
        assert (answer.status_code, answer.headers.get("location")) == (404, None)


async def test_every_answer_carries_the_headers(site: Site) -> None:
    for path in ("/whoami", "/none", "/refuses", "/livez"):
        headers = (await site.client.get(path)).headers
        csp = headers["content-security-policy"]
        assert "default-src 'none'" in csp
        assert "unsafe" not in csp
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "strict-transport-security" not in headers  # plain http here


async def test_the_log_has_the_template_never_path_or_query(site: Site) -> None:
    with structlog.testing.capture_logs() as logs:
        await site.client.post("/machine/very-secret-token?lat=60.16991", content=b"x")
        await site.client.get("/unknown/very-secret-token")
        await until(lambda: sum(line["event"] == "request" for line in logs) == 2)
    lines = [line for line in logs if line["event"] == "request"]
    assert [(line["template"], line["status"]) for line in lines] == [("/machine/{token}", 200), ("-", 404)]
    assert "secret" not in repr(logs)
    assert "60.16991" not in repr(logs)  # 60.1 ms may stand there


async def test_a_socket_is_refused_before_it_is_accepted(site: Site) -> None:
    cookie = await site.signed_in("anna@example.org")
    origin = str(site.client.base_url).rstrip("/")

    async def status(path: str, **headers: str) -> int:
        try:
            async with websockets.connect(site.ws + path, additional_headers=headers, compression=None):
                return 101
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    assert await status("/ws/seen", Cookie=cookie, Origin=origin) == 101
    assert await status("/ws/seen", Cookie=cookie, Origin="https://evil.example") == 403
    assert await status("/ws/seen", Cookie=cookie) == 403  # a cookie without a browser's Origin
    assert await status("/ws/seen", Origin=origin) == 401
    assert await status("/ws/phone", Origin="https://evil.example") == 403
    assert await status("/ws/phone", Cookie=cookie, Origin=origin) == 403  # a customer
    assert await status("/ws/phone") == 101
    cookie = await site.signed_in("maya@example.org")
    async with websockets.connect(site.ws + "/ws/phone", additional_headers={"Cookie": cookie}) as phone:
        assert await phone.recv() == "anonymous"  # without Origin the cookie is not read
    async with websockets.connect(site.ws + "/ws/phone", additional_headers={"Cookie": cookie, "Origin": origin}) as browser:
        assert await browser.recv() == "technician"


async def test_a_refused_socket_is_one_line_without_path_or_query(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """uvicorn takes an answer in place of a socket for a mistake of the application, unless it is told."""
    with caplog.at_level("WARNING"), structlog.testing.capture_logs() as lines:
        for path in ("/ws/seen?token=hidden", "/ws/seen/hidden"):
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(site.ws + path, origin=websockets.Origin(str(site.client.base_url).rstrip("/")))
    assert lines == [{"event": "socket_refused", "door": "/ws/seen", "code": "not_signed_in", "status": 401, "log_level": "info"}]
    assert caplog.records == []


async def test_a_refusal_after_the_handshake_is_a_close_code(site: Site) -> None:
    async with websockets.connect(site.ws + "/ws/phone") as phone:
        assert await phone.recv() == "anonymous"
        await phone.send("x")
        with pytest.raises(websockets.ConnectionClosed):
            await phone.recv()
        assert (phone.close_code, phone.close_reason) == (1008, "conflict")


async def test_an_unguarded_route_stops_the_start(house: House, tmp_path: Path) -> None:
    with free_socket() as bound, pytest.raises(BadConfiguration, match="open"):
        create_app(house, config_for(bound, tmp_path), [Route("/open", whoami)])


async def test_cookies_of_https_are_bound_to_the_host(house: House) -> None:
    guard = Guard(house, PublicAddress("https", "tracker.example.org", 443))
    answer = Response()
    guard.remember(answer, "t0ken", house.clock())
    said = answer.headers["set-cookie"]
    assert said.startswith("__Host-tt=t0ken; ")
    for part in ("HttpOnly", "Path=/", "SameSite=lax", "Secure"):
        assert part in said
    assert "Domain" not in said


async def test_ready_when_records_and_live_answer(site: Site) -> None:
    assert (await site.client.get("/livez")).json() == {"status": "ok"}
    ready = await site.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "parts": {"records": "ok", "live": "ok", "mail": "off"}})
