"""`/i/{token}`, `/pub` and Overland's own path through a real server: answers, units as stored, tokens, outages."""

import base64
import json
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.phones.clients import TOKEN, Start, Web, web
from tests.servers import valkey_server
from tests.world import NOW, PLACE, Clock, World
from tracker.actions.trip import phones, trails, visits
from tracker.actions.trip.visits import Wish
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.live.streams import Stream
from tracker.records import points, technicians
from tracker.records.database import Database
from tracker.records.points import TrackPoint

STAMP = round(NOW.timestamp())
ISO = "2026-11-24T12:02:00Z"
OWNTRACKS = {"_type": "location", "lat": PLACE.lat, "lon": PLACE.lon, "tst": STAMP, "vel": 36, "cog": 90, "acc": 5, "batt": 71}
OVERLAND = {
    "locations": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [PLACE.lon, PLACE.lat]},
            "properties": {"timestamp": ISO, "speed": 10, "course": 90, "horizontal_accuracy": 5, "battery_level": 0.71},
        }
    ]
}
TRACCAR_9 = {
    "location": {
        "timestamp": "2026-11-24T12:02:00.000Z",
        "coords": {"latitude": PLACE.lat, "longitude": PLACE.lon, "speed": 10, "heading": 90, "accuracy": 5},
        "battery": {"level": 0.71, "is_charging": False},
    },
    "device_id": "somebody else",
}
FORM = f"id=somebody-else&lat={PLACE.lat}&lon={PLACE.lon}&timestamp={STAMP}&speed=19.4384&bearing=90&accuracy=5&batt=71"
GPSLOGGER = f"lat={PLACE.lat}&lon={PLACE.lon}&timestamp={STAMP}&spd=10&dir=90&acc=5&batt=71"


async def stored(here: Web, world: World) -> list[TrackPoint]:
    await trails.drain_once(here.house, Stream(here.house.positions.client, "trail"))
    async with here.house.db.reading() as tx:
        return await points.of_technician(tx, world.maya, NOW - timedelta(days=2), NOW + timedelta(days=2))


@pytest.mark.parametrize(
    ("method", "query", "body", "answer"),
    [
        ("POST", "", json.dumps(OWNTRACKS), "[]"),
        ("POST", "", json.dumps(OVERLAND), '{"result":"ok"}'),
        ("POST", "", json.dumps(TRACCAR_9), None),
        ("POST", "", FORM, None),
        ("POST", f"?{FORM}", "", None),
        ("GET", f"?{FORM}", "", None),
        ("GET", f"?{GPSLOGGER}", "", None),
    ],
    ids=["owntracks", "overland", "traccar 9", "traccar 10", "traccar 8", "traccar 8 GET", "gpslogger"],
)
async def test_each_app_is_understood_in_its_own_units(
    here: Web, world: World, method: str, query: str, body: str, answer: str | None
) -> None:
    said = await here.http.request(method, f"/i/{TOKEN}{query}", content=body)
    assert said.status_code == 200
    assert answer is None or said.text == answer
    [point] = await stored(here, world)
    assert (point.technician_id, point.device_id, point.fix_at) == (world.maya, world.phone, NOW)
    assert (point.lat, point.lon) == pytest.approx((PLACE.lat, PLACE.lon), abs=1e-6)
    assert (point.speed, point.course, point.acc, point.battery) == pytest.approx((10, 90, 5, 0.71), rel=1e-4)


async def test_owntracks_is_told_its_mode_when_that_changes_and_only_then(start: Start, world: World, clock: Clock) -> None:
    """On two processes: significant changes on duty, move mode on a trip, and back."""
    here, there = await start(), await start()
    visit = await world.appointment(arrival_at=NOW + timedelta(minutes=20))
    maya = Actor(Role.TECHNICIAN, world.technician.id, "Maya", technician=world.maya)
    told: list[int | None] = []

    async def report(process: Web, **more: object) -> None:
        clock.move(seconds=20)
        answer = await process.http.post(f"/i/{TOKEN}", json=OWNTRACKS | {"tst": round(clock().timestamp())} | more)
        assert answer.status_code == 200
        commands = answer.json()
        assert all(each["_type"] == "cmd" and each["action"] == "setConfiguration" for each in commands)
        told.append(commands[0]["configuration"]["monitoring"] if commands else None)

    await report(here)
    await visits.take_step(here.house, maya, visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    for process in (here, there, here):
        await report(process)
    await visits.take_step(here.house, maya, visit, Wish(step=Step.ARRIVE))
    for process in (there, here):
        await report(process)
    await report(here, m=2)  # it says that it has not heard the last command, given a moment ago
    await report(there, m=1)
    assert told == [None, 2, None, None, 1, None, None, None]


async def test_overland_in_owntracks_mode_is_never_told_anything_but_ok(here: Web, world: World) -> None:
    visit = await world.appointment(arrival_at=NOW + timedelta(minutes=20))
    maya = Actor(Role.TECHNICIAN, world.technician.id, "Maya", technician=world.maya)
    await visits.take_step(here.house, maya, visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    said = await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS | {"batt": -100})
    assert (said.status_code, said.json()) == (200, {"result": "ok"})


async def test_the_other_addresses(here: Web, world: World) -> None:
    basic = base64.b64encode(f"maya:{TOKEN}".encode()).decode()
    said = await here.http.post("/pub", json=OWNTRACKS, headers={"Authorization": f"Basic {basic}"})
    assert (said.status_code, said.text) == (200, "[]")
    said = await here.http.post(f"/api/v1/overland/batches?api_key={TOKEN}", json=OVERLAND)
    assert (said.status_code, said.json()) == (200, {"result": "ok"})
    said = await here.http.post("/api/v1/overland/batches", json=OVERLAND, headers={"Authorization": f"Bearer {TOKEN}"})
    assert said.status_code == 200
    assert len(await stored(here, world)) == 1


async def test_the_same_point_for_ever_is_stored_once(here: Web, world: World) -> None:
    for _ in range(5):
        assert (await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS)).status_code == 200
    assert len(await stored(here, world)) == 1


