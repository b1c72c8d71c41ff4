"""The phones' own words: each app's units, and that the service reads back what the receiver said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest

from simulator.phones import App, Target, make_phone
from simulator.phones.overland import Overland
from simulator.phones.owntracks import OwnTracks
from simulator.phones.socket import SocketPhone
from simulator.phones.stock import Outcome, StockPhone
from simulator.phones.store import Store
from simulator.tracks import Fix
from tests.serving import PLAIN
from tracker.domain.geo import Point, distance_m
from tracker.domain.wire import read

AT = datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC)
FULL = Fix(AT, 60.1699123, 24.9384567, acc=6.4, speed=8.3, course=181.25, battery=0.71, ele=12.0)
BARE = Fix(AT, -33.8688, 151.2093)
STOCK = [app for app in App if app is not App.SOCKET]


def phone(app: App, client: httpx.AsyncClient) -> StockPhone:
    made = make_phone(app, Target("http://tracker.test", "tok-1", "tech7"), client)
    assert isinstance(made, StockPhone)
    return made


@pytest.fixture
async def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=PLAIN)


@pytest.mark.parametrize("fix", [FULL, BARE], ids=["all said", "nothing but the place"])
@pytest.mark.parametrize("app", STOCK)
async def test_the_service_reads_back_what_the_receiver_said(app: App, fix: Fix, client: httpx.AsyncClient) -> None:
    request = phone(app, client).request([fix])
    assert request.url.path == "/i/tok-1"
    reading = read(request.content, now=AT, query=request.url.query.decode(), method=request.method)
    (ping,) = reading.pings
    assert ping.at == fix.at
    assert distance_m(ping.point, fix.point) < 0.02
    assert ping.acc == (None if fix.acc is None else pytest.approx(fix.acc, abs=0.5))
    if fix.speed is not None:  # OwnTracks writes whole km/h
        assert ping.speed == pytest.approx(fix.speed, abs=0.5 / 3.6 if app in (App.OWNTRACKS, App.OWNTRACKS_IOS) else 1e-4)
        assert ping.course == pytest.approx(fix.course, abs=0.5)
        assert ping.battery == pytest.approx(fix.battery, abs=0.006)
    elif app not in (App.TRACCAR8, App.TRACCAR10):  # those write 0 for what they do not know
        assert (ping.speed, ping.course, ping.battery) == (None, None, None)


async def test_units_on_the_wire(client: httpx.AsyncClient) -> None:
    at_50_kmh = replace(FULL, speed=50 / 3.6)

    def sent(app: App) -> httpx.Request:
        return phone(app, client).request([at_50_kmh])

    assert msgspec.json.decode(sent(App.OWNTRACKS).content)["vel"] == 50
    for app in (App.TRACCAR8, App.TRACCAR10):
        fields = parse_qs(sent(app).url.query.decode() or sent(app).content.decode())
        assert float(fields["speed"][0]) == pytest.approx(26.998, abs=0.001)  # knots
        assert fields["batt"] == ["71.0"]
    traccar9 = msgspec.json.decode(sent(App.TRACCAR9).content)["location"]
    assert traccar9["coords"]["speed"] == pytest.approx(13.889, abs=0.001)
    assert traccar9["battery"]["level"] == 0.71
    assert traccar9["timestamp"] == "2026-05-04T12:00:01.000Z"
    (feature,) = msgspec.json.decode(sent(App.OVERLAND).content)["locations"]
    assert feature["geometry"]["coordinates"] == [24.9384567, 60.1699123]
    assert feature["properties"]["speed"] == pytest.approx(13.889, abs=0.001)
    gpslogger = parse_qs(sent(App.GPSLOGGER).url.query.decode())
    assert (gpslogger["spd"], gpslogger["batt"], gpslogger["dir"]) == (["13.889"], ["71"], ["181.25"])


async def test_gpslogger_leaves_unknown_words_empty(client: httpx.AsyncClient) -> None:
    assert b"acc=&spd=&dir=" in phone(App.GPSLOGGER, client).request([BARE]).url.query


async def test_owntracks_can_encrypt(client: httpx.AsyncClient) -> None:
    secret = phone(App.OWNTRACKS, client)
    assert isinstance(secret, OwnTracks)
    secret.passphrase = "open sesame"
    body = secret.request([FULL]).content
    assert b"lat" not in body
    assert len(read(body, now=AT, passphrase="open sesame").pings) == 1
    assert read(body, now=AT, passphrase="close sesame").pings == ()


async def test_overland_adds_the_present_place_only_to_a_backlog(client: httpx.AsyncClient) -> None:
    overland = phone(App.OVERLAND, client)
    assert isinstance(overland, Overland)
    fixes = [replace(FULL, at=AT + timedelta(seconds=i)) for i in range(250)]
    overland.say(*fixes)
    batch = msgspec.json.decode(overland.request(fixes[:200]).content)
    assert len(batch["locations"]) == 200
    assert batch["current"]["properties"]["timestamp"] == "2026-05-04T12:04:10.000Z"
    small = phone(App.OVERLAND, client)
    small.say(*fixes[:10])
    assert "current" not in msgspec.json.decode(small.request(fixes[:10]).content)


@pytest.mark.parametrize(
    ("app", "status", "body", "attempt", "outcome"),
    [
        (App.OWNTRACKS, 200, b"[]", 1, Outcome.TAKEN),
        (App.OWNTRACKS, 200, b"ok", 1, Outcome.RETRY),
        (App.OWNTRACKS, 400, b"[]", 1, Outcome.RETRY),
        (App.OWNTRACKS_IOS, 400, b"[]", 1, Outcome.LOST),
        (App.OWNTRACKS_IOS, 503, b"", 1, Outcome.RETRY),
        (App.TRACCAR8, 200, b"", 1, Outcome.TAKEN),
        (App.TRACCAR8, 400, b"", 99, Outcome.RETRY),
        (App.TRACCAR9, 503, b"", 1, Outcome.RETRY),
        (App.TRACCAR10, 204, b"", 1, Outcome.TAKEN),
        (App.OVERLAND, 200, b'{"result":"ok"}', 1, Outcome.TAKEN),
        (App.OVERLAND, 200, b"[]", 1, Outcome.RETRY),
        (App.OVERLAND, 200, b"<html>", 1, Outcome.RETRY),
        (App.GPSLOGGER, 500, b"", 2, Outcome.RETRY),
        (App.GPSLOGGER, 500, b"", 3, Outcome.LOST),
        (App.GPSLOGGER, 200, b"anything", 1, Outcome.TAKEN),
    ],
)
async def test_each_app_makes_its_own_of_an_answer(
    app: App, status: int, body: bytes, attempt: int, outcome: Outcome, client: httpx.AsyncClient
) -> None:
    assert phone(app, client).judged(httpx.Response(status, content=body), attempt) is outcome


async def test_traccar_8_waits_thirty_seconds_and_others_wait_longer_each_time(client: httpx.AsyncClient) -> None:
    assert 24 <= phone(App.TRACCAR8, client).wait_s(9) <= 36
    waits = [phone(App.TRACCAR10, client).wait_s(attempt) for attempt in (1, 3, 5)]
    assert waits == sorted(waits)
    assert phone(App.TRACCAR10, client).wait_s(99) <= 360


# -- the store of our own phone ----------------------------------------------------------------------------------------


def filled(number: int) -> Store:
    store = Store()
    store.add([replace(FULL, at=AT + timedelta(seconds=i)) for i in range(number)])
    return store


def send(store: Store, most: int = 200) -> list[int]:
    seqs = [seq for seq, _ in store.next(most)]
    for seq in seqs:
        store.on_the_wire(seq, 0.0)
    return seqs


def test_after_an_outage_the_newest_goes_first_then_the_backlog_oldest_first() -> None:
    store = filled(450)
    assert send(store) == [450]
    assert send(store) == list(range(1, 201))
    store.forget(0, [450])
    store.add([FULL])
    assert send(store) == [451]
    assert send(store) == list(range(201, 401))
    assert send(store) == list(range(401, 450))
    assert send(store) == []


def test_a_newest_that_is_acked_early_does_not_turn_the_backlog_round() -> None:
    store = filled(5)
    assert send(store) == [5]
    assert store.forget(0, [5]) == 1
    assert send(store, 2) == [1, 2]
    assert send(store, 2) == [3, 4]


def test_only_acked_pings_are_forgotten_and_first_is_the_oldest_held() -> None:
    store = filled(6)
    assert store.forget(2, [5, 2, 99, 5]) == 3  # a number said twice is one ping
    assert list(store.held) == [3, 4, 6]
    assert store.first == 3
    assert store.forget(6, []) == 3
    assert store.first == 7
    assert store.forget(6, [4]) == 0


def test_what_was_under_way_goes_out_again_on_the_next_connection() -> None:
    store = filled(3)
    assert send(store) == [3]
    assert send(store) == [1, 2]
    store.connection_lost()
    assert send(store) == [3]
    assert not store.on_the_wire(3, 1.0)  # not the first time


def test_an_unanswered_ping_is_sent_again() -> None:
    store = filled(1)
    store.on_the_wire(1, 10.0)
    store.overdue(9.0)
    assert send(store) == []
    store.overdue(11.0)
    assert send(store) == [1]


def test_places_keep_seven_digits() -> None:
    assert distance_m(Point(60.1699123, 24.9384567), Point(60.1699124, 24.9384567)) < 0.02


def test_a_phone_started_again_is_not_taken_for_its_former_self() -> None:
    first, second = (SocketPhone(Target("http://tracker.test", "tok-1", "tech7"), seed=1) for _ in range(2))
    assert first.boot != second.boot
