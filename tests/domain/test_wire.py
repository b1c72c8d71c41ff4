"""Every stock phone's own payloads, as their sources write them, become the same pings in SI units."""

import json
import tracemalloc
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.secret import SecretBox

from tracker.domain.wire import App, Reading, monitoring_command, read

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def post(payload: object, **more: Any) -> Reading:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return read(body, now=NOW, **more)


# -- OwnTracks (payload: owntracks/android ParserTest.kt; keys of the iOS app beside it) -------------------------------

OWNTRACKS = (
    b'{"_type":"location","BSSID":"00:13:10:85:fe:01","SSID":"AndroidWifi","acc":5,"alt":50,"batt":100,"bs":0,"conn":"w",'
    b'"created_at":1709037052,"lat":51.0,"lon":0.5,"m":1,"randomId":9302,"tid":"aa","tst":1709037003,"vac":0,"vel":36,"cog":271}'
)


def test_owntracks_counts_in_kilometres_per_hour_and_per_cent() -> None:
    reading = post(OWNTRACKS)
    (ping,) = reading.pings
    assert (reading.app, reading.answer, reading.answer_type) == (App.OWNTRACKS, b"[]", "application/json")
    assert ping.at == utc("2024-02-27T12:30:03+00:00")
    assert (ping.lat, ping.lon, ping.acc, ping.course, ping.battery) == (51.0, 0.5, 5, 271, 1.0)
    assert ping.speed == pytest.approx(10.0)
    assert reading.written == utc("2024-02-27T12:30:52+00:00")


def test_an_owntracks_ping_is_a_sign_of_life_and_not_a_fix() -> None:
    message = {"_type": "location", "t": "p", "lat": 51, "lon": 0.5, "tst": 1709037003, "batt": 41, "tid": "aa"}
    reading = post(message)
    assert (reading.pings, reading.alive, reading.battery, reading.answer) == ((), True, 0.41, b"[]")


@pytest.mark.parametrize(
    "kind", ["transition", "status", "waypoint", "waypoints", "card", "cmd", "steps", "beacon", "new", 7, None, [], {}]
)
def test_other_owntracks_messages_are_acknowledged(kind: object) -> None:
    reading = post({"_type": kind, "lat": 51, "lon": 0.5, "tst": 1709037003})
    assert (reading.pings, reading.alive, reading.answer) == ((), True, b"[]")


def test_a_last_will_is_no_sign_of_life() -> None:
    assert not post({"_type": "lwt", "tst": 1709037003}).alive


def test_owntracks_unknown_speed_and_course_stay_unknown() -> None:
    (ping,) = post({"_type": "location", "lat": 1, "lon": 2, "tst": 1709037003, "tid": "x", "vel": -1, "cog": -1, "acc": 0}).pings
    assert (ping.speed, ping.course, ping.acc, ping.battery) == (None, None, None, None)


def test_owntracks_encrypted() -> None:
    sealed = SecretBox(b"s3cret".ljust(32, b"\0")).encrypt(OWNTRACKS)
    message = {"_type": "encrypted", "data": b64encode(bytes(sealed)).decode()}
    assert post(message, passphrase="s3cret").pings == post(OWNTRACKS).pings
    for passphrase in ("other", "", None):
        reading = post(message, passphrase=passphrase)
        assert (reading.pings, reading.answer, reading.unusable) == ((), b"[]", Counter(undecryptable=1))


def test_an_encrypted_message_may_not_hold_another() -> None:
    box = SecretBox(b"k".ljust(32, b"\0"))
    inner = {"_type": "encrypted", "data": b64encode(bytes(box.encrypt(OWNTRACKS))).decode()}
    outer = {"_type": "encrypted", "data": b64encode(bytes(box.encrypt(json.dumps(inner).encode()))).decode()}
    assert post(outer, passphrase="k").unusable == Counter(undecryptable=1)


def test_an_owntracks_queue_in_one_array() -> None:
    reading = post(b"[" + OWNTRACKS + b',{"_type":"lwt"},' + OWNTRACKS + b",7]")
    assert (len(reading.pings), reading.answer, reading.unusable) == (2, b"[]", Counter(malformed=1))


def test_the_command_that_sets_the_mode() -> None:
    (command,) = json.loads(monitoring_command(2))
    assert command == {
        "_type": "cmd",
        "action": "setConfiguration",
        "configuration": {"_type": "configuration", "monitoring": 2},
    }