async def test_a_bad_token_is_401_everywhere(here: Web) -> None:
    for path in ("/i/wrong", "/pub", "/api/v1/overland/batches?api_key=wrong", "/api/v1/overland/batches"):
        said = await here.http.post(path, json=OWNTRACKS)
        assert said.status_code == 401, path
    assert (await here.http.post("/pub", json=OWNTRACKS)).headers["WWW-Authenticate"].startswith("Basic")


async def test_guessing_tokens_is_slowed_down(here: Web) -> None:
    codes = [(await here.http.get(f"/i/guess{n}")).status_code for n in range(70)]
    assert codes[:60] == [401] * 60
    assert codes[-1] == 429
    assert (await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS)).status_code == 200


async def test_a_revoked_token_is_refused_once_the_memory_of_it_is_over(
    here: Web, world: World, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phones, "KNOWN_S", 0.0)
    assert (await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS)).status_code == 200
    async with db.transaction() as tx:
        await technicians.revoke_device(tx, world.phone, NOW)
    assert (await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS)).status_code == 401


NOTHING = [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"NaN", b"{}", b"[]", b"lat=x&lon=y", b"lat=1e999&lon=nan&timestamp=inf"]
NOTHING += [b'{"_type":"location"}', b'{"_type":"lwt","tst":1}', b'{"locations":[{},1,null,{"geometry":3}]}']
WRONG = [{"lat": 91}, {"tst": 1e300}, {"lat": "60"}, {"tst": -1}, {"vel": "x"}]


@pytest.mark.parametrize("body", NOTHING + [json.dumps(OWNTRACKS | wrong).encode() for wrong in WRONG])
async def test_what_can_never_be_used_is_a_success_to_the_app(here: Web, world: World, body: bytes) -> None:
    said = await here.http.post(f"/i/{TOKEN}", content=body)
    assert said.status_code == 200
    assert all(abs(point.lat) < 90 for point in await stored(here, world))


async def test_a_body_without_end_is_413(here: Web) -> None:
    assert (await here.http.post(f"/i/{TOKEN}", content=b"x" * 3_000_000)).status_code == 413


async def test_a_thousand_points_at_once(here: Web, world: World, clock: Clock) -> None:
    clock.now = NOW + timedelta(seconds=1000)
    one = OVERLAND["locations"][0]
    batch = [
        one | {"properties": {"timestamp": (NOW + timedelta(seconds=n)).isoformat(), "horizontal_accuracy": 5}}
        for n in range(1000)
    ]
    said = await here.http.post(f"/i/{TOKEN}", json={"locations": batch})
    assert said.json() == {"result": "ok"}
    assert len(await stored(here, world)) == 1000


async def test_redis_away_is_503(db: Database, world: World, tmp_path: Path, clock: Clock) -> None:
    async with AsyncExitStack() as stack:
        with valkey_server() as url:
            here = await stack.enter_async_context(web(db, url, tmp_path, clock))
            assert (await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS)).status_code == 200
        said = await here.http.post(f"/i/{TOKEN}", json=OWNTRACKS | {"tst": STAMP + 5})
        assert (said.status_code, said.json()["code"]) == (503, "live_unavailable")


async def test_a_token_is_never_written_down(here: Web, capsys: pytest.CaptureFixture[str]) -> None:
    await here.http.post(f"/i/{TOKEN}", content=b"{")
    await here.http.post(f"/api/v1/overland/batches?api_key={TOKEN}", json=OVERLAND)
    written = "".join(capsys.readouterr())
    assert "unusable" in written
    assert TOKEN not in written
    assert str(PLACE.lat) not in written


async def test_an_old_queue_sent_at_its_own_pace_stays_old(here: Web, world: World, clock: Clock) -> None:
    """P1: ``created_at`` says when a message was written. Taken for the time of sending it would make old places new."""
    for n in range(6):
        old = STAMP - 3600 + 15 * n
        message = OWNTRACKS | {"tid": "ma", "tst": old, "created_at": old + 1, "lat": PLACE.lat + n * 1e-4}
        assert (await here.http.post(f"/i/{TOKEN}", json=message)).status_code == 200
        clock.move(seconds=15)
    fixed = [point.fix_at for point in await stored(here, world)]
    assert sorted(fixed) == [NOW - timedelta(seconds=3600 - 15 * n) for n in range(6)]
