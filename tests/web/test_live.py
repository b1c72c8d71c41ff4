"""Viewers of a visit through real sockets: two web processes, one Redis, one database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
import pytest_asyncio
import websockets
from sqlalchemy import update

from tests.servers import Postgres
from tests.web.live_scene import Scene, scene, somewhere
from tracker.actions.people import accounts
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.live.connect import connect
from tracker.records import audit
from tracker.records.schema import appointments

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def stage(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """Two processes for all tests of this file, on SQLite and then on PostgreSQL."""
    data = tmp_path_factory.mktemp("live")
    if request.param == "sqlite":
        async with scene(f"sqlite+aiosqlite:///{data / 'tracker.db'}", valkey_url, data) as played:
            yield played
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    async with scene(server.url(name), valkey_url, data) as played:
        yield played
    server.drop(name)


@pytest_asyncio.fixture(loop_scope="module")
async def play(stage: Scene) -> AsyncIterator[Scene]:
    """Nobody travels, two processes run."""
    await stage.begin()
    yield stage
    await stage.finish()


async def test_a_trip_is_seen_from_both_processes(play: Scene) -> None:
    visit = await play.appointment()
    one, two = await play.watch(visit, at=0), await play.watch(visit, at=1)
    assert one.frames[0]["type"] == "snapshot"
    assert one.frames[0]["state"] == "scheduled"
    assert one.frames[0]["appointment"]["id"] == visit
    assert one.frames[0]["technician"]["name"] == "Maya"
    await play.step(visit, Step.START_TRAVEL)
    for step in range(1, 4):
        for viewer in (one, two):
            await viewer.until_state("traveling")
        await play.shown(one, somewhere(step))
        await two.until(lambda v, at=step: tuple(somewhere(at)) in v.places)
    await play.step(visit, Step.ARRIVE)
    await play.step(visit, Step.COMPLETE)
    for viewer in (one, two):
        await viewer.until_state("completed")
        assert viewer.states == ["traveling", "in_progress", "completed"]
        assert [f["type"] for f in viewer.frames if f.get("state") == "completed"] == ["ended"]
        assert viewer.rising()
        update = next(f for f in viewer.frames if f["type"] == "update")
        assert set(update) == {"type", "now", "offset", "position", "eta"}
        assert update["position"].keys() >= {"lat", "lon", "acc", "fix_at", "contact_at", "interval_s"}


async def test_who_may_not_watch_is_told_nothing(play: Scene) -> None:
    visit = await play.travel()
    await play.ping()
    for person in (play.world.stranger, play.world.colleague):
        viewer = await play.watch(visit, person)
        assert (await viewer.until_closed(), viewer.frames) == (4403, [])
        _, token = await play.cookie(person)
        assert (await play.get(visit, token)).status_code == 404
    nobody = await play.watch("0" * 16)
    assert (await nobody.until_closed(), nobody.frames) == (4403, [])
    for person in (play.world.customer, play.world.technician, play.world.dispatcher):
        assert (await play.watch(visit, person)).places


async def test_without_cookie_or_from_another_site_there_is_no_socket(play: Scene) -> None:
    _, token = await play.cookie(play.world.customer)
    for bearer, origin, status in ((None, None, 401), (token, "https://evil.example", 403), ("stolen", None, 401)):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await play.connect(play.servers[0], bearer, origin=origin)
        assert refused.value.response.status_code == status


async def test_a_replayed_cookie_of_an_ended_session_opens_nothing(play: Scene) -> None:
    visit = await play.travel()
    session, token = await play.cookie(play.world.customer)
    here = await play.watch_with(token, visit, at=0)
    there = await play.watch_with(token, visit, at=1)
    other = await play.watch(visit)
    me = Actor(Role.CUSTOMER, play.world.customer.id, session=session)
    await accounts.end_session(play.house, me, session)
    assert [await here.until_closed(), await there.until_closed()] == [4401, 4401]
    await play.shown(other, somewhere(1))
    assert here.places == there.places == []
    with pytest.raises(websockets.InvalidStatus):
        await play.watch_with(token, visit)
    assert (await play.get(visit, token)).status_code == 401


async def test_a_session_that_runs_out_is_closed(play: Scene) -> None:
    visit = await play.travel()
    for seconds in (2, 4, 8):  # a slow machine's handshake may come after the end
        _, token = await play.cookie(play.world.customer, lasts=timedelta(seconds=seconds))
        with suppress(websockets.InvalidStatus):
            viewer = await play.watch_with(token, visit)
            if viewer.frames:
                break
    assert viewer.frames
    assert await viewer.until_closed() == 4401


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([b"\x00"], 1003),
        (["{"], 1008),
        (['{"type":"seen","offset":1}'], 1008),
        (['{"type":"watch"}'], 1008),
        (['{"type":"watch","appointment":"' + "x" * 5000 + '"}'], 1009),
        (['{"type":"watch","appointment":"VISIT"}', '{"type":"watch","appointment":"VISIT"}'], 1008),
        (['{"type":"watch","appointment":"VISIT"}', *['{"type":"seen","offset":1}'] * 5000], 4429),
        (['{"type":"watch","appointment":"VISIT","offset":1e400}'], 1008),
        (['{"type":"watch","board":true}'], 4403),
    ],
    ids=["binary", "broken", "seen first", "nothing named", "too big", "two watches", "flood", "infinity", "board"],
)
async def test_what_is_not_in_the_protocol_closes_the_socket(play: Scene, frames: list[str | bytes], code: int) -> None:
    visit = await play.appointment()
    _, token = await play.cookie(play.world.customer)
    socket = await play.connect(play.servers[0], token)
    try:
        for frame in frames:
            await socket.send(frame.replace("VISIT", visit) if isinstance(frame, str) else frame)
        async with asyncio.timeout(60):
            while True:
                await socket.recv()
    except websockets.ConnectionClosed:
        pass
    assert socket.close_code == code
    await socket.close()


async def test_who_says_nothing_is_closed(play: Scene) -> None:
    _, token = await play.cookie(play.world.customer)
    socket = await play.connect(play.servers[0], token)
    await asyncio.wait_for(socket.wait_closed(), 60)
    assert socket.close_code == 4408


async def test_short_updates_say_the_same(play: Scene) -> None:
    visit = await play.travel()
    viewer = await play.watch(visit, short=True)
    await play.shown(viewer, somewhere(1))
    await play.ping(somewhere(2))
    await viewer.until(lambda v: any("short" in f for f in v.frames))
    short = next(f["short"] for f in viewer.frames if "short" in f)
    place = viewer.snapshots[0]["appointment"]
    there = somewhere(2)
    assert [short[1], short[2]] == [round((there.lat - place["lat"]) * 1e5), round((there.lon - place["lon"]) * 1e5)]
    print(f"{len(viewer.raw[-1])} bytes: {viewer.raw[-1]!r}")


async def test_polling_gives_the_snapshot_and_says_when_nothing_changed(play: Scene) -> None:
    visit = await play.travel()
    await play.ping(somewhere(1))
    _, token = await play.cookie(play.world.customer)
    first = await play.get(visit, token)
    assert (first.status_code, first.json()["type"]) == (200, "snapshot")
    assert (first.json()["position"]["lat"], first.json()["position"]["lon"]) == somewhere(1)
    assert first.headers["cache-control"] == "no-store"
    again = await play.get(visit, token, at=1, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await play.ping(somewhere(2))
    assert (await play.get(visit, token, **{"If-None-Match": first.headers["etag"]})).status_code == 200
    await play.step(visit, Step.ARRIVE)
    after = (await play.get(visit, token)).json()
    assert (after["state"], after["position"], after["route"]) == ("in_progress", None, None)
    socket = await play.watch(visit)
    assert socket.frames[0].keys() == after.keys()


async def test_the_board_shows_who_is_where_and_then_what_changed(play: Scene) -> None:
    await play.travel()
    await play.ping(somewhere(1))
    _, token = await play.cookie(play.world.dispatcher)
    board = await play.watch_with(token, None, board=True)
    boxed = await play.watch_with(token, None, board=True, bbox=[0, 0, 1, 1], at=1)
    assert [t["name"] for t in board.frames[0]["technicians"]] == ["Maya"]
    assert boxed.frames[0]["technicians"] == []
    await play.ping(somewhere(2))
    await board.until(lambda v: len(v.frames) == 2)
    changed = board.frames[1]["technicians"]
    assert [(t["technician"], t["position"]["lon"]) for t in changed] == [(play.world.maya, somewhere(2).lon)]
    assert len(boxed.frames) == 1
    async with play.house.db.reading() as tx:
        looks = [entry for entry in await audit.latest(tx) if entry.what == "watched"]
    assert len(looks) >= 2


async def test_another_server_under_the_socket_works_as_well(play: Scene) -> None:
    """Through ASGI alone, as under hypercorn: slower, the same frames."""
    plain = await play.start(direct=False)
    at = play.servers.index(plain)
    visit = await play.travel()
    viewer = await play.watch(visit, at=at)
    await play.shown(viewer, somewhere(1))
    await play.shown(viewer, somewhere(2))
    await play.step(visit, Step.ARRIVE)
    await viewer.until_state("in_progress")


async def test_viewers_of_an_unassigned_visit_hear_of_it(play: Scene) -> None:
    visit = await play.appointment()
    async with play.house.db.transaction() as tx:
        await tx.change(update(appointments).where(appointments.c.id == visit).values(technician_id=None))
    viewer = await play.watch(visit)
    assert viewer.frames[0]["technician"] is None
    async with play.house.db.transaction() as tx:
        await tx.change(update(appointments).where(appointments.c.id == visit).values(technician_id=play.world.maya))
    await play.house.control.tell("look", visit)
    await viewer.until(lambda v: (v.frames[-1].get("technician") or {}).get("name") == "Maya")


async def test_a_server_that_ends_says_come_again(play: Scene) -> None:
    visit = await play.travel()
    viewer = await play.watch(visit)
    await play.servers[0].end()
    assert await viewer.until_closed() == 1012


async def test_frames_without_redis_still_tell_the_state(play: Scene) -> None:
    visit = await play.travel()
    client = connect(play.redis_url)
    await client.client_kill_filter(_type="pubsub")
    viewer = await play.watch(visit)
    await client.aclose()
    assert json.loads(viewer.raw[0])["state"] == "traveling"
