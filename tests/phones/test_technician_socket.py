"""`/ws/technician` through a real server: hello, acknowledgements, refusals, replacement, steps, sizes, floods."""

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
import websockets

from tests.phones.clients import TOKEN, PhoneClient, Start, Web, fix, web
from tests.phones.test_frames import framed, wire
from tests.servers import OwnValkey, valkey_server
from tests.world import NOW, PLACE, Clock, World
from tracker.actions.people import accounts
from tracker.actions.trip import devices, endings, sharing, trails
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.clocks import Clock as PhoneClock
from tracker.domain.clocks import corrected
from tracker.domain.geo import moved
from tracker.domain.pings import judge
from tracker.domain.wire import own
from tracker.live import keys
from tracker.live.control import Ask
from tracker.live.streams import Stream
from tracker.records import appointments, people, points, technicians
from tracker.records.database import Database
from tracker.web import conversation, ingest, overhearing


async def stored(here: Web, world: World) -> list[int | None]:
    await trails.drain_once(here.house, Stream(here.house.positions.client, "trail"))
    async with here.house.db.reading() as tx:
        found = await points.of_technician(tx, world.maya, NOW - timedelta(days=2), NOW + timedelta(days=2))
    return [point.seq for point in found]


# -- hello -------------------------------------------------------------------------------------------------------------


async def test_a_token_is_welcomed_with_its_watermark_and_policy(here: Web, world: World) -> None:
    async with PhoneClient.known(here, first=12) as phone:
        said = phone.welcomed
    assert (said["type"], said["technician"], said["acked"]) == ("welcome", world.maya, 11)
    assert said["policy"] == {"interval_s": 60, "sharing": True, "appointment": None}
    assert said["now"].startswith("2026-11-24T12:02:00")


@pytest.mark.parametrize("token", ["wrong", "", None], ids=["wrong", "empty", "none"])
async def test_without_a_good_token_it_is_4401(here: Web, token: str | None) -> None:
    async with PhoneClient.at(here) as phone:
        said = {"type": "hello", "boot": "b", "first": 1} | ({} if token is None else {"token": token})
        await phone.say(said)
        assert await phone.closed() == 4401


async def test_a_revoked_token_is_4401(here: Web, world: World, db: Database) -> None:
    async with db.transaction() as tx:
        await technicians.revoke_device(tx, world.phone, NOW)
    async with PhoneClient.at(here) as phone:
        await phone.say({"type": "hello", "boot": "b", "first": 1, "token": TOKEN})
        assert await phone.closed() == 4401


async def test_silence_is_4408(here: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "HELLO_S", 0.05)
    async with PhoneClient.at(here) as phone:
        assert await phone.closed() == 4408


async def test_strangers_of_one_address_are_limited(here: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_STRANGERS", 3)
    async with AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(PhoneClient.at(here)) for _ in range(3)]
        with pytest.raises(websockets.InvalidStatus) as refused:
            await stack.enter_async_context(PhoneClient.at(here))
        assert refused.value.response.status_code == 429
        await strangers[0].hello()  # known now: there is room for another
        await stack.enter_async_context(PhoneClient.at(here))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"binary", 1003),
        ("", 1008),
        ("null", 1008),
        ("[" * 4_000, 1008),
        ('{"type":"hello","boot":"b","first":1,"token":"\\ud800"}', 1008),
        ('{"type":"hello","boot":"b","first":1e400}', 1008),
        ('{"type":"hello","boot":"b","first":-1}', 1008),
        ('{"type":"hello","boot":"","first":1}', 1008),
        (json.dumps({"type": "hello", "boot": "b", "first": 1, "device": "x" * 5_000}), 1009),
        (json.dumps({"type": "pings", "pings": []}), 1008),
        (json.dumps({"type": "surprise"}), 1008),
    ],
)
async def test_a_bad_first_frame_has_its_close_code(here: Web, frame: str | bytes, code: int) -> None:
    async with PhoneClient.at(here) as phone:
        await phone.say(frame)
        assert await phone.closed() == code


