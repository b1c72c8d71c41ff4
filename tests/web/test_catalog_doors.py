"""The catalog's doors: what they refuse and why, who saw which state, what is written down, and who leaves the map."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import pytest

from tests.web.catalog import ADMIN, DAYTIME, PLACE, Company, company, square
from tracker.actions.house import House
from tracker.actions.people import tokens
from tracker.actions.trip import devices, visits
from tracker.actions.trip.visits import Wish
from tracker.domain.appointments import Step
from tracker.records import audit


@pytest.fixture
async def shop(house: House, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(house, tmp_path) as served:
        yield served


def ring(*corners: tuple[float, ...]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


SQUARE = square(PLACE, 1_000)
BOW = ring((24, 60), (25, 61), (25, 60), (24, 61), (24, 60))
NUL = "a\x00b"
MONDAY = {"weekday": 1, "starts": "08:00", "ends": "16:00"}


def week(*stretches: tuple[int, str, str]) -> dict[str, Any]:
    return {"hours": [{"weekday": day, "starts": starts, "ends": ends} for day, starts, ends in stretches]}


async def test_what_cannot_be_is_refused_with_a_sentence_that_says_why(shop: Company) -> None:
    maya = await shop.technician("Maya")
    service, who = f"/service-types/{shop.ids['service']}", f"/technicians/{maya}"
    rules, nobody = f"/accounts/{shop.account}/technicians", "0" * 16
    away = {"starts_at": "2026-12-01T08:00:00Z", "ends_at": "2026-12-02T08:00:00Z"}
    await shop.done("POST", "/skills", {"name": "Gas"})
    await shop.done("POST", "/territories", {"name": "West", "area": SQUARE})
    await shop.done("POST", "/territories", {"name": "Hill", "area": ring((1, 1, 90), (2, 1), (2, 2), (1, 1, 90))})
    refused: list[tuple[str, str, Any, int, str, str]] = [
        ("POST", "/service-types", {"name": " ", "duration_min": 60}, 422, "bad_input", "name is missing"),
        ("POST", "/service-types", {"name": "x", "duration_min": 4}, 422, "bad_input", "duration_min"),
        ("PATCH", service, {"crew": 2}, 422, "bad_input", "planned by staff"),
        ("PATCH", service, {"skills": [nobody]}, 422, "bad_input", "There is no skill with the id"),
        ("PATCH", service, {"accounts": [nobody]}, 422, "bad_input", "There is no account with the id"),
        ("PATCH", f"/service-types/{nobody}", {"active": False}, 404, "not_found", "no service type"),
        ("POST", "/skills", {"name": "Gas"}, 409, "name_taken", "Choose another name."),
        ("DELETE", f"/skills/{nobody}", None, 404, "not_found", "no skill"),
        ("POST", "/territories", {"name": "West", "area": SQUARE}, 409, "name_taken", "Choose another name."),
        ("POST", "/territories", {"name": "ｗEST", "area": SQUARE}, 409, "name_taken", "Choose another name."),
        ("POST", "/skills", {"name": "GAS"}, 409, "name_taken", "Choose another name."),
        ("POST", "/territories", {"name": "x", "area": BOW}, 422, "bad_area", "cannot be filled: Self-intersection"),
        ("POST", "/territories", {"name": "x", "area": ring((1, 1), (2, 2), (1, 1))}, 422, "bad_area", "four corners"),
        ("POST", "/territories", {"name": "x", "area": ring(*((10**400, n) for n in (0, 1, 2, 0)))}, 422, "bad_area", "globe"),
        (
            "POST",
            "/territories",
            {"name": "x", "area": ring((60, 124), (61, 124), (61, 125), (60, 124))},
            422,
            "bad_area",
            "off the globe",
        ),
        ("POST", "/territories", {"name": "x", "area": {"type": "Polygon", "coordinates": [[["a"]]]}}, 422, "bad_area", ""),
        (
            "POST",
            "/territories",
            {"name": "x", "area": {"type": "Point", "coordinates": [1, 2]}},
            422,
            "bad_input",
            "It can be: MultiPolygon, Polygon.",
        ),
        ("PATCH", who, {"zone": "Mars/Olympus"}, 422, "bad_input", "no time zone"),
        ("PATCH", who, {"territories": [nobody]}, 422, "bad_input", "There is no territory"),
        ("PATCH", who, week((1, "08:00", "12:00"), (1, "11:00", "13:00")), 422, "bad_hours", "lie upon each other"),
        ("PATCH", who, week((7, "22:00", "02:00"), (1, "01:00", "09:00")), 422, "bad_hours", "Sunday 22:00 to 02:00"),
        ("PATCH", who, week((1, "08:00", "08:00")), 422, "bad_hours", "no stretch of time"),
        ("PATCH", who, week((1, "08:00", "24:30")), 422, "bad_hours", "no time of day"),
        ("PATCH", f"/technicians/{nobody}", {"name": "x"}, 404, "not_found", "no technician"),
        ("POST", "/technicians", {"name": "Onni"}, 422, "bad_input", "Give the time zone"),
        ("POST", f"{who}/absences", away | {"ends_at": away["starts_at"]}, 422, "bad_input", "ends after it begins"),
        (
            "POST",
            f"{who}/absences",
            {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"},
            422,
            "bad_input",
            "over already",
        ),
        ("POST", f"/technicians/{nobody}/absences", away, 404, "not_found", "no technician"),
        ("PUT", "/closed-days/2026-02-30", {"name": "x"}, 422, "bad_input", "A day reads like"),
        ("PUT", "/closed-days/0001-01-01", {"name": "x"}, 422, "bad_input", "too far away"),
        ("PUT", rules, {"never": [maya], "only": [maya]}, 422, "bad_input", "cannot be one who never comes"),
        ("PUT", rules, {"never": [nobody], "only": []}, 422, "bad_input", "There is no technician"),
        ("PUT", f"/accounts/{nobody}/technicians", {"never": [], "only": []}, 404, "not_found", "no account"),
        ("POST", "/skills", {"name": NUL}, 422, "nul_character", "NUL character"),
        ("PATCH", service, {"description": NUL}, 422, "nul_character", "NUL character"),
        ("POST", f"{who}/absences", away | {"reason": NUL}, 422, "nul_character", "NUL character"),
    ]
    for method, path, body, status, code, sentence in refused:
        said = await shop.refused(method, path, body)
        assert (said[:2], sentence in said[2]) == ((status, code), True), (path, body, said)
    at = (await shop.book("10:00", details=NUL)).json()
    assert (at["status"], at["code"]) == (422, "nul_character")
    assert (await shop.refused("GET", "/technicians?query=%00"))[:2] == (422, "nul_character")
    kept = await shop.done("POST", "/skills", {"name": "\\u0000 is not a NUL"})
    assert kept["name"] == "\\u0000 is not a NUL"


async def test_who_saw_another_state_changes_nothing_and_everything_is_written_down(shop: Company) -> None:
    maya = await shop.technician("Maya", phone="+358 40 1234567")
    who = f"/technicians/{maya}"
    seen = (await shop.ask("GET", who)).headers["etag"]
    answers = await asyncio.gather(*(shop.ask("PATCH", who, {"title": f"No. {n}"}, If_Match=seen) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 412} == {"changed_meanwhile"}
    won = next(answer for answer in answers if answer.status_code == 200)
    assert (await shop.ask("GET", who)).headers["etag"] == won.headers["etag"]
    same = await shop.ask("PATCH", who, {"title": won.json()["technician"]["title"]})
    assert same.headers["etag"] == won.headers["etag"]
    # without If-Match the last writer wins, field by field; null empties
    await asyncio.gather(
        *(shop.done("PATCH", who, each) for each in ({"vehicle": "White van"}, {"plate": "ABC-1"}, {"phone": None}))
    )
    now = (await shop.done("GET", who))["technician"]
    assert (now["vehicle"], now["plate"], "phone" in now, now["hours"]) == ("White van", "ABC-1", False, DAYTIME)
    rules = await shop.ask("GET", f"/accounts/{shop.account}/technicians")
    await shop.done("PUT", f"/accounts/{shop.account}/technicians", {"never": [maya], "only": []})
    late = await shop.refused(
        "PUT", f"/accounts/{shop.account}/technicians", {"never": [], "only": [maya]}, If_Match=rules.headers["etag"]
    )
    assert late[:2] == (412, "changed_meanwhile")
    await shop.done("PATCH", who, {"home": {"lat": 60.3, "lon": 24.8}, "hours": [MONDAY]})
    async with shop.house.db.reading() as tx:
        lines = [line for line in await audit.latest(tx) if line.subject == maya]
    newest, oldest = lines[0], lines[-1]
    assert newest.actor.startswith("token:")
    assert len(lines) == 1 + 1 + 3 + 1, "what changed nothing is not written down"
    assert (newest.what, newest.after) == (
        "technician.changed",
        {"home_lat": "(not kept here)", "home_lon": "(not kept here)", "hours": [[0, 480, 960]]},
    )
    assert newest.before is not None
    assert len(newest.before["hours"]) == 5
    assert (oldest.what, oldest.before, oldest.after and oldest.after["name"]) == ("technician.added", None, "Maya")


async def test_whoever_is_taken_out_of_use_leaves_the_map_and_is_heard_no_more(shop: Company) -> None:
    maya = await shop.technician("Maya", hours=[{"weekday": 2, "starts": "08:00", "ends": "20:00"}, *DAYTIME[2:]])
    phone = await devices.add_phone(shop.house, ADMIN, maya, "phone")
    bearer = {"Authorization": f"Bearer {phone.token}"}
    gate = await shop.house.positions.gate(maya)
    assert gate is not None
    assert gate.duty_end is not None
    # hours that end earlier are heard of at once: what a phone may say ends with them
    await shop.change("Maya", hours=[{"weekday": 2, "starts": "08:00", "ends": "14:00"}, *DAYTIME[2:]])
    gate = await shop.house.positions.gate(maya)
    assert gate is not None
    assert gate.duty_end is None
    visit = (await shop.book("10:00", day=1)).json()["id"]
    await visits.take_step(shop.house, ADMIN, visit, Wish(step=Step.START_TRAVEL, device=phone.device))
    assert (await shop.refused("PATCH", f"/technicians/{maya}", {"active": False}))[:2] == (409, "still_at_work")
    assert (await shop.client.get("/api/v1/me", headers=bearer)).status_code == 200
    await visits.take_step(shop.house, ADMIN, visit, Wish(step=Step.CANCEL, reason="x"))
    stays = (await shop.book("11:00", day=2)).json()["id"]
    browser = await shop.browser_of(maya)
    assert (await shop.client.get(f"/api/v1/appointments/{stays}", headers=browser)).status_code == 200
    gone = await shop.done("PATCH", f"/technicians/{maya}", {"active": False})
    assert (gone["technician"]["active"], gone["promised"]) == (False, [stays])
    gate = await shop.house.positions.gate(maya)
    assert gate is None or gate.duty_end is None
    assert (await shop.client.get("/api/v1/me", headers=bearer)).status_code == 401
    # nor is their browser: it sees none of the visits and takes no step of them
    assert (await shop.client.get(f"/api/v1/appointments/{stays}", headers=browser)).status_code == 404
    refused = await shop.client.post(f"/api/v1/appointments/{stays}/steps", json={"step": "start_travel"}, headers=browser)
    assert refused.status_code == 404
    assert await shop.times(2) == []
    await shop.change("Maya", active=True)
    assert (await shop.client.get("/api/v1/me", headers=bearer)).status_code == 200
    assert await shop.times(2)


async def test_a_token_reads_or_writes_as_its_scopes_say_and_pages_follow_each_other(shop: Company) -> None:
    reader = await tokens.add_token(shop.house, ADMIN, "reader", ["catalog:read"])
    writer, shop.staff = shop.staff, {"Authorization": f"Bearer {reader.secret}"}
    assert (await shop.ask("GET", "/technicians")).status_code == 200
    assert (await shop.refused("POST", "/skills", {"name": "Gas"}))[2].endswith("It needs the scope catalog:write.")
    shop.staff = writer
    for some in batched(range(101), 20):
        await asyncio.gather(*(shop.technician(f"Tech {n:03}", hours=[], zone="UTC") for n in some))
    first = await shop.done("GET", "/technicians")
    second = await shop.done("GET", f"/technicians?after={first['after']}")
    assert [one["name"] for one in (*first["technicians"], *second["technicians"])] == [f"Tech {n:03}" for n in range(101)]
    assert second["after"] is None
    assert [one["name"] for one in (await shop.done("GET", "/technicians?query=TECH%20007"))["technicians"]] == ["Tech 007"]
    yesterday = (shop.house.clock() - timedelta(days=2)).date()
    await shop.done("PUT", f"/closed-days/{yesterday}", {"name": "Over"})
    assert (await shop.done("GET", "/closed-days"))["closed_days"] == []
