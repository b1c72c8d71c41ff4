"""docs/asyncapi.yaml is what is said: made from the types, complete, and every real frame of the service fits its schema."""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import websockets
import yaml

from simulator.phones.frames import ping_of, text_of
from simulator.tracks import Fix
from tests.phones.clients import PhoneClient, Web, fix, give_token, web
from tests.web.asyncapi import PAGE, page
from tests.world import NOW, PLACE, Clock, World
from tracker.actions.people.accounts import hashed
from tracker.actions.trip import endings
from tracker.domain.geo import moved
from tracker.domain.ways import Basis, StoredRoute
from tracker.domain.wire import own
from tracker.live import channels, tending
from tracker.records import sessions
from tracker.records.database import Database, new_id
from tracker.records.people import Person
from tracker.records.sessions import Session
from tracker.web.asyncapi import CHANNELS, Message
from tracker.web.live import Said

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load(PAGE.read_text())
HEARD = {channel.name: channel.heard for channel in CHANNELS}
SAID = {channel.name: channel.said for channel in CHANNELS}
EVERY = [message for channel in CHANNELS for message in (*channel.heard, *channel.said)]


def validator(message: Message) -> Any:
    """The schema of one message as it stands in the file, with everything it refers to."""
    payload = DOCUMENT["components"]["messages"][message.name]["payload"]
    return jsonschema_rs.validator_for(payload | {"components": DOCUMENT["components"]}, validate_formats=True)


def fits(message: Message, frame: Any) -> bool:
    return bool(validator(message).is_valid(frame))


def examples(message: Message) -> list[Any]:
    return [each["payload"] for each in DOCUMENT["components"]["messages"][message.name]["examples"]]


# -- the document ------------------------------------------------------------------------------------------------------