# -- Overland (README.md and GLManager.m of Overland-iOS) --------------------------------------------------------------


def feature(timestamp: str = "2015-10-01T08:00:00-0700", lat: float = 37.3318, **properties: object) -> dict[str, object]:
    """A feature as the README shows it."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-122.030581, lat]},
        "properties": {
            "timestamp": timestamp,
            "altitude": 0,
            "speed": 4,
            "horizontal_accuracy": 30,
            "vertical_accuracy": -1,
            "motion": ["driving", "stationary"],
            "pauses": False,
            "activity": "other_navigation",
            "desired_accuracy": 100,
            "deferred": 1000,
            "significant_change": "disabled",
            "locations_in_payload": 1,
            "battery_state": "charging",
            "battery_level": 0.89,
            "device_id": "",
            "wifi": "",
            **properties,
        },
    }


def test_overland_counts_in_metres_per_second_and_writes_lon_first() -> None:
    reading = post({"locations": [feature(course=-1)]})
    (ping,) = reading.pings
    assert (reading.app, json.loads(reading.answer)) == (App.OVERLAND, {"result": "ok"})
    assert ping.at == utc("2015-10-01T15:00:00+00:00")
    assert (ping.lat, ping.lon, ping.speed, ping.acc) == (37.3318, -122.030581, 4, 30)
    assert (ping.course, ping.battery) == (None, 0.89)


def test_overland_keeps_nothing_that_is_not_a_fix_but_acknowledges_it() -> None:
    visit = feature(action="visit", arrival_date=None)
    trip = feature(type="trip", mode="car")
    nowhere = {"type": "Feature", "properties": {"timestamp": "2015-10-01T08:00:00Z", "battery_level": -1}}
    timeless = feature(timestamp="yesterday")
    reading = post({"locations": [visit, trip, nowhere, timeless, None, 7, feature()], "trip": {"mode": "car"}})
    assert len(reading.pings) == 1
    assert json.loads(reading.answer) == {"result": "ok"}
    assert reading.unusable == Counter(not_a_fix=2, no_place=1, no_time=1, malformed=2)


def test_overlands_current_place_comes_before_the_history() -> None:
    current = feature("2015-10-01T09:00:00-0700", lat=37.4)
    reading = post({"locations": [feature(), feature("2015-10-01T08:00:05-0700")], "current": current})
    assert [ping.lat for ping in reading.pings] == [37.4, 37.3318, 37.3318]


def test_an_empty_overland_batch() -> None:
    assert json.loads(post({"locations": []}).answer) == {"result": "ok"}


def test_a_thousand_points_in_one_batch() -> None:
    assert len(post({"locations": [feature()] * 1000}).pings) == 1000


def test_gpslogger_as_dawarich_counts_its_battery_in_per_cent() -> None:
    batch = {"locations": [feature(battery_level=71), feature(battery_level=1)]}
    assert [ping.battery for ping in post(batch).pings] == [0.71, 0.01]
    assert [ping.battery for ping in post({"locations": [feature(battery_level=1)]}).pings] == [1.0]


@pytest.mark.parametrize("version", [{"tst": 465_404_400}, {"tst": 1443711600.25, "topic": "owntracks/phone"}])
def test_overland_imitating_owntracks(version: dict[str, object]) -> None:
    reading = post({"_type": "location", "lat": 37.3318, "lon": -122.03, "acc": 30, "batt": -100, **version})
    (ping,) = reading.pings
    assert json.loads(reading.answer) == {"result": "ok"}
    assert abs((ping.at - utc("2015-10-01T15:00:00+00:00")).total_seconds()) < 1
    assert ping.battery is None


def test_an_old_date_of_the_real_owntracks_is_left_alone() -> None:
    (ping,) = post({"_type": "location", "lat": 1, "lon": 2, "tst": 465_404_400, "tid": "aa"}).pings
    assert ping.at.year == 1984


# -- Traccar 9 (payloads: traccar OsmAndProtocolDecoderTest.java) ------------------------------------------------------

TRACCAR_9 = (
    b'{"location":{"event":"motionchange","is_moving":false,"uuid":"0e9a2473-a9a7-4c00-997b-fb97d2154e75",'
    b'"timestamp":"2021-07-21T08:06:34.444Z","odometer":0,"coords":{"latitude":-6.1148096,"longitude":106.6837015,'
    b'"accuracy":3.8,"speed":18.67,"speed_accuracy":0.26,"heading":63,"heading_accuracy":0.28,"altitude":35.7,'
    b'"altitude_accuracy":3.8},"activity":{"type":"still","confidence":100},"battery":{"is_charging":false,"level":0.79},'
    b'"extras":{}},"device_id":"8737767034"}'
)


def test_traccar_9_counts_in_metres_per_second() -> None:
    reading = post(TRACCAR_9)
    (ping,) = reading.pings
    assert reading.app is App.TRACCAR_9
    assert ping.at == utc("2021-07-21T08:06:34.444+00:00")
    assert (ping.lat, ping.lon, ping.acc) == (-6.1148096, 106.6837015, 3.8)
    assert (ping.speed, ping.course, ping.battery) == (18.67, 63, 0.79)


def test_traccar_9_says_minus_one_for_unknown() -> None:
    coords = {"speed": -1, "longitude": -122.406417, "floor": None, "latitude": 37.785834, "accuracy": 5, "heading": -1}
    location = {"mock": True, "coords": coords, "age": 188, "battery": {"level": -1}, "timestamp": "2025-05-09T04:11:30.579Z"}
    (ping,) = post({"location": location, "device_id": "658765"}).pings
    assert (ping.speed, ping.course, ping.battery, ping.acc) == (None, None, None, 5)


@pytest.mark.parametrize(
    "location", [{"event": "heartbeat", "battery": {"level": 0.5}}, {"battery": {"level": 0.5}, "coords": None}]
)
def test_traccar_9_without_a_place_is_a_heartbeat(location: object) -> None:
    reading = post({"location": location, "device_id": "1"})
    assert (reading.pings, reading.alive, reading.battery, reading.unusable) == ((), True, 0.5, Counter())


def test_traccar_9_in_batches() -> None:
    location = json.loads(TRACCAR_9)["location"]
    reading = post({"location": [location, "x", {"coords": {"latitude": 1}}, {"coords": location["coords"]}]})
    assert len(reading.pings) == 1
    assert reading.unusable == Counter(malformed=1, no_place=1, no_time=1)


# -- the OsmAnd form: Traccar ≤ 8 and 10, GPSLogger --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "at"),
    [
        (
            "id=902064&lat=42.06288&lon=-88.23412&timestamp=2016-01-27T18%3A55%3A47Z&hdop=6.0&speed=0.0",
            "2016-01-27T18:55:47+00:00",
        ),
        ("id=902064&lat=42.06288&lon=-88.23412&timestamp=1442068686579&hdop=6.0", "2015-09-12T14:38:06.579+00:00"),
        ("lat=42.06288&lon=-88.23412&timestamp=2014-06-04+09%3A10%3A11&id=353861053849681", "2014-06-04T09:10:11+00:00"),
        ("id=123456&timestamp=1377177267&location=42.06288,-88.23412", "2013-08-22T13:14:27+00:00"),
        ("lat=42.06288&lon=-88.23412&deviceid=123456", "2026-11-22T09:00:00+00:00"),
        ("lat=42.06288&lon=-88.23412&time=2016-03-05T21:24:29.949+02:00", "2016-03-05T19:24:29.949+00:00"),
    ],
)
@pytest.mark.parametrize("way", ["GET", "POST query", "POST form", "POST bare"])
def test_the_form_in_every_way_it_is_sent(query: str, at: str, way: str) -> None:
    if way in ("GET", "POST query"):
        reading = read(b"", now=NOW, query=query, method=way[:4].strip())
    else:
        reading = read(query.encode(), now=NOW)
    (ping,) = reading.pings
    assert (ping.at, ping.lat, ping.lon) == (utc(at), 42.06288, -88.23412)


def test_traccar_8_counts_in_knots() -> None:
    """The query as ProtocolFormatter.kt of traccar-client-android writes it."""
    query = "id=123&timestamp=1377177267&lat=60.0&lon=30.0&speed=10.0&bearing=45.0&altitude=0.0&accuracy=0.0&batt=87.0"
    reading = read(b"", now=NOW, query=query, method="POST")
    (ping,) = reading.pings
    assert (reading.app, ping.course, ping.acc, ping.battery) == (App.TRACCAR, 45, None, 0.87)
    assert ping.speed == pytest.approx(5.14444, abs=1e-5)


def test_traccar_10_and_its_heartbeat() -> None:
    """The form as HttpUploader.kt of traccar-client-sdk writes it, with and without a position."""
    form = b"id=tech7&lat=60.1&lon=24.9&timestamp=1763802000&accuracy=4.5&speed=15.55&bearing=181.0&batt=64&charge=false"
    (ping,) = read(form, now=NOW).pings
    assert ping.speed == pytest.approx(8.0, abs=0.003)
    assert (ping.acc, ping.course, ping.battery) == (4.5, 181, 0.64)
    reading = read(b"id=tech7&timestamp=1763802000&batt=64&charge=true", now=NOW)
    assert (reading.app, reading.pings, reading.alive, reading.battery) == (App.TRACCAR, (), True, 0.64)
    assert reading.unusable == Counter()


def test_the_traccar_sdk_array() -> None:
    item = {"id": "tech7", "lat": 60.1, "lon": 24.9, "timestamp": 1763802000, "speed": 15.55, "batt": 64, "charge": False}
    heartbeat = {"id": "tech7", "timestamp": 1763802060, "batt": 63}
    reading = post([item, heartbeat, 5])
    (ping,) = reading.pings
    assert (reading.app, ping.battery, reading.battery, reading.unusable) == (App.TRACCAR_SDK, 0.64, 0.63, Counter(malformed=1))
    assert ping.speed == pytest.approx(8.0, abs=0.003)


def test_gpslogger_counts_in_metres_per_second() -> None:
    query = "lat=12.193&lon=19.456&timestamp=1457205869&acc=9.0&spd=8.5&dir=27.0&alt=45.0&batt=71.0"
    reading = read(b"", now=NOW, query=query, method="GET")
    (ping,) = reading.pings
    assert (reading.app, ping.speed, ping.course, ping.acc, ping.battery) == (App.GPSLOGGER, 8.5, 27, 9, 0.71)
    (kmh,) = read(b"lat=1&lon=2&spd_kph=36&time=2016-03-05T19:24:29.949Z", now=NOW).pings
    assert kmh.speed == pytest.approx(10.0)


def test_gpslogger_with_a_json_template() -> None:
    (ping,) = post({"lat": "12.193", "lon": "19.456", "timestamp": "1457205869", "spd": "8.5"}).pings
    assert (ping.lat, ping.speed) == (12.193, 8.5)


def test_a_push_token_without_position_is_fine() -> None:
    reading = read(b"id=7&notificationToken=abc", now=NOW)
    assert (reading.pings, reading.alive, reading.unusable) == ((), True, Counter())


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("lat=x&lon=5", "no_place"),
        ("lat=nan&lon=5", "no_place"),
        ("lat=1&lon=2&timestamp=soon", "no_time"),
        ("lat=1&lon=2&valid=0", "not_valid"),
    ],
)
def test_what_a_form_cannot_mean(query: str, reason: str) -> None:
    reading = read(query.encode(), now=NOW)
    assert (reading.pings, reading.unusable) == ((), Counter({reason: 1}))


# -- nothing, and nonsense ---------------------------------------------------------------------------------------------


def test_nothing_is_answered_by_an_empty_list() -> None:
    reading = read(b"", now=NOW)
    assert (reading.pings, reading.alive, reading.answer, reading.unusable) == ((), True, b"[]", Counter())
    assert json.loads(read(b"", now=NOW, at_overland=True).answer) == {"result": "ok"}


def test_a_get_without_anything_is_told_the_name() -> None:
    assert json.loads(read(b"", now=NOW, method="GET", name="Acme").answer) == {"name": "Acme"}


NONSENSE = [
    b"{",
    b"[",
    b"null",
    b"7",
    b'"x"',
    b"\x00\xff\xfe",
    b'{"_type":"location","lat":NaN,"lon":1,"tst":1}',
    b'{"_type":"location","lat":1e400,"lon":1,"tst":1}',
    b'{"_type":"location","lat":"\\ud800","lon":1,"tst":1}',
    b'{"_type":"location","lat":true,"lon":1,"tst":1}',
    b'{"_type":"location","lat":1,"lon":1,"tst":' + b"9" * 400 + b"}",
    b'{"_type":"location","lat":1,"lon":1,"tst":1e308}',
    b'{"_type":"location","lat":1,"lon":1,"tst":"0001-01-01T00:00:00+14:00","tid":"a"}',
    b'{"_type":"encrypted","data":"AAAA"}',
    b'{"_type":"encrypted","data":"\xc3\xa9"}',
    b'{"locations":{}}',
    b'{"locations":[' + b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000,
    b'{"location":{"coords":{"latitude":[],"longitude":{}},"battery":[]}}',
    b"[[[]]]",
    b"[1,2,3]",
    b'{"x":"' + b"y" * 1_000_000 + b'"}',
    b"lat=" + b"9" * 100_000 + b"&lon=1",
    b"&".join(b"k%d=1" % n for n in range(1000)),
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:30]))
@pytest.mark.parametrize("at_overland", [False, True])
def test_nonsense_is_counted_and_acknowledged(body: bytes, at_overland: bool) -> None:
    reading = read(body, now=NOW, passphrase="p", at_overland=at_overland)
    assert reading.pings == ()
    assert reading.unusable.total() > 0
    assert reading.answer or reading.app in (App.TRACCAR, App.TRACCAR_9, App.TRACCAR_SDK)


def test_of_doubled_keys_the_last_one_counts() -> None:
    (ping,) = post(b'{"_type":"location","lat":1,"lat":2,"lon":3,"tst":1709037003,"tid":"a"}').pings
    assert ping.lat == 2


KEYS = [
    *("_type", "lat", "lon", "tst", "acc", "vel", "cog", "batt", "t", "created_at", "tid", "topic", "data"),
    *("locations", "current", "geometry", "coordinates", "properties", "timestamp", "speed", "battery_level", "type", "action"),
    *("location", "coords", "latitude", "longitude", "battery", "level", "id", "time", "spd", "valid", "bearing"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["location", "encrypted", "p", "trip", "1e400", "nan", "60.1", "2026-11-22T09:00:00Z", "9999-12-31T23:59:59-12:00"]
    ),
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8), max_leaves=30
)


def check(reading: Reading) -> None:
    for ping in reading.pings:
        assert ping.at.tzinfo is UTC
        for value in (ping.lat, ping.lon, ping.acc, ping.speed, ping.course, ping.battery):
            assert value is None or abs(value) < float("inf")
        assert ping.battery is None or 0 <= ping.battery <= 1
        assert ping.course is None or 0 <= ping.course < 360


@given(DOCUMENTS, st.booleans())
def test_no_document_of_theirs_makes_it_stumble(document: object, at_overland: bool) -> None:
    check(read(json.dumps(document).encode(), now=NOW, passphrase="p", at_overland=at_overland))


@given(st.binary(max_size=300), st.text(max_size=100))
def test_no_bytes_make_it_stumble(body: bytes, query: str) -> None:
    check(read(body, now=NOW, query=query, passphrase="p", at_overland=False))


@given(st.dictionaries(st.sampled_from(KEYS), SCALARS.map(str), max_size=10))
def test_no_form_makes_it_stumble(fields: dict[str, str]) -> None:
    check(read("&".join(f"{key}={value}" for key, value in fields.items()).encode("utf-8", "replace"), now=NOW))


def spoiled(rnd: Random, body: bytes) -> bytes:
    """A payload as a broken phone, a broken network or a spiteful stranger would send it."""
    for _ in range(rnd.randint(1, 4)):
        at = rnd.randrange(len(body) + 1)
        junk = rnd.choice(
            [b"", b"NaN", b"1e400", b"-", b"null", b"[" * 50, b'"', b"\\ud800", b"\x00", b"&lat=", b"%ff", b"{}", b"9" * 30]
        )
        body = body[:at] + junk + body[at + rnd.choice([0, 0, 1, 5, 50]) :]
        body = body * 2 if rnd.random() < 0.02 else body
    return body


def test_f14_ten_thousand_spoiled_payloads() -> None:
    rnd = Random(14)
    whole = [
        OWNTRACKS,
        TRACCAR_9,
        json.dumps({"locations": [feature(), feature(action="visit")], "current": feature()}).encode(),
        b"id=tech7&lat=60.1&lon=24.9&timestamp=1763802000&accuracy=4.5&speed=15.55&bearing=181.0&batt=64",
        b'[{"id":"tech7","lat":60.1,"lon":24.9,"timestamp":1763802000,"speed":15.55,"batt":64}]',
        b'{"_type":"encrypted","data":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}',
    ]
    tracemalloc.start()
    try:
        for _ in range(10_000):
            body = spoiled(rnd, rnd.choice(whole))
            check(read(body, now=NOW, passphrase="p", query=body.decode("latin-1") if rnd.random() < 0.1 else ""))
        assert tracemalloc.get_traced_memory()[0] < 10 * 2**20
    finally:
        tracemalloc.stop()
