"""What phones do when things go wrong: scripted servers that refuse, tear, forget and restart."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve

from simulator.faults import Faults
from simulator.phones import App, GivenUp, Phone, SocketPhone, StepRefused, Target, make_phone
from simulator.replay import replay
from simulator.tracks import Fix, make_track

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FIXES = [Fix(NOON + timedelta(seconds=i), 60.17 + i / 10_000, 24.94, speed=11.0) for i in range(300)]
WELCOME = {"type": "welcome", "technician": "t1", "acked": 0, "now": NOON.isoformat()}
POLICY = {"interval_s": 5, "sharing": True, "appointment": None}

type Script = Callable[["Talk"], Awaitable[None]]


class Talk:
    """One connection as the script sees it: what the phone says, as JSON."""

    def __init__(self, socket: ServerConnection, number: int) -> None:
        self.socket, self.number = socket, number

    async def hear(self, kind: str) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.recv())
        assert frame["type"] == kind
        return frame

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def welcome(self, **more: Any) -> dict[str, Any]:
        hello = await self.hear("hello")
        await self.say(**(WELCOME | {"policy": POLICY} | more))
        return hello

    async def pings(self) -> list[int]:
        return [ping["seq"] for ping in (await self.hear("pings"))["pings"]]


@asynccontextmanager
async def served(*scripts: Script, haste: float = 1.0) -> AsyncIterator[SocketPhone]:
    """A phone, and a server that plays one script for each connection; a script that fails fails the test."""
    wrong: list[BaseException] = []
    numbers = iter(range(100))

    async def play(socket: ServerConnection) -> None:
        number = next(numbers)
        try:
            if number < len(scripts):
                await scripts[number](Talk(socket, number))
        except BaseException as error:  # handed to the test below
            wrong.append(error)
            raise

    async with serve(play, "127.0.0.1", 0, compression=None) as server, asyncio.timeout(90):
        port = next(iter(server.sockets)).getsockname()[1]
        async with SocketPhone(Target(f"http://127.0.0.1:{port}", "tok", "pixel"), haste=haste) as phone:
            yield phone
    if wrong:
        raise wrong[0]


async def test_a_backlog_goes_newest_first_then_oldest_first_and_is_kept_until_acked() -> None:
    async def server(talk: Talk) -> None:
        hello = await talk.welcome()
        assert hello == {"type": "hello", "token": "tok", "boot": hello["boot"], "first": 1, "device": "pixel"}
        assert await talk.pings() == [300]
        await talk.say(type="ack", seq=0, also=[300])
        assert await talk.pings() == list(range(1, 201))
        assert await talk.pings() == list(range(201, 300))
        await talk.say(type="ack", seq=300, refused=[{"seq": 7, "rule": "impossible_jump"}])
        await talk.socket.wait_closed()

    async with served(server) as phone:
        phone.lose_network()
        phone.say(*FIXES)
        phone.find_network()
        assert await phone.settled(60)
    assert (phone.counts.said, phone.counts.sent, phone.counts.acked, phone.counts.resent) == (300, 300, 300, 0)
    assert phone.counts.refused == {"impossible_jump": 1}


async def test_what_was_not_acked_goes_out_again_after_a_torn_connection() -> None:
    async def torn(talk: Talk) -> None:
        await talk.welcome()
        await talk.pings()
        await talk.pings()
        await talk.say(type="ack", seq=2)
        await asyncio.sleep(0)
        talk.socket.transport.abort()

    async def good(talk: Talk) -> None:
        hello = await talk.welcome(acked=4)
        assert hello["first"] in (1, 3)  # the ack may have come before the tear or not
        heard = await talk.pings() + await talk.pings()
        assert sorted(heard) == list(range(5, 11))
        await talk.say(type="ack", seq=10)
        await talk.socket.wait_closed()

    async with served(torn, good) as phone:
        phone.say(*FIXES[:10])
        assert await phone.settled(60)
    assert phone.counts.acked == 10
    assert phone.counts.sent == 10
    assert phone.counts.resent == 6
    assert phone.counts.trouble["closed 1006"] == 1


async def test_a_ping_that_is_never_answered_is_sent_again_on_the_same_connection() -> None:
    async def deaf(talk: Talk) -> None:
        await talk.welcome()
        assert await talk.pings() == [1]
        assert await talk.pings() == [1]
        await talk.say(type="ack", seq=1)
        await talk.socket.wait_closed()

    async with served(deaf, haste=200) as phone:
        phone.say(FIXES[0])
        assert await phone.settled(60)


async def test_a_restart_of_the_server_is_survived_and_a_replacement_is_not() -> None:
    async def restart(talk: Talk) -> None:
        await talk.welcome()
        await talk.socket.close(1012)

    async def replaced(talk: Talk) -> None:
        await talk.welcome()
        await talk.socket.close(4409)

    async with served(restart, replaced, haste=200) as phone:
        phone.say(FIXES[0])
        assert not await phone.settled(60)
        assert isinstance(phone.dead, GivenUp)
        assert "replaced" in str(phone.dead)
    assert phone.counts.trouble == {"closed 1012": 1, "closed 4409": 1}


@pytest.mark.parametrize("code", [4401, 4403])
async def test_bad_credentials_end_the_phone_and_its_waiting_steps(code: int) -> None:
    async def refuse(talk: Talk) -> None:
        await talk.hear("hello")
        await talk.socket.close(code)

    async with served(refuse) as phone:
        with pytest.raises(GivenUp, match=str(code)):
            await phone.step("a1", "start_travel", "scheduled")


async def test_a_step_is_kept_over_connections_with_its_id_and_the_time_it_was_pressed() -> None:
    heard: list[dict[str, Any]] = []

    async def torn(talk: Talk) -> None:
        await talk.welcome()
        heard.append(await talk.hear("step"))
        talk.socket.transport.abort()

    async def good(talk: Talk) -> None:
        await talk.welcome()
        heard.append(await talk.hear("step"))
        await talk.pings()
        await talk.say(type="ack", seq=1)  # not an answer to the step, which is not said again for it
        await talk.say(type="stepped", id=heard[1]["id"], appointment="a1", state="traveling")
        refused = await talk.hear("step")
        assert refused["step"] == "complete"
        await talk.say(type="error", id=refused["id"], code="step_not_possible", message="Not now.")
        await talk.socket.wait_closed()

    async with served(torn, good) as phone:
        phone.say(FIXES[0])
        assert await phone.step("a1", "start_travel", "scheduled", NOON) == "traveling"
        with pytest.raises(StepRefused, match="Not now") as refused:
            await phone.step("a1", "complete", "traveling")
    assert heard[0] == heard[1]
    assert heard[0] == {
        "type": "step", "id": heard[0]["id"], "appointment": "a1", "step": "start_travel", "from": "scheduled",
        "at": "2026-05-04T12:00:00.000Z",
    }  # fmt: skip
    assert refused.value.code == "step_not_possible"


async def test_a_paused_phone_records_nothing_and_follows_the_policy() -> None:
    async def server(talk: Talk) -> None:
        await talk.welcome()
        pause = await talk.hear("sharing")
        assert (pause["on"], pause["reason"]) == (False, "lunch")
        await talk.say(type="policy", interval_s=60, sharing=False, appointment=None)
        await talk.hear("sharing")
        await talk.say(type="policy", interval_s=5, sharing=True, appointment="a1")
        assert await talk.pings() == [1]
        await talk.say(type="ack", seq=1)
        await talk.socket.wait_closed()

    async with served(server) as phone:
        await phone.share(False, "lunch")
        assert phone.policy.interval_s == 60
        phone.say(*FIXES[:5])
        assert phone.held == 0
        await phone.share(True)
        assert phone.policy.appointment == "a1"
        phone.say(FIXES[5])
        assert await phone.settled(60)


async def test_a_wrong_clock_is_wrong_in_fix_times_and_in_sent_alike() -> None:
    frames: list[dict[str, Any]] = []

    async def server(talk: Talk) -> None:
        await talk.welcome()
        frames.append(await talk.hear("pings"))
        await talk.say(type="ack", seq=1)
        await talk.socket.wait_closed()

    heard: list[Fix] = []
    async with served(server) as phone:
        phone._heard = heard.append
        phone.clock_error = timedelta(hours=1)
        phone.say(FIXES[0])
        assert await phone.settled(60)
    assert frames[0]["pings"][0]["at"] == "2026-05-04T13:00:00.000Z"
    ahead = datetime.fromisoformat(frames[0]["sent"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
    assert heard == [FIXES[0]]  # the journal knows the true time


# -- stock apps --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def stock(app: App, answers: list[httpx.Response | None]) -> AsyncIterator[tuple[Phone, list[httpx.Request]]]:
    """A stock phone, and a server that gives these answers one after the other (None: torn), then for ever the last."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = answers[min(len(asked), len(answers)) - 1]
        if found is None:
            raise httpx.ReadError("torn", request=request)
        return found

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client,
        make_phone(app, Target("http://t", "tok", "d"), client, haste=20_000) as phone,
    ):
        yield phone, asked