def test_the_document_is_what_the_types_say() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.web.asyncapi`"


def test_every_reference_leads_somewhere() -> None:
    def follow(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                found: Any = DOCUMENT
                for part in node["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            for below in node.values():
                follow(below)
        elif isinstance(node, list):
            for below in node:
                follow(below)

    follow(DOCUMENT)
    assert DOCUMENT["asyncapi"] == "3.0.0"
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert all(each["$ref"].startswith(f"{channel}/messages/") for each in operation["messages"])


def test_every_word_the_code_says_or_hears_is_described() -> None:
    """Whatever stands in the sources as the type of a frame; a new one without a description fails here."""
    files = (
        "domain/wire/own.py",
        "web/conversation.py",
        "web/handset.py",
        "web/live.py",
        "live/frames.py",
        "live/staff.py",
        "actions/trip/views.py",
    )
    source = "\n".join((ROOT / "tracker" / name).read_text() for name in files)
    words = set(re.findall(r'"type": ?"(\w+)"|tag="(\w+)"|said\.type != "(\w+)"|kind = b"(\w+)" if|else b"(\w+)"', source))
    assert {next(filter(None, found)) for found in words} == {message.word for message in EVERY} - {None}


def test_every_close_code_is_described() -> None:
    files = {
        "technician": ("web/conversation.py", "web/handset.py"),
        "live": ("web/live.py", "live/tending.py", "live/looking.py", "live/channels.py"),
    }
    for name, sources in files.items():
        source = "\n".join((ROOT / "tracker" / each).read_text() for each in sources)
        used = set(re.findall(r"\b(10(?:03|08|09|11|12|13)|44\d\d)\b", source))
        told = set(DOCUMENT["channels"][name]["x-close-codes"])
        assert used - {"4429"} <= told
        assert "4429" in told


# -- its examples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.name)
def test_every_example_is_read_and_written_by_the_code(message: Message) -> None:
    for example in examples(message):
        assert fits(message, example)
        read = msgspec.convert(example, message.kind, strict=True)
        assert msgspec.json.decode(msgspec.json.encode(read), type=message.kind) == read
        text = json.dumps(example)
        if message in HEARD["technician"]:
            assert own.read(text) == read
        elif message in HEARD["live"]:
            said = msgspec.json.decode(text, type=Said)
            assert {name: getattr(said, name) for name in example} == example | _box(example)


def _box(example: dict[str, Any]) -> dict[str, Any]:
    return {"bbox": tuple(example["bbox"])} if "bbox" in example else {}


def test_viewers_are_asked_for_nothing_that_is_not_described() -> None:
    described = {name for message in HEARD["live"] for name in message.kind.__struct_fields__}  # type: ignore[attr-defined]
    assert set(Said.__struct_fields__) == described | {"type"}


def test_what_the_simulators_phones_write_fits() -> None:
    ping = ping_of(3, Fix(NOW, 60.1, 24.9, acc=5.0))
    said = {
        "hello": {"type": "hello", "token": "t", "boot": "b", "first": 1, "device": "simulator"},
        "pings": {"type": "pings", "sent": text_of(NOW), "pings": [ping]},
    }
    for message in HEARD["technician"]:
        assert fits(message, said.get(message.name, examples(message)[0]))


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("hello", {"type": "hello", "first": 1}),
        ("pings", {"type": "pings", "pings": [{"seq": -1, "at": "2026-11-22T09:00:00Z", "lat": 1, "lon": 1}]}),
        (
            "step",
            {"type": "step", "id": "x", "appointment": "a", "step": "fly", "from": "scheduled", "at": "2026-11-22T09:00:00Z"},
        ),
        ("update", {"type": "update", "now": "2026-11-22T09:00:00Z", "offset": 1, "position": None, "eta": None}),
        ("snapshot", {"type": "snapshot"}),
        ("shortUpdate", [1, 2]),
        ("state", {"type": "state", "now": "x", "offset": 1, "state": "lost", "at": "2026-11-22T09:00:00Z"}),
    ],
)
def test_what_is_wrong_does_not_fit(name: str, frame: Any) -> None:
    assert not fits(next(message for message in EVERY if message.name == name), frame)


# -- real frames -------------------------------------------------------------------------------------------------------


class Ear:
    """Everything one side was told, each frame matched with the one message of its channel that it is."""

    def __init__(self, channel: str) -> None:
        self.told: dict[str, list[Any]] = {message.name: [] for message in SAID[channel]}
        self._messages = [(message, validator(message)) for message in SAID[channel]]

    def hear(self, text: str | bytes) -> Any:
        frame = json.loads(text)
        matching = [message for message, schema in self._messages if schema.is_valid(frame)]
        assert len(matching) == 1, f"{[each.name for each in matching]} fit {frame}"
        msgspec.convert(frame, matching[0].kind, strict=True)  # forbids what is not described
        self.told[matching[0].name].append(frame)
        return frame


class Page:
    """A viewer that reads what comes and answers `seen`."""

    def __init__(self, socket: websockets.ClientConnection, ear: Ear) -> None:
        self.socket, self.ear = socket, ear
        self.news = asyncio.Event()

    async def read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in self.socket:
                frame = self.ear.hear(text)
                if isinstance(frame, list) or frame["type"] == "update":
                    offset = frame[0] if isinstance(frame, list) else frame["offset"]
                    await self.socket.send(json.dumps({"type": "seen", "offset": offset}))
                self.news.set()

    async def until(self, name: str) -> None:
        """Wait until a frame of that kind was told."""
        async with asyncio.timeout(60):
            while not self.ear.told[name]:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The frames are the same on both."""
    return sqlite_url


@asynccontextmanager
async def watching(here: Web, person: Person, ear: Ear, raw: str | None = None, **watch: Any) -> AsyncIterator[Page]:
    """A page of this person; ``raw``: what it says instead of a proper `watch`."""
    now, token = here.house.clock(), new_id()
    row = Session(
        id=new_id(), person_id=person.id, user_agent=None, created_at=now, seen_at=now, expires_at=now + timedelta(days=1)
    )
    async with here.house.db.transaction() as tx:
        await sessions.add(tx, row, hashed(token))
    address = here.address.replace("/ws/technician", "/ws/live")
    headers, origin = {"Cookie": f"tt={token}"}, websockets.Origin(here.origin)
    async with websockets.connect(address, origin=origin, additional_headers=headers, compression=None) as socket:
        await socket.send(raw if raw is not None else json.dumps({"type": "watch", **watch}))
        page = Page(socket, ear)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(page.read())
            yield page
            reading.cancel()


async def test_every_frame_of_a_trip_fits_the_description(
    db: Database, world: World, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day with everything in it, heard by a phone, two pages and a board: each kind of frame comes, and each fits."""
    monkeypatch.setattr(channels, "TICK_S", 0.1)
    monkeypatch.setattr(tending, "BEAT_S", 0.3)
    await give_token(db, world.phone)
    clock, visit = Clock(), await world.appointment()
    phone_ear, *ears = Ear("technician"), Ear("live"), Ear("live"), Ear("live")
    async with (
        web(db, redis_url, tmp_path, clock) as here,
        PhoneClient.at(here) as phone,
        watching(here, world.customer, ears[0], appointment=visit) as page,
        watching(here, world.customer, ears[1], appointment=visit, short=True) as short,
        watching(here, world.dispatcher, ears[2], board=True) as board,
    ):

        async def ask(frame: dict[str, Any]) -> Any:
            await phone.say(frame)
            return phone_ear.hear(await phone.socket.recv())

        async def step(name: str, seen: str) -> None:
            said = {"id": f"c-{name}", "appointment": visit, "step": name, "from": seen, "at": clock().isoformat()}
            await ask({"type": "step", **said})

        async def drive(seq: int) -> None:
            clock.move(seconds=2)
            await ask({"type": "pings", "sent": clock().isoformat(), "pings": [fix(seq, 2.0 * seq)]})

        await ask({"type": "hello", "boot": "b", "first": 1, "token": "t0ken-of-mayas-phone"})
        for each, name in ((page, "snapshot"), (short, "snapshot"), (board, "boardSnapshot")):
            await each.until(name)
        await step("start_travel", "scheduled")
        phone_ear.hear(await phone.socket.recv())  # the policy that follows
        await drive(1)
        gate = await here.house.positions.gate(world.maya)
        assert gate is not None
        assert gate.leg is not None
        route = StoredRoute.of(1, [PLACE, moved(PLACE, 90, 3_000)], [0, 300], PLACE, Basis.ROAD)
        assert await here.house.positions.store_route(world.maya, visit, gate.leg, route)
        async with asyncio.timeout(60):
            for seq in count(2):  # a look that is under way may say what an update would have said
                await drive(seq)
                if ears[0].told["update"] and ears[1].told["shortUpdate"] and ears[2].told["boardUpdate"] and seq > 4:
                    break
                await asyncio.sleep(0.1)
        await ask({"type": "pings", "pings": [fix(seq + 20, 2.0 * seq + 30), fix(seq + 21, 15, lat=66.0)]})
        worker = endings.Watch(here.house)
        for nth in (30, 31):  # she stands at the door
            clock.move(seconds=200 if nth == 30 else 40)
            at = (clock() - NOW).total_seconds()
            await ask({"type": "pings", "pings": [fix(seq + nth, at, lat=PLACE.lat, lon=PLACE.lon, speed=0.0)]})
            await worker.turn()
        phone_ear.hear(await phone.socket.recv())  # what is suggested
        await step("arrive", "traveling")
        phone_ear.hear(await phone.socket.recv())
        await step("complete", "in_progress")
        await step("complete", "in_progress")  # again with its id: the same answer
        await ask({"type": "step", "id": "z", "appointment": visit, "step": "arrive", "from": "traveling", "at": NOW.isoformat()})
        for each in (page, short):
            await each.until("ended")
        await page.until("beat")
    told = Counter({name: 0 for channel in SAID for name in Ear(channel).told})
    for ear in (phone_ear, *ears):
        told.update({name: len(frames) for name, frames in ear.told.items()})
    print(dict(told))
    assert all(told.values())
    assert any((frame["eta"] or {}).get("basis") == "road" for kind in ("update", "snapshot") for frame in ears[0].told[kind])