async def test_a_foreign_page_is_refused_before_the_handshake(here: Web) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with PhoneClient.at(here, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


@pytest.fixture
async def cookie(here: Web, world: World) -> Callable[[str], Awaitable[str]]:
    async def sign_in(email: str) -> str:
        hashed = await here.house.passwords.hashed("a good password")
        async with here.house.db.transaction() as tx:
            person = await people.by_email(tx, email)
            assert person is not None
            await people.set_password(tx, person.id, hashed)
        signed = await accounts.sign_in(here.house, email, "a good password", address="::1", user_agent=None)
        return f"tt={signed.token}"

    return sign_in


async def test_a_signed_in_technicians_browser_needs_no_token(
    here: Web, world: World, cookie: Callable[[str], Awaitable[str]]
) -> None:
    headers = {"Cookie": await cookie("maya@example.org")}
    async with PhoneClient.at(here, origin=here.origin, additional_headers=headers) as phone:
        assert (await phone.hello(None))["technician"] == world.maya
        assert (await phone.pings(fix(1)))["seq"] == 1
    async with here.house.db.reading() as tx:
        devices = await technicians.devices_of(tx, world.maya)
    assert {device.name for device in devices} == {"Maya's phone", "pixel-7"}


async def test_a_cookie_without_our_origin_is_not_looked_at(
    here: Web, world: World, cookie: Callable[[str], Awaitable[str]]
) -> None:
    async with PhoneClient.at(here, additional_headers={"Cookie": await cookie("maya@example.org")}) as phone:
        await phone.say({"type": "hello", "boot": "b", "first": 1})
        assert await phone.closed() == 4401


async def test_a_customer_is_no_technician(here: Web, world: World, cookie: Callable[[str], Awaitable[str]]) -> None:
    headers = {"Cookie": await cookie("anna@example.org")}
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with PhoneClient.at(here, origin=here.origin, additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403


async def test_an_ended_session_ends_its_socket(here: Web, world: World, cookie: Callable[[str], Awaitable[str]]) -> None:
    token = await cookie("maya@example.org")
    async with PhoneClient.at(here, origin=here.origin, additional_headers={"Cookie": token}) as phone:
        await phone.hello(None)
        actor = await accounts.who(here.house, token.removeprefix("tt="))
        assert actor is not None
        await accounts.sign_out(here.house, actor)
        assert await phone.closed() == 4401


async def test_a_session_that_ended_between_handshake_and_hello_opens_nothing(
    here: Web, world: World, cookie: Callable[[str], Awaitable[str]]
) -> None:
    token = await cookie("maya@example.org")
    async with PhoneClient.at(here, origin=here.origin, additional_headers={"Cookie": token}) as phone:
        actor = await accounts.who(here.house, token.removeprefix("tt="))
        assert actor is not None
        await accounts.sign_out(here.house, actor)
        await phone.say({"type": "hello", "boot": "b", "first": 1})
        assert await phone.closed() == 4401


async def test_a_token_revoked_while_redis_was_away_is_closed_when_it_is_back(
    db: Database, world: World, tmp_path: Path, clock: Clock
) -> None:
    with OwnValkey.in_a_folder() as valkey:
        async with web(db, valkey.url, tmp_path, clock) as here, PhoneClient.known(here) as phone:
            assert (await phone.pings(fix(1)))["seq"] == 1
            valkey.kill()
            async with db.transaction() as tx:
                await technicians.revoke_device(tx, world.phone, NOW)
            valkey.start()
            assert await phone.closed() == 4401


# -- pings -------------------------------------------------------------------------------------------------------------


async def test_pings_are_kept_then_acknowledged(here: Web, world: World) -> None:
    async with PhoneClient.known(here) as phone:
        assert await phone.pings(fix(1, 0), fix(2, 1)) == {"type": "ack", "seq": 2}
    assert await stored(here, world) == [1, 2]


async def test_newest_first_then_the_backlog(here: Web, world: World, clock: Clock) -> None:
    clock.now = NOW + timedelta(seconds=100)
    async with PhoneClient.known(here, first=5) as phone:
        assert phone.welcomed["acked"] == 4
        assert await phone.pings(fix(9, 90)) == {"type": "ack", "seq": 4, "also": [9], "refused": []}
        assert (await phone.pings(fix(5, 50), fix(6, 60)))["seq"] == 6
        assert (await phone.pings(fix(7, 70), fix(8, 80)))["seq"] == 9
    # another connection, perhaps of another process, goes on where this one was
    async with PhoneClient.known(here, first=1) as phone:
        assert phone.welcomed["acked"] == 9
    assert await stored(here, world) == [5, 6, 7, 8, 9]


async def test_what_was_acknowledged_above_a_gap_is_known_after_a_reconnect(here: Web, world: World, start: Start) -> None:
    async with PhoneClient.known(here) as phone:
        await phone.pings(fix(3, 30))
    there = await start()
    async with PhoneClient.known(there) as phone:
        assert phone.welcomed["acked"] == 0
        assert (await phone.pings(fix(1, 10), fix(2, 20), fix(3, 30)))["seq"] == 3
    assert await stored(here, world) == [1, 2, 3]


async def test_frames_sent_at_once_are_answered_one_by_one_and_what_comes_behind_them_comes_last(
    here: Web, world: World, clock: Clock
) -> None:
    clock.now, many = NOW + timedelta(seconds=100), overhearing.MOST_HELD + 8
    async with PhoneClient.known(here) as phone:
        for seq in range(1, many + 1):
            await phone.say({"type": "pings", "pings": [fix(seq, seq)]})
        await phone.say({"type": "sharing", "id": "s", "on": False, "reason": "lunch"})
        answers = [await phone.hear() for _ in range(many + 1)]
    assert [answer.get("seq") for answer in answers[:-1]] == list(range(1, many + 1))
    assert (answers[-1]["type"], answers[-1]["sharing"]) == ("policy", False)
    assert await stored(here, world) == list(range(1, many + 1))


async def test_resending_is_harmless(here: Web, world: World) -> None:
    async with PhoneClient.known(here) as phone:
        for _ in range(3):
            assert (await phone.pings(fix(1, 0), fix(2, 1), fix(2, 1)))["seq"] == 2
    assert await stored(here, world) == [1, 2]


async def test_a_refused_ping_is_dealt_with_and_named(here: Web, world: World) -> None:
    async with PhoneClient.known(here) as phone:
        await phone.pings(fix(1, 0))
        said = await phone.pings(fix(2, 5, lat=62.0), fix(3, 10))
    assert said == {"type": "ack", "seq": 3, "also": [], "refused": [{"seq": 2, "rule": "impossible_jump"}]}
    assert await stored(here, world) == [1, 3]


async def test_values_that_cannot_be_count_as_not_said(here: Web, world: World) -> None:
    async with PhoneClient.known(here) as phone:
        assert (await phone.pings(fix(1, acc=-1.0, speed=-1.0, course=720.0, battery=70.0)))["seq"] == 1
    await trails.drain_once(here.house, Stream(here.house.positions.client, "trail"))
    async with here.house.db.reading() as tx:
        [point] = await points.of_technician(tx, world.maya, NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert (point.acc, point.speed, point.course, point.battery) == (None, None, None, None)


async def test_dates_at_the_calendars_ends_are_refused_by_a_rule(here: Web) -> None:
    async with PhoneClient.known(here) as phone:
        ancient, distant = fix(1) | {"at": "0001-01-01T00:00:00+14:00"}, fix(2) | {"at": "9999-12-31T23:59:59-14:00"}
        said = await phone.pings(ancient, distant)
    assert [each["rule"] for each in said["refused"]] == ["too_old", "from_the_future"]


async def test_paused_is_acknowledged_and_not_stored(here: Web, world: World) -> None:
    async with PhoneClient.known(here) as phone:
        assert await phone.ask({"type": "sharing", "id": "c-1", "on": False, "reason": "lunch"}) == {
            **{"type": "policy", "interval_s": 60, "sharing": False, "appointment": None}
        }
        assert (await phone.pings(fix(1)))["seq"] == 1
        assert await stored(here, world) == []
        assert (await phone.ask({"type": "sharing", "id": "c-2", "on": True}))["sharing"]


async def test_a_wrong_clock_is_put_right_by_sent(here: Web, world: World, clock: Clock) -> None:
    wrong = timedelta(hours=3)
    async with PhoneClient.known(here) as phone:
        for seq in range(1, 5):
            clock.now = NOW + timedelta(seconds=5 * seq)
            said = fix(seq, 5 * seq) | {"at": (clock.now + wrong).isoformat()}
            assert (await phone.pings(said, sent=clock.now + wrong)) == {"type": "ack", "seq": seq}
    standing = await here.house.positions.last(world.maya)
    assert standing is not None
    assert abs(standing.fix_at - clock.now) < timedelta(seconds=1)


# -- steps -------------------------------------------------------------------------------------------------------------


async def test_what_staff_do_reaches_the_phone_at_once_without_any_ping(start: Start, world: World) -> None:
    """The dispatcher's step is taken in another process than the one that holds the phone's socket."""
    here, there = await start(), await start()
    visit = await world.appointment(arrival_at=NOW + timedelta(minutes=20))
    desk = Actor(Role.DISPATCHER, world.dispatcher.id, "Desk")
    async with PhoneClient.known(here) as phone:
        for step, policy in (
            (Step.START_TRAVEL, {"interval_s": 5, "sharing": True, "appointment": visit}),
            (Step.UNDO, {"interval_s": 60, "sharing": True, "appointment": None}),
        ):
            await take_step(there.house, desk, visit, Wish(step=step))
            assert await phone.hear() == {"type": "policy", **policy}


async def test_a_step_is_taken_once_and_the_policy_follows(here: Web, world: World) -> None:
    visit = await world.appointment()
    step = {"type": "step", "id": "c-9", "appointment": visit, "step": "start_travel", "from": "scheduled"}
    step |= {"at": NOW.isoformat()}
    async with PhoneClient.known(here) as phone:
        assert await phone.ask(step) == {"type": "stepped", "id": "c-9", "appointment": visit, "state": "traveling"}
        assert await phone.hear() == {"type": "policy", "interval_s": 5, "sharing": True, "appointment": visit}
        assert (await phone.ask(step))["state"] == "traveling"
        refused = await phone.ask(step | {"id": "c-10"})
        assert (refused["type"], refused["id"], refused["code"]) == ("error", "c-10", "step_not_possible")
        gate = await here.house.positions.gate(world.maya)
        assert gate is not None
        assert (gate.appointment, gate.device) == (visit, world.phone)
        arrive = step | {"id": "c-11", "step": "arrive", "from": "traveling"}
        assert (await phone.ask(arrive))["state"] == "in_progress"


async def test_who_stands_at_the_door_is_offered_arrived_and_who_drives_on_no_more(here: Web, world: World, clock: Clock) -> None:
    visit, worker = await world.appointment(), endings.Watch(here.house)
    maya = Actor(Role.TECHNICIAN, technician=world.maya)
    await take_step(here.house, maya, visit, Wish(step=Step.START_TRAVEL, device=world.phone))
    offered = {"type": "suggest", "appointment": visit, "step": "arrive"}

    async def stand(phone: PhoneClient, seq: int, **place: float) -> None:
        clock.move(seconds=60)
        await phone.say({"type": "pings", "pings": [fix(seq, (clock() - NOW).total_seconds(), speed=0.5, **place)]})
        assert (await phone.hear())["type"] == "ack"
        await worker.turn()

    async with PhoneClient.known(here, first=1) as phone:
        for seq in (1, 2):
            await stand(phone, seq, lat=PLACE.lat, lon=PLACE.lon)
        assert await phone.hear() == offered
        assert await phone.ask({"type": "pings", "pings": []}) == {"type": "ack", "seq": 2}  # said once
    async with PhoneClient.known(here, first=1) as phone:
        assert await phone.hear() == offered  # it may have been missed
        away = moved(PLACE, 0, 900)
        await stand(phone, 3, lat=away.lat, lon=away.lon)
        assert await phone.hear() == offered | {"step": None}


async def test_a_step_of_somebody_elses_visit_is_not_found(here: Web, world: World) -> None:
    visit = await world.appointment(world.onni)
    async with PhoneClient.known(here) as phone:
        step = {"type": "step", "id": "c", "appointment": visit, "step": "arrive", "from": "scheduled", "at": NOW.isoformat()}
        assert (await phone.ask(step))["code"] == "not_found"


async def test_a_newer_connection_replaces_the_older_in_every_process(here: Web, start: Start) -> None:
    there = await start()
    async with PhoneClient.known(here) as first, PhoneClient.known(here) as second:
        assert await first.closed() == 4409
        async with PhoneClient.known(there) as third:
            assert await second.closed() == 4409
            assert (await third.pings(fix(1)))["seq"] == 1


async def test_a_revoked_device_is_closed_when_asked(here: Web, world: World) -> None:
    async with PhoneClient.known(here) as phone:
        await here.house.control.ask(Ask.REPLACE_DEVICE, world.phone)
        assert await phone.closed() == 4409


async def test_what_a_phone_said_before_its_token_was_revoked_is_not_done_afterwards(
    here: Web, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step and pings lie read and unanswered behind one that takes long: the revocation comes first, and they are nothing."""
    visit, busy, go_on, set_sharing = await world.appointment(), asyncio.Event(), asyncio.Event(), sharing.set_sharing

    async def slowly(*said: Any) -> None:
        busy.set()
        await go_on.wait()
        await set_sharing(*said)

    monkeypatch.setattr(sharing, "set_sharing", slowly)
    step = {"type": "step", "id": "c", "appointment": visit, "step": "start_travel", "from": "scheduled", "at": NOW.isoformat()}
    for late in (step, {"type": "pings", "pings": [fix(1)]}):
        phone_id, token = await another_phone(here, world)
        busy.clear()
        go_on.clear()
        async with wire(here, token) as phone:
            said = {"type": "sharing", "id": "s", "on": True}
            await phone.write(framed(said) + framed(late))  # one piece: both are read when the first is begun
            await busy.wait()
            await devices.revoke_phone(here.house, Actor(Role.ADMIN, person="admin"), phone_id)
            go_on.set()
            assert await phone.closed() == 4409
            await phone.over()
    async with here.house.db.reading() as tx:
        untouched = await appointments.by_id(tx, visit)
    assert untouched is not None
    assert untouched.state is State.SCHEDULED
    assert await stored(here, world) == []


async def another_phone(here: Web, world: World) -> tuple[str, str]:
    """The id and token of a further phone of Maya's."""
    made = await devices.add_phone(here.house, Actor(Role.ADMIN, person="admin"), world.maya, "another")
    return made.device, made.token


# -- too much, too fast, too strange -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00", 1003),
        ({"type": "hello", "boot": "b", "first": 1, "token": TOKEN}, 1008),
        ({"type": "pings", "pings": [fix(n) for n in range(1, 202)]}, 1008),
        ({"type": "pings", "pings": [fix(1, note="x" * 70_000)]}, 1009),
        ({"type": "sharing", "id": "x", "on": True, "reason": "y" * 5_000}, 1009),
        ('{"type":"pings","pings":[{"seq":1,"at":"2026-11-24T12:00:00Z","lat":NaN,"lon":24}]}', 1008),
        ('{"type":"pings","pings":[{"seq":1,"at":"2026-11-24T12:00:00","lat":60,"lon":24}]}', 1008),
        ({"type": "step", "id": "x", "appointment": "a", "step": "fly", "from": "scheduled", "at": NOW.isoformat()}, 1008),
    ],
)
async def test_after_hello_each_fault_has_its_close_code(here: Web, frame: object, code: int) -> None:
    async with PhoneClient.known(here) as phone:
        await phone.say(frame)
        assert await phone.closed() == code


async def test_a_flood_is_4429_and_coming_again_fills_no_purse(here: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BURST", 300.0)
    monkeypatch.setattr(ingest, "PER_SECOND", 1.0)
    said = []
    for _ in range(2):
        async with PhoneClient.known(here) as phone:
            said.append(0)
            with contextlib.suppress(websockets.ConnectionClosed):
                while said[-1] < 400:
                    await phone.pings()
                    said[-1] += 1
            assert await phone.closed() == 4429
    assert said[0] > 250
    assert said[1] < 50, "the purse is the device's, not the connection's"


async def test_redis_away_is_1012_and_no_ack(db: Database, world: World, tmp_path: Path, clock: Clock) -> None:
    async with AsyncExitStack() as stack:
        with valkey_server() as url:
            here = await stack.enter_async_context(web(db, url, tmp_path, clock))
            phone = await stack.enter_async_context(PhoneClient.known(here))
            assert (await phone.pings(fix(1)))["seq"] == 1
        assert (await phone.pings(fix(2, 1)))["code"] == "live_unavailable"
        assert await phone.closed() == 1012
        async with PhoneClient.at(here) as again:
            assert (await again.hello())["code"] == "live_unavailable"
            assert await again.closed() == 1012


async def test_redis_that_dies_with_frames_on_their_way_is_1012_without_a_fault_of_ours(
    db: Database, world: World, tmp_path: Path, clock: Clock
) -> None:
    clock.now = NOW + timedelta(seconds=100)
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(OwnValkey.in_a_folder())
        here = await stack.enter_async_context(web(db, valkey.url, tmp_path, clock))
        phone = await stack.enter_async_context(PhoneClient.known(here))
        assert (await phone.pings(fix(1)))["seq"] == 1
        for seq in range(2, 20):
            await phone.say({"type": "pings", "pings": [fix(seq, seq)]})
        with structlog.testing.capture_logs() as logged:
            valkey.kill()
            assert await phone.closed() == 1012
    assert [line["event"] for line in logged if line["log_level"] == "error"] == []


async def test_an_answer_of_redis_that_makes_no_sense_stops_nobody_for_good(here: Web, world: World) -> None:
    gate, redis = f"{keys.tag(world.maya)}gate:{world.maya}", here.house.positions.client
    async with PhoneClient.known(here) as phone:
        assert (await phone.pings(fix(1)))["seq"] == 1
        await redis.hset(gate, "int", "soon")
        await phone.say({"type": "pings", "pings": [fix(2, 1)]})
        assert await phone.closed() == 1012
    await redis.hset(gate, "int", "60")
    async with PhoneClient.known(here) as phone:
        assert (await phone.pings(fix(2, 1)))["seq"] == 2


async def test_records_away_is_1012_and_one_close(
    redis_url: str, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is away when a phone says hello: it is told to come again, and nobody closes twice."""
    away = Database(f"postgresql+asyncpg://nobody@/none?host={tmp_path}")
    async with web(away, redis_url, tmp_path, clock) as here, PhoneClient.at(here) as phone:
        assert (await phone.hello())["code"] == "records_unavailable"
        assert await phone.closed() == 1012
    assert [line for line in caplog.records if line.levelname == "ERROR"] == []


async def test_a_message_of_endless_pieces_is_cut_off(here: Web) -> None:
    async with PhoneClient.known(here) as phone:
        with contextlib.suppress(websockets.ConnectionClosed):
            await phone.socket.send([""] * 3_000)
        assert await phone.closed() in {1006, 1009}


def nonsense(dice: random.Random) -> str:
    """A frame that is broken somewhere: cut, doubled, mixed up, of wrong types, or not JSON at all."""
    good: dict[str, Any] = {"type": "pings", "sent": NOW.isoformat(), "pings": [fix(n, n) for n in range(1, dice.randint(2, 4))]}
    odd = [None, True, -1, 1e308, "x", [], {}, [[]] * 3, 10**30, "2026-13-45", "9" * 400, {"a": {"b": {}}}]
    kind = dice.randrange(6)
    if kind == 0:
        good[dice.choice(list(good))] = dice.choice(odd)
    elif kind == 1:
        ping = good["pings"][0]
        ping[dice.choice(list(ping))] = dice.choice(odd)
    text = json.dumps(good)
    if kind == 2:
        return text[: dice.randrange(len(text))]
    if kind == 3:
        at = dice.randrange(len(text))
        return text[:at] + dice.choice('{}[]",:\\u0000\x00é\U0001f600') + text[at + 1 :]
    if kind == 4:
        return "[" * dice.randrange(1, 30_000)
    if kind == 5:
        return text.replace("60.", dice.choice(["NaN", "Infinity", "1e400", "-", "0x10", "060."]), 1)
    return text


def test_ten_thousand_malformed_frames_are_read_or_refused() -> None:
    """The short form of F14: whatever comes is a frame that can be judged, or a ValueError with a sentence; nothing else."""
    dice, read, refused = random.Random(14), 0, 0
    for _ in range(10_000):
        try:
            frame = own.read(nonsense(dice))
        except ValueError:
            refused += 1
            continue
        assert isinstance(frame, own.Pings)
        for said in frame.pings:
            judge(own.as_ping(said, corrected(own.utc(said.at), PhoneClock(), NOW)), None, NOW)
        read += 1
    assert read > 500
    assert refused > 5_000


async def _feed(here: Web, frames: list[str]) -> set[int]:
    """Send frame after frame, on a new socket whenever the last one was closed; the close codes."""
    codes: set[int] = set()
    left = iter(frames)
    frame = next(left, None)
    while frame is not None:
        async with PhoneClient.known(here) as phone:
            try:
                while frame is not None and (await phone.ask(frame))["type"] != "error":
                    frame = next(left, None)
            except websockets.ConnectionClosed:
                pass
            if frame is not None:
                codes.add(await phone.closed())
                frame = next(left, None)
    return codes


async def test_malformed_frames_break_nothing(here: Web, world: World) -> None:
    dice = random.Random(15)
    assert await _feed(here, [nonsense(dice) for _ in range(100)]) <= {1008, 1009}
    async with PhoneClient.known(here, boot="good") as phone:
        assert (await phone.pings(fix(1, 1)))["seq"] == 1
    assert await here.house.positions.client.exists(f"{keys.tag(world.maya)}last:{world.maya}")


@pytest.mark.faults
async def test_ten_thousand_malformed_frames_break_nothing(here: Web, world: World) -> None:
    dice = random.Random(16)
    assert await _feed(here, [nonsense(dice) for _ in range(10_000)]) <= {1008, 1009}
