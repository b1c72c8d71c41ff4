"""Everything a whole day leaves in logs and numbers, searched for what must not stand there: tokens, places, names, addresses."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import websockets

from tests.faults.site import TOKEN, Site, all_of, fixes, pages, site
from tests.portal_web.living import form_token
from tests.world import PLACE
from tracker.actions.people.passwords import Passwords
from tracker.domain.codes import Purpose, code_of
from tracker.domain.letter_kinds import Kind
from tracker.records import people
from tracker.records.schema import outbox

PASSWORD = "correct horse battery staple"
BROKEN = [
    b"\x00",
    b"{",
    b"[" * 5_000,
    b'{"type":"pings","pings":[{"seq":1,"at":"x","lat":60.16991,"lon":24.93841}]}',
    b'{"type":"hello","boot":"b","first":1,"token":"never-given-token"}',
]


@pytest.fixture
async def place(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with site(database_url, redis_url, tmp_path) as made:
        async with made.db.transaction() as tx:
            await people.set_password(tx, made.world.customer.id, await Passwords().hashed(PASSWORD))
        yield made


async def a_whole_day(place: Site) -> tuple[list[str], str]:
    """Sign-ins, a trip by socket and by a stock app, viewers, and what is refused; the secrets used, and the metrics."""
    machine, visit = place.machine, await place.world.appointment(arrival_at=datetime.now(UTC))
    own = {"Origin": machine.url, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=machine.url, headers=own, timeout=20) as anna, place.client() as maya:
        signed = await anna.post("/api/v1/sessions", json={"email": "anna@example.org", "password": PASSWORD})
        assert signed.status_code == 201, signed.text
        cookie = signed.cookies["tt"]
        for email in ("anna@example.org", "nobody@example.org", "x\x00@example.org", "\ud800@example.org"):
            body = json.dumps({"email": email, "password": "wrong-passw0rd"}).encode("utf-8", "surrogatepass")
            refused = await anna.post("/api/v1/sessions", content=body, headers={"Content-Type": "application/json"})
            assert refused.status_code in {400, 401, 422}
        assert (await place.step(maya, visit, "start_travel")).status_code == 200
        async with pages(place, visit, 3) as crowd:
            await all_of(crowd, lambda page: page.snapshots >= 1)
            await by_socket(place)
            for name in ("/i/" + TOKEN, "/i/never-given-token", "/i/", f"/nowhere/{TOKEN}", "/api/v1/appointments/\x00"):
                query = f"?lat={PLACE.lat}&lon={PLACE.lon}&timestamp={datetime.now(UTC).timestamp():.0f}&id=x"
                await maya.get(httpx.URL(machine.url + name.replace("\x00", "%00") + query))
            await maya.post(
                f"/i/{TOKEN}", content=b'{"_type":"location","lat":60.16991,"lon":24.93841,"tst":' + b"9" * 400 + b"}"
            )
            await all_of(crowd, lambda page: len(page.positions) >= 1)
            live = await anna.get(f"/api/v1/appointments/{visit}/live")
            assert live.json()["position"]
            assert (await place.step(maya, visit, "arrive")).status_code == 200
        assert (await place.step(maya, visit, "not_done", reason="Anna was not at Esimerkkikatu 1")).status_code == 200
        async with httpx.AsyncClient(timeout=20) as prometheus:
            numbers = (await prometheus.get(f"http://127.0.0.1:{machine.metrics}/metrics")).text
        opening = await by_links_and_codes(place, anna, visit)
        own_session = next(one["id"] for one in (await anna.get("/api/v1/sessions")).json()["sessions"] if one["current"])
        assert (await anna.delete(f"/api/v1/sessions/{own_session}")).status_code == 204
    return [cookie, TOKEN, PASSWORD, "never-given-token", "wrong-passw0rd", *opening], numbers


async def by_links_and_codes(place: Site, anna: httpx.AsyncClient, visit: str) -> list[str]:
    """A link for the family opened and mistyped, a forgotten password asked for and set anew: whatever opens something."""
    shared = await anna.post(f"/api/v1/appointments/{visit}/links", json={"name": "Bob"})
    assert shared.status_code == 201, shared.text
    token = shared.json()["address"].partition("#")[2]
    async with httpx.AsyncClient(base_url=place.machine.url, headers=dict(anna.headers), timeout=20) as bob:
        opened = await bob.post("/api/v1/links/open", json={"token": token})
        assert opened.status_code == 200, opened.text
        assert (await bob.post("/api/v1/links/open", json={"token": "never-given-token"})).status_code == 404
        assert (await bob.get(f"/appointments/{visit}/live")).status_code == 200
        assert (await press(bob, "/forgot", email="anna@example.org")).status_code == 200
        async with place.db.reading() as tx:
            [letter] = await tx.rows(outbox.select().where(outbox.c.kind == Kind.RESET))
        code = code_of((place.machine.data / "secret").read_bytes(), Purpose.RESET, letter.message_id.split(".")[1])
        mistyped = await press(bob, "/reset", code=code[:-1], password=PASSWORD)
        assert mistyped.status_code == 422
        assert (await bob.get(f"/nowhere/{code}?code={code}&token={token}")).status_code == 404
    return [token, code, code[:-1], *bob.cookies.values()]


async def press(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    """Open a page and send its form."""
    token = form_token((await client.get(path, headers={"Accept": "text/html"})).text)
    return await client.post(path, data={"form_token": token, **form})


async def by_socket(place: Site) -> None:
    address = place.machine.url.replace("http", "ws") + "/ws/technician"
    async with websockets.connect(address, compression=None) as phone:
        await phone.send(json.dumps({"type": "hello", "token": TOKEN, "boot": "b", "first": 1}))
        await phone.recv()
        await phone.send(json.dumps({"type": "pings", "pings": fixes(30, 2, datetime.now(UTC))}))
        await phone.recv()
    for frame in BROKEN:
        async with websockets.connect(address, compression=None) as phone:
            with suppress(websockets.ConnectionClosed):
                await phone.send(frame.decode() if frame != b"\x00" else frame)
                await phone.recv()
        with suppress(websockets.InvalidStatus):
            await websockets.connect(f"{address}?token={TOKEN}&lat={PLACE.lat}", origin=websockets.Origin("https://evil.example"))


async def test_logs_and_metrics_of_a_whole_day_give_nobody_away(place: Site) -> None:
    await place.start()
    worker = await place.machine.start("worker", log=place.machine.data / "serve-worker.log")
    secrets, numbers = await a_whole_day(place)
    await asyncio.sleep(2.5)  # the worker drains what came
    worker.terminate()
    await worker.wait()
    await place.end()
    said = place.said()
    lines = [json.loads(line) for line in said.splitlines()]
    assert len(lines) >= 20  # it is a whole day's log that is read here
    assert [line for line in lines if line["level"] in {"error", "critical"}] == []
    untimed = re.sub(r'"timestamp": "[^"]*"', "", said)  # its seconds may look like a longitude
    assert untimed != said
    for where, text in (("logs", untimed), ("metrics", numbers)):
        for secret in secrets:
            assert secret not in text, f"{secret} in {where}"
        assert not re.search(r"@example\.org|Maya|Anna|anna|Esimerkki", text), where
        assert not re.search(r"60\.1[67]\d|24\.9[3-9]\d", text), where
        assert "/i/" + TOKEN[:4] not in text
    labels = set(re.findall(r'template="([^"]*)"', numbers))
    print(f"{len(lines)} lines, {len(numbers.splitlines())} numbers, templates {sorted(labels)}")
    assert all(re.fullmatch(r"-|[a-z0-9_/.…{}-]+", label) for label in labels)
