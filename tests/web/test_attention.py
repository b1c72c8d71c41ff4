"""A change of the plan over promised visits shows each of them to the dispatcher until it is moved, handed over or mended."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.catalog import DAYTIME, TOMORROW, Company, company
from tests.world import NOW
from tracker.actions.house import House
from tracker.actions.people.accounts import hashed
from tracker.domain.appointments import Role
from tracker.records import people, sessions
from tracker.records.database import new_id


@pytest.fixture
async def shop(house: House, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(house, tmp_path) as served:
        yield served


async def waiting(shop: Company) -> dict[str, str]:
    """What the door for programs tells: appointment → reason."""
    return {one["id"]: one["reason"] for one in (await shop.done("GET", "/attention"))["appointments"]}


async def booked(shop: Company, clock: str, day: int = 0) -> str:
    answer = await shop.book(clock, day)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def dispatcher(house: House) -> dict[str, str]:
    """Somebody of the desk who is signed in."""
    desk = people.Person(id=new_id(), email="desk@example.org", name="Desk", role=Role.DISPATCHER, profile_at=NOW)
    token, times = new_id(), {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=1)}
    async with house.db.transaction() as tx:
        await people.add(tx, desk, NOW)
        await sessions.add(tx, sessions.Session(id=new_id(), person_id=desk.id, user_agent=None, **times), hashed(token))
    return {"Cookie": f"tt={token}", "Accept": "text/html", "Sec-Fetch-Dest": "document"}


async def test_a_change_over_promised_visits_shows_them_until_they_are_mended(shop: Company, house: House) -> None:
    maya = await shop.technician("Maya")
    first, second, third = await booked(shop, "09:00"), await booked(shop, "13:00"), await booked(shop, "09:00", 1)
    assert await waiting(shop) == {}

    # an absence; its end
    away = {"starts_at": f"{TOMORROW}T00:00:00+02:00", "ends_at": f"{TOMORROW}T09:30:00+02:00"}
    absence = await shop.done("POST", f"/technicians/{maya}/absences", away)
    assert await waiting(shop) == {first: "absent"}
    upon = away | {"starts_at": f"{TOMORROW}T09:00:00+02:00", "ends_at": f"{TOMORROW}T18:00:00+02:00"}
    said = await shop.refused("POST", f"/technicians/{maya}/absences", upon)
    assert said[:2] == (409, "away_already")
    assert f"from {TOMORROW} 00:00 to {TOMORROW} 09:30 already" in said[2]
    next_one = await shop.done("POST", f"/technicians/{maya}/absences", upon | {"starts_at": away["ends_at"]})
    await shop.done("DELETE", f"/absences/{next_one['id']}")
    both = await asyncio.gather(
        *(shop.ask("POST", f"/technicians/{maya}/absences", upon | {"starts_at": away["ends_at"]}) for _ in "12")
    )
    assert sorted(each.status_code for each in both) == [201, 409]  # at once, too
    await shop.done("DELETE", f"/absences/{next(each.json()['id'] for each in both if each.status_code == 201)}")
    listed = (await shop.done("GET", "/attention"))["appointments"][0]
    assert (listed["technician_id"], listed["words"]) == (maya, "The technician is away then.")

    # the desk's page names another day's visit with its day and reason
    desk = await dispatcher(house)
    shop.client.cookies.clear()
    page = await shop.client.get("/", headers=desk)
    assert page.status_code == 200
    assert "Nothing needs attention today." in page.text
    assert "Other days need attention" in page.text
    assert "The technician is away then." in page.text
    assert f"{TOMORROW:%a} {TOMORROW.day} {TOMORROW:%b}" in page.text
    await shop.done("DELETE", f"/absences/{absence['id']}")
    assert await waiting(shop) == {}

    # a closed day, opened again
    await shop.done("PUT", f"/closed-days/{TOMORROW}", {"name": "Stocktaking"})
    assert await waiting(shop) == {first: "closed", second: "closed"}
    await shop.done("DELETE", f"/closed-days/{TOMORROW}")
    assert await waiting(shop) == {}

    # public holidays (Thanksgiving is a Thursday), known to nobody else's; taken back
    await shop.done("PATCH", "/settings", {"holidays": "US", "company": "Waypoint"})
    assert await waiting(shop) == {third: "closed"}
    assert (await shop.book("13:00", 1)).status_code == 409
    await shop.done("PATCH", "/settings", {"holidays": "CA"})
    assert await waiting(shop) == {}
    await shop.done("PATCH", "/settings", {"holidays": "US-TX"})
    await shop.done("PATCH", "/settings", {"holidays": ""})
    assert await waiting(shop) == {}

    # other hours, a break; a visit that is moved to where she works is gone from the list
    await shop.change("Maya", hours=[{"weekday": day, "starts": "08:00", "ends": "12:00"} for day in range(1, 6)])
    assert await waiting(shop) == {second: "hours"}
    there = (await shop.client.get(f"/api/v1/appointments/{second}", headers=shop.customer)).headers["etag"]
    at = {"arrival_at": f"{TOMORROW}T10:30:00+02:00"}
    moved = await shop.client.put(f"/api/v1/appointments/{second}/arrival", json=at, headers=shop.customer | {"If-Match": there})
    assert moved.status_code == 200, moved.text
    assert await waiting(shop) == {}
    await shop.change("Maya", breaks=[{"weekday": 4, "starts": "09:30", "ends": "09:45"}])
    assert await waiting(shop) == {third: "hours"}
    await shop.change("Maya", hours=DAYTIME, breaks=[])
    assert await waiting(shop) == {}

    # out of use: all of them, until they are handed over; what is handed over outside somebody's hours is the desk's decision
    await shop.change("Maya", active=False)
    assert await waiting(shop) == dict.fromkeys((first, second, third), "inactive")
    onni = await shop.technician("Onni", hours=[{"weekday": 3, "starts": "12:00", "ends": "16:00"}])
    for one in (first, third):
        await shop.done("PUT", f"/appointments/{one}/technician", {"technician": onni})
    assert await waiting(shop) == {second: "inactive"}
    await shop.change("Onni", title="Heat pump technician")
    await shop.done("POST", f"/appointments/{second}/cancel", {"reason": "Booked twice."})
    assert await waiting(shop) == {}
    await shop.done("PUT", f"/appointments/{first}/technician", {"technician": None})
    assert await waiting(shop) == {first: "unassigned"}


async def test_a_map_that_closed_by_itself_is_shown_until_the_state_is_set(shop: Company, house: House) -> None:
    """P1: the state is kept, and the desk is told: by the door for programs and on its page."""
    await shop.technician("Maya")
    visit = await booked(shop, "09:00")
    house.clock.move(hours=21)  # type: ignore[attr-defined]
    steps = f"/appointments/{visit}/steps"
    await shop.done("POST", steps, {"step": "start_travel"})
    assert await waiting(shop) == {}
    house.clock.move(hours=2)  # type: ignore[attr-defined]
    [closed] = (await shop.done("GET", "/attention"))["appointments"]
    assert (closed["id"], closed["reason"]) == (visit, "map_closed")
    desk = await dispatcher(house)
    shop.client.cookies.clear()
    page = (await shop.client.get("/", headers=desk)).text
    assert '<span class="dline__tag">map closed</span>' in page
    assert closed["words"] in page
    await shop.done("POST", steps, {"step": "arrive"})
    assert await waiting(shop) == {}


async def test_nobody_but_staff_hears_of_it(shop: Company) -> None:
    answer = await shop.client.get("/api/v1/attention", headers=shop.customer)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
