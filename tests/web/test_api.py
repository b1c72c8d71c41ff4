"""The JSON doors over real HTTP: whose appointments, steps with versions and keys, sessions that end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from tests.serving import PLAIN, config_for, free_socket, serving
from tests.world import NOW, World
from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.app import create_app
from tracker.domain.appointments import State
from tracker.domain.misfits import misfit
from tracker.records import customers, events, people, technicians
from tracker.records.schema import appointments
from tracker.web.answers import StepBody

PASSWORD = "correct horse"
PHONE = "the token of Maya's other phone"


@dataclass
class Site:
    """A served application and its people."""

    url: str
    own: dict[str, str]
    house: House
    world: World

    @asynccontextmanager
    async def signed_in(self, email: str) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.url, headers=self.own, timeout=20, verify=PLAIN) as client:
            answer = await client.post("/api/v1/sessions", json={"email": email, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            yield client

    def phone(self, token: str = PHONE) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=20, verify=PLAIN)


@pytest.fixture
async def site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    async with house.db.transaction() as tx:
        password = await house.passwords.hashed(PASSWORD)
        for person in (world.customer, world.stranger, world.dispatcher, world.technician, world.colleague):
            await people.set_password(tx, person.id, password)
        await technicians.add_device(tx, world.maya, "other", NOW, token_hash=accounts.hashed(PHONE))
    bound = free_socket()
    app: Starlette = create_app(house, config_for(bound, tmp_path))
    async with serving(app, bound) as client:
        yield Site(str(client.base_url).rstrip("/"), dict(client.headers), house, world)


def codes(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_each_sees_their_own_appointments_and_a_foreign_one_is_not_there(site: Site) -> None:
    mine, onnis = await site.world.appointment(), await site.world.appointment(site.world.onni)
    expected = {
        "anna@example.org": {mine, onnis},
        "eve@example.org": set(),
        "maya@example.org": {mine},
        "onni@example.org": {onnis},
        "desk@example.org": {mine, onnis},
    }
    for email, ids in expected.items():
        async with site.signed_in(email) as client:
            listed = (await client.get("/api/v1/appointments")).json()["appointments"]
            assert {each["id"] for each in listed} == ids, email
            for each in (mine, onnis):
                answer = await client.get(f"/api/v1/appointments/{each}")
                assert answer.status_code == (200 if each in ids else 404)
            foreign, missing = await client.get(f"/api/v1/appointments/{onnis}"), await client.get("/api/v1/appointments/0")
            if onnis not in ids:
                assert foreign.content == missing.content  # not theirs and not there look alike
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as nobody:
        assert codes(await nobody.get(f"/api/v1/appointments/{mine}")) == (401, "not_signed_in")


async def test_a_customer_learns_nothing_of_the_inside(site: Site) -> None:
    visit = await site.world.appointment()
    async with site.signed_in("anna@example.org") as client:
        seen = (await client.get(f"/api/v1/appointments/{visit}")).json()
    assert seen["state"] == "scheduled"
    assert seen["arrival_at"] == "2026-11-24T12:02:00Z"
    assert seen["place"] == {"lat": 60.1699, "lon": 24.9384}
    assert not {"technician_id", "account_id", "outcome", "contact_id"} & seen.keys()


async def test_a_step_is_taken_once_for_one_key(site: Site) -> None:
    visit = await site.world.appointment()
    steps, key = f"/api/v1/appointments/{visit}/steps", {"Idempotency-Key": "k-1"}
    async with site.signed_in("maya@example.org") as client:
        first = await client.post(steps, json={"step": "start_travel", "from": "scheduled"}, headers=key)
        again = await client.post(steps, json={"step": "start_travel", "from": "scheduled"}, headers=key)
        assert (first.status_code, first.json()["state"]) == (200, "traveling")
        assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, first.headers["etag"])
        other = await client.post(steps, json={"step": "arrive"}, headers=key)
        assert other.status_code == 422
        assert codes(await client.post(steps, json={"step": "start_travel"})) == (409, "step_not_possible")
    async with site.signed_in("desk@example.org") as desk:  # another person's key of the same name
        assert (await desk.post(steps, json={"step": "arrive"}, headers=key)).json()["state"] == "in_progress"
    async with site.house.db.reading() as tx:
        assert [event.kind for event in await events.of_appointment(tx, visit)] == ["traveling", "in_progress"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-24T14:01:30+02:00"])
async def test_when_a_step_was_pressed_is_believed_within_reason(site: Site, at: str) -> None:
    visit = await site.world.appointment()
    async with site.signed_in("maya@example.org") as client:
        for step in ("start_travel", "arrive"):
            body, key = {"step": step, "at": at}, {"Idempotency-Key": step}
            taken = await client.post(f"/api/v1/appointments/{visit}/steps", json=body, headers=key)
            assert taken.status_code == 200, taken.text
    assert NOW - timedelta(hours=2) <= datetime.fromisoformat(taken.json()["started_at"]) <= NOW


async def test_a_change_of_an_older_version_is_refused(site: Site) -> None:
    visit = await site.world.appointment()
    one, steps = f"/api/v1/appointments/{visit}", f"/api/v1/appointments/{visit}/steps"
    async with site.signed_in("desk@example.org") as client:
        read = await client.get(one)
        tag = read.headers["etag"]
        assert (await client.get(one, headers={"If-None-Match": tag})).status_code == 304
        taken = await client.post(steps, json={"step": "start_travel"}, headers={"If-Match": tag})
        assert taken.status_code == 200
        assert taken.headers["etag"] != tag
        for stale in (tag, "W/" + tag, '"x"', "7"):
            answer = await client.post(steps, json={"step": "arrive"}, headers={"If-Match": stale})
            assert codes(answer) == (412, "version_mismatch")
        answer = await client.post(steps, json={"step": "arrive"}, headers={"If-Match": taken.headers["etag"]})
        assert answer.json()["state"] == "in_progress"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"step":"fly"}', "“step” cannot be “fly”. It can be: arrive, cancel, complete, not_done, start_travel, undo."),
        (
            b'{"step":"arrive","from":"x"}',
            f"“from” cannot be “x”. It can be: {', '.join(sorted(State))}.",
        ),
        (b"{}", "The field “step” is missing."),
        (b'{"step":"arrive","at":"noon"}', "“at” must be a time with its offset, as 2026-11-24T12:00:00Z."),
        (b'{"step":"arrive","reason":7}', "“reason” must be a text or null, not a whole number."),
        (b'{"step":"arrive","reason":"%s"}' % (b"x" * 1001), "“reason” must have at most 1000 characters."),
        (
            b'{"step":"arrive","x":1}',
            "There is no field “x” here. Leave it out, or write its name as the description does.",
        ),
        (b"[]", "What was sent must be an object with fields, not a list."),
    ],
)
def test_what_does_not_fit_is_said_in_words(body: bytes, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.json.decode(body, type=StepBody)
    assert misfit(error.value, StepBody).sentence == words


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"step":"fly"}', "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"step":"arrive","at":"2026-11-24T12:00:00"}', "application/json", 422),
        (b'{"step":"arrive","reason":7}', "application/json", 422),
        (b"step=arrive", "application/x-www-form-urlencoded", 400),
        (b'{"step":', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 10_000, "application/json", 422),
        (b'{"step":"arrive"}' + b" " * 20_000, "application/json", 413),
    ],
)
async def test_a_body_that_does_not_fit_is_refused(site: Site, body: bytes, content_type: str, status: int) -> None:
    visit = await site.world.appointment()
    async with site.signed_in("maya@example.org") as client:
        headers = {"Content-Type": content_type}
        answer = await client.post(f"/api/v1/appointments/{visit}/steps", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_phone_asks_for_its_day_with_its_token(site: Site) -> None:
    todays, reported = await site.world.appointment(), await site.world.appointment(arrival_at=NOW + timedelta(hours=3))
    async with site.house.db.transaction() as tx:
        [anna] = await customers.contacts_of(tx, site.world.account)
        await customers.change_contact(tx, anna.id, phone="+358 40 1")
        await tx.change(appointments.update().where(appointments.c.id == reported).values(contact_id=anna.id))
    await site.world.appointment(arrival_at=NOW + timedelta(days=1))
    await site.world.appointment(site.world.onni)
    async with site.phone() as phone:
        listed = (await phone.get("/api/v1/technician/today")).json()["appointments"]
        assert [(each["id"], each["duration_min"]) for each in listed] == [(todays, 90), (reported, 90)]
        # whom she meets: the contact who reported it, else the account; a number until it is over
        assert [(each["customer"], each.get("customer_phone")) for each in listed] == [("Esimerkki", None), ("Anna", "+358 40 1")]
        assert anna.person_id
        async with site.house.db.transaction() as tx:
            await people.change(tx, anna.person_id, phone="+358 40 2")  # her own word, in her profile, comes first
        [_, own] = (await phone.get("/api/v1/technician/today")).json()["appointments"]
        assert own["customer_phone"] == "+358 40 2"
        over = {"step": "not_done", "reason": "Nobody at home"}
        for step in ({"step": "arrive"}, over):
            assert (await phone.post(f"/api/v1/appointments/{reported}/steps", json=step)).status_code == 200
        [_, after] = (await phone.get("/api/v1/technician/today")).json()["appointments"]
        assert (after["customer"], after.get("customer_phone")) == ("Anna", None)
        taken = await phone.post(f"/api/v1/appointments/{todays}/steps", json={"step": "start_travel"})
        assert taken.json()["state"] == "traveling"  # no Origin is needed: no other site can send this header
    for token in ("wrong", "x y"):
        async with site.phone(token) as phone:
            assert codes(await phone.get("/api/v1/technician/today")) == (401, "bad_token")
    async with site.signed_in("anna@example.org") as client:
        assert codes(await client.get("/api/v1/technician/today")) == (403, "not_allowed")
        assert not {"customer", "why_technician"} & (await client.get(f"/api/v1/appointments/{todays}")).json().keys()


async def test_a_phones_token_is_not_mixed_with_a_cookie(site: Site) -> None:
    async with site.signed_in("desk@example.org") as client:
        answer = await client.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})
    assert codes(answer) == (401, "bad_token")


async def test_sessions_are_listed_and_ended(site: Site) -> None:
    async with site.signed_in("anna@example.org") as first, site.signed_in("anna@example.org") as second:
        listed: list[dict[str, Any]] = (await first.get("/api/v1/sessions")).json()["sessions"]
        assert sorted(each["current"] for each in listed) == [False, True]
        other = next(each["id"] for each in listed if not each["current"])
        async with site.signed_in("eve@example.org") as eve:
            assert codes(await eve.delete(f"/api/v1/sessions/{other}")) == (404, "not_found")
        assert (await first.delete(f"/api/v1/sessions/{other}")).status_code == 204
        assert codes(await second.get("/api/v1/me")) == (401, "not_signed_in")
        async with site.signed_in("anna@example.org") as third:
            assert (await third.delete("/api/v1/sessions")).json() == {"ended": 1}
            assert (await first.get("/api/v1/me")).status_code == 401
            own = (await third.get("/api/v1/sessions")).json()["sessions"][0]["id"]
            gone = await third.delete(f"/api/v1/sessions/{own}")
            assert 'tt=""' in gone.headers["set-cookie"]
            assert (await third.get("/api/v1/me")).status_code == 401


async def test_wrong_passwords_are_refused_alike(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers=site.own, timeout=20) as client:
        answers = [
            await client.post("/api/v1/sessions", json={"email": email, "password": password})
            for email, password in [("anna@example.org", "wrong"), ("nobody@example.org", PASSWORD)]
        ]
    assert [codes(answer) for answer in answers] == [(401, "bad_credentials")] * 2
    assert answers[0].content == answers[1].content


async def test_sharing_is_paused_by_the_technician_alone(site: Site) -> None:
    async with site.signed_in("maya@example.org") as maya:
        assert (await maya.put("/api/v1/technician/sharing", json={"on": False, "reason": "lunch"})).json() == {"on": False}
    async with site.house.db.reading() as tx:
        technician = await technicians.by_id(tx, site.world.maya)
    assert technician is not None
    assert (technician.sharing, technician.sharing_reason) == (False, "lunch")
    async with site.signed_in("desk@example.org") as desk:
        assert codes(await desk.put("/api/v1/technician/sharing", json={"on": True})) == (403, "not_allowed")


async def test_staff_hand_an_appointment_over(site: Site) -> None:
    visit = await site.world.appointment()
    async with site.signed_in("maya@example.org") as maya:
        await maya.post(f"/api/v1/appointments/{visit}/steps", json={"step": "start_travel"})
        assert (await maya.put(f"/api/v1/appointments/{visit}/technician", json={"technician": None})).status_code == 403
    async with site.signed_in("desk@example.org") as desk:
        done = await desk.put(f"/api/v1/appointments/{visit}/technician", json={"technician": site.world.onni})
        assert (done.json()["technician_id"], done.json()["state"]) == (site.world.onni, "scheduled")
        missing = await desk.put(f"/api/v1/appointments/{visit}/technician", json={"technician": "0" * 16})
        assert codes(missing) == (404, "not_found")
    gate = await site.house.positions.gate(site.world.maya)
    assert gate is not None
    assert gate.leg is None
    async with site.signed_in("maya@example.org") as maya:
        assert (await maya.get(f"/api/v1/appointments/{visit}")).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-11-24T12:00:00",
        "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z",
        "from=9999-12-31T23:59:59Z",
        "from=0001-01-01T00:00:00%2B14:00",
    ],
)
async def test_a_stretch_that_cannot_be_understood_is_refused(site: Site, query: str) -> None:
    async with site.signed_in("desk@example.org") as client:
        assert codes(await client.get(f"/api/v1/appointments?{query}")) == (422, "bad_input")


async def test_feedback_is_said_by_its_customer_and_listed_closed_until_staff_read_it(site: Site) -> None:
    visit = await site.world.appointment()
    one = f"/api/v1/appointments/{visit}/survey"
    async with site.signed_in("anna@example.org") as anna, site.signed_in("desk@example.org") as desk:
        assert codes(await anna.put(one, json={"stars": 4})) == (409, "not_completed")
        for step in ("arrive", "complete"):
            assert (await desk.post(f"/api/v1/appointments/{visit}/steps", json={"step": step})).status_code == 200
        assert (await anna.get(one)).status_code == 404
        assert (await anna.put(one, json={"stars": 6})).status_code == 422
        said = (await anna.put(one, json={"stars": 4, "comment": " On time. "})).json()
        assert (said["stars"], said["comment"], (await anna.get(one)).json()) == (4, "On time.", said)
        [listed] = (answer := (await desk.get("/api/v1/surveys")).json())["surveys"]
        assert answer["average"] == 4.0
        assert listed["appointment_id"] == visit
        assert "comment" not in listed
        assert "comment" not in (await desk.get(one)).json()
        assert (await desk.post(f"{one}/read")).json()["comment"] == "On time."
        assert (await desk.get("/api/v1/surveys")).json()["surveys"][0]["comment"] == "On time."
        assert codes(await anna.put(one, json={"stars": 1})) == (409, "feedback_read")
        before = (await desk.get("/api/v1/surveys", params={"to": (NOW - timedelta(days=1)).isoformat()})).json()
        assert before == {"surveys": [], "average": None}
