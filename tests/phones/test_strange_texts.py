"""Texts that no database likes, in every field of both sockets, on SQLite and PostgreSQL: refused or kept, nothing broken."""

import json
import random
from typing import Any

import pytest
import websockets

from tests.phones.clients import TOKEN, PhoneClient, Web, fix
from tests.web.test_asyncapi import Ear, watching
from tests.world import NOW, World
from tracker.actions.people import accounts
from tracker.records import people, technicians
from tracker.records.database import Database

ODD = [
    "\x00",
    "a\x00b",
    "\U0010ffff",
    "\u202egnirts",
    "'; DROP TABLE technicians; --",
    "%s%n{}",
    "\ufeff",
    "x" * 64,
    "{b01}:",
    "* ~ \\",
]
LONE = '"\\ud800"'
"""Half of a pair: JSON allows to write it, nothing can be done with it."""


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both: what one takes the other may not."""
    url: str = request.getfixturevalue(request.param)
    return url


def errors(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().out
    return "\n".join(line for line in said.splitlines() if "Traceback" in line or "[error" in line) + "".join(
        line.message for line in caplog.records if line.levelname == "ERROR"
    )


async def exchanged(phone: PhoneClient, frame: str) -> int | None:
    """Say it, then something that is acknowledged whatever became of it. None if it was, else the close code."""
    try:
        await phone.say(frame)
        await phone.say({"type": "pings", "pings": []})
        while (await phone.hear())["type"] != "ack":
            pass
        await phone.say({"type": "sharing", "id": "again", "on": True})
    except websockets.ConnectionClosed:
        return phone.socket.close_code
    return None


async def test_odd_texts_in_every_field_of_a_phone(
    here: Web, world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    visit, codes = await world.appointment(), set[int | None]()
    for odd in [*ODD, None]:

        def with_odd(frame: dict[str, Any], field: str, odd: str | None = odd) -> str:
            text = json.dumps(frame | {field: "ODD"})
            return text.replace('"ODD"', LONE if odd is None else json.dumps(odd))

        step = {"type": "step", "id": "c", "appointment": visit, "step": "not_done", "from": "scheduled", "at": NOW.isoformat()}
        sharing = {"type": "sharing", "id": "s", "on": False}
        said = [with_odd(step, field) for field in ("id", "appointment", "reason", "step", "from", "at")]
        said += [with_odd(sharing, field) for field in ("id", "reason")]
        said += [with_odd({"type": "pings", "pings": [fix(1)]}, "sent")]
        for frame in said:
            async with PhoneClient.known(here) as phone:
                codes.add(await exchanged(phone, frame))
        for field in ("token", "boot", "device"):
            async with PhoneClient.at(here) as phone:
                hello = {"type": "hello", "token": TOKEN, "boot": "b", "first": 1}
                codes.add(await exchanged(phone, with_odd(hello, field)))
    assert codes <= {None, 1008, 4401}
    assert errors(caplog, capsys) == ""


async def test_odd_names_of_a_browser(here: Web, world: World, db: Database, caplog: pytest.LogCaptureFixture) -> None:
    hashed = await here.house.passwords.hashed("a good password")
    async with db.transaction() as tx:
        await people.set_password(tx, world.technician.id, hashed)
    signed = await accounts.sign_in(here.house, "maya@example.org", "a good password", address="::1", user_agent="odd")
    headers = {"Cookie": f"tt={signed.token}"}
    for odd in ODD:
        async with PhoneClient.at(here, origin=here.origin, additional_headers=headers) as phone:
            await phone.say({"type": "hello", "boot": odd, "first": 1, "device": odd})
            try:
                assert (await phone.hear())["type"] in {"welcome", "error"}
            except websockets.ConnectionClosed:
                assert phone.socket.close_code == 1008
    async with db.reading() as tx:
        assert len(await technicians.devices_of(tx, world.maya)) <= 1 + len(ODD)
    assert [line.message for line in caplog.records if line.levelname == "ERROR"] == []


def watch_of(dice: random.Random, visit: str) -> str:
    """A first frame, or one after it, that is broken somewhere."""
    odd: list[Any] = [None, True, -1, 2**63, 1e308, "", "\x00", "x" * 5_000, [], {}, [1, 2, 3, 4], ["a"] * 4, "\ud800", visit]
    frame: dict[str, Any] = {"type": "watch", "appointment": visit, "epoch": "e", "offset": 3, "short": True}
    if dice.random() < 0.3:
        frame = {"type": "watch", "board": True, "bbox": [0, 0, 1, 1]}
    for _ in range(dice.randrange(3)):
        frame[dice.choice(list(frame))] = dice.choice(odd)
    text = json.dumps(frame)
    if dice.random() < 0.3:
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice(['"', "{", "\\", "\x00", "é", "NaN", "1e999", "\\ud800"]) + text[at + dice.randrange(3) :]
    return text


async def watch_nonsense(here: Web, world: World, count: int, seed: int) -> None:
    visit, dice, codes = await world.appointment(), random.Random(seed), set[int | None]()
    ear = Ear("live")
    for number in range(count):
        person = world.dispatcher if number % 2 else world.customer
        async with watching(here, person, ear, raw=watch_of(dice, visit)) as page:
            for _ in range(dice.randrange(3)):
                try:
                    seen = json.dumps({"type": "seen", "offset": number})
                    await page.socket.send(watch_of(dice, visit) if dice.random() < 0.5 else seen)
                except websockets.ConnectionClosed:
                    break
        codes.add(page.socket.close_code)
    print(f"{count} sockets: {codes}")
    assert codes <= {1000, 1008, 1009, 4403, 4408}
    async with watching(here, world.customer, ear, appointment=visit) as page:
        await page.until("snapshot")


async def test_nonsense_of_viewers_with_a_session_breaks_nothing(
    here: Web, world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    await watch_nonsense(here, world, 60, seed=1)
    assert errors(caplog, capsys) == ""


@pytest.mark.faults
async def test_f14_ten_thousand_nonsense_viewers(
    here: Web, world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    await watch_nonsense(here, world, 3_000, seed=2)
    assert errors(caplog, capsys) == ""