OK = {App.OWNTRACKS: b"[]", App.OVERLAND: b'{"result":"ok"}'}


@pytest.mark.parametrize("app", [App.OWNTRACKS, App.TRACCAR8, App.TRACCAR9, App.TRACCAR10, App.OVERLAND])
async def test_patient_apps_keep_their_queue_through_trouble_and_in_order(app: App) -> None:
    good = httpx.Response(200, content=OK.get(app, b""))
    async with stock(app, [None, httpx.Response(503), httpx.Response(400), good]) as (phone, asked):
        phone.say(*FIXES[:3])
        assert await phone.settled(60)
    assert (phone.counts.acked, phone.counts.sent, phone.counts.lost) == (3, 3, 0)
    assert phone.counts.trouble == {"no answer": 1, "HTTP 503": 1, "HTTP 400": 1}
    said = [request.url.query + request.content for request in asked]
    assert said[0] == said[1] == said[2] == said[3]
    assert phone.counts.resent == (9 if app is App.OVERLAND else 3)


async def test_gpslogger_loses_a_point_after_three_tries_and_owntracks_on_ios_after_one() -> None:
    async with stock(App.GPSLOGGER, [httpx.Response(500)]) as (phone, asked):
        phone.say(*FIXES[:2])
        assert await phone.settled(60)
    assert (phone.counts.lost, phone.counts.acked, len(asked)) == (2, 0, 6)
    async with stock(App.OWNTRACKS_IOS, [httpx.Response(400), httpx.Response(200, content=b"[]")]) as (phone, _):
        phone.say(*FIXES[:2])
        assert await phone.settled(60)
    assert (phone.counts.lost, phone.counts.acked) == (1, 1)


async def test_overland_sends_a_backlog_in_batches() -> None:
    async with stock(App.OVERLAND, [httpx.Response(200, content=OK[App.OVERLAND])]) as (phone, asked):
        phone.say(*FIXES)
        assert await phone.settled(60)
    assert [len(json.loads(request.content)["locations"]) for request in asked] == [200, 100]
    assert ["current" in json.loads(request.content) for request in asked] == [True, False]


async def test_a_whole_replay_with_faults_settles() -> None:
    track = make_track("t", FIXES[:50])
    async with stock(App.TRACCAR10, [httpx.Response(200)]) as (phone, asked):
        assert await replay(track, phone, faults=Faults.parse(["duplicates=0.5", "jumps=0.1:500"]), seed=2, backlog=True)
    assert phone.counts.said == phone.counts.acked == len(asked) > 60
