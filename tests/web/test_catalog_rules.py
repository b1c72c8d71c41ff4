"""Staff write a rule through their doors, and the customer is, or is not, offered the time (B4, B7), on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.catalog import DAYTIME, PLACE, TOMORROW, Company, company, elsewhere, home, square
from tests.world import process
from tracker.actions.house import House
from tracker.domain.geo import moved


@pytest.fixture
async def shop(house: House, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(house, tmp_path) as served:
        yield served


HOURS = [f"{hour:02}:{minute:02}" for hour in range(8, 15) for minute in (0, 30)] + ["15:00"]
"""Arrivals at which an hour's work lies within 08:00 to 16:00."""


async def test_who_comes_is_who_may(shop: Company) -> None:
    assert await shop.times() == []
    await shop.technician("Maya")
    assert await shop.times() == HOURS
    assert (await shop.book("16:00")).json()["code"] == "slot_taken"

    # skills: all that the service needs
    gas = (await shop.done("POST", "/skills", {"name": "Gas"}))["id"]
    tall = (await shop.done("POST", "/skills", {"name": "Heights"}))["id"]
    await shop.service(skills=[gas, tall])
    assert await shop.times() == []
    await shop.change("Maya", skills=[gas])
    assert await shop.times() == []
    assert (await shop.book("10:00")).status_code == 409
    await shop.change("Maya", skills=[gas, tall])
    assert await shop.times() == HOURS
    assert (await shop.refused("DELETE", f"/skills/{gas}"))[:2] == (409, "still_used")
    await shop.service(skills=[gas])
    await shop.done("DELETE", f"/skills/{tall}")
    assert (await shop.done("GET", f"/technicians/{shop.ids['Maya']}"))["technician"]["skills"] == [gas]
    await shop.service(skills=[])

    # territories: none is everywhere, an area is what is drawn (not its box), an inactive one is nowhere
    corner = moved(PLACE, 45, 3_000)
    away = square(moved(PLACE, 90, 20_000), 2_000)
    west = (await shop.done("POST", "/territories", {"name": "West", "area": away}))["id"]
    await shop.change("Maya", territories=[west])
    assert await shop.times() == []
    read = await shop.ask("GET", f"/territories/{west}")
    l_shape = [
        [24.8, 60.1], [25.1, 60.1], [25.1, 60.16], [24.85, 60.16], [24.85, 60.3], [24.8, 60.3], [24.8, 60.1],
    ]  # fmt: skip
    bent = {"area": {"type": "Polygon", "coordinates": [l_shape]}}
    assert (await shop.done("PATCH", f"/territories/{west}", bent, If_Match=read.headers["etag"]))["version"] == 2
    assert (await shop.refused("PATCH", f"/territories/{west}", bent, If_Match=read.headers["etag"]))[0] == 412
    assert await shop.times() == []
    parts = {"type": "MultiPolygon", "coordinates": [away["coordinates"], square(PLACE, 2_000)["coordinates"]]}
    await shop.done("PATCH", f"/territories/{west}", {"area": parts})
    assert await shop.times() == HOURS
    await shop.done("PATCH", f"/territories/{west}", {"active": False})
    assert await shop.times() == []
    assert (await shop.refused("DELETE", f"/territories/{west}"))[:2] == (409, "still_used")
    await shop.change("Maya", territories=[])
    await shop.done("DELETE", f"/territories/{west}")
    assert await shop.times() == HOURS

    # radius from home
    await shop.set(radius_km=1)
    assert await shop.times() == HOURS
    await shop.change("Maya", home=corner._asdict())
    assert await shop.times() == []
    await shop.set(radius_km=0)
    await shop.change("Maya", home=home(0, 900))

    # never and only
    await shop.technician("Onni", home=home(180, 5_000))
    rules = f"/accounts/{shop.account}/technicians"
    assert await shop.sent() == "Maya"
    await shop.done("PUT", rules, {"never": [shop.ids["Maya"]], "only": []})
    assert await shop.sent() == "Onni"
    await shop.done("PUT", rules, {"never": [], "only": [shop.ids["Onni"]]})
    assert await shop.sent() == "Onni"
    await shop.change("Onni", active=False)
    assert await shop.times() == []
    await shop.done("PUT", rules, {"never": [], "only": []})
    assert await shop.sent() == "Maya"

    # what the customer may book at all
    await shop.service(crew=2, self_schedulable=False)
    assert await offered(shop) == []
    assert (await shop.book("10:00")).json()["code"] == "not_bookable"
    for said in ({"crew": 1}, {"self_schedulable": True}, {"for_all": False, "accounts": []}, {"accounts": [shop.account]}):
        before = await offered(shop)
        await shop.service(**said)
        assert (await offered(shop) == []) is (said in ({"crew": 1}, {"for_all": False, "accounts": []})), (said, before)
    await shop.service(active=False)
    assert await offered(shop) == []


async def offered(shop: Company) -> list[str]:
    """The services that the customer can choose."""
    found = await shop.client.get("/api/v1/booking/choices", headers=shop.customer)
    return [one["name"] for one in found.json()["services"]]


async def test_when_they_come_is_when_they_work(shop: Company) -> None:
    maya = await shop.technician("Maya")

    # hours, also outside everybody's old ones, and through the night
    await shop.change("Maya", hours=[{"weekday": 3, "starts": "18:00", "ends": "20:00"}])
    assert await shop.times() == ["18:00", "18:30", "19:00"]
    await shop.change("Maya", hours=[{"weekday": 3, "starts": "22:00", "ends": "02:00"}])
    assert (await shop.times(), await shop.times(1)) == (["22:00", "22:30", "23:00", "23:30"], ["00:00", "00:30", "01:00"])
    await shop.change("Maya", hours=DAYTIME)

    # breaks
    await shop.change("Maya", breaks=[{"weekday": 3, "starts": "11:30", "ends": "12:00"}])
    noon = await shop.times()
    assert [each for each in HOURS if each not in noon] == ["11:00", "11:30", "12:00"]  # the way to noon's lies in the break
    assert await shop.times(1) == HOURS
    await shop.change("Maya", breaks=[])

    # absences, with the visits that were promised in them
    booked = (await shop.book("09:00")).json()
    away = {"starts_at": f"{TOMORROW}T00:00:00+02:00", "ends_at": f"{TOMORROW}T12:00:00+02:00", "reason": "Training"}
    absence = await shop.done("POST", f"/technicians/{maya}/absences", away)
    assert (absence["reason"], absence["promised"]) == ("Training", [booked["id"]])
    assert (await shop.times())[0] in ("12:00", "12:30")
    whole = await shop.done("GET", f"/technicians/{maya}")
    assert ([each["id"] for each in whole["absences"]], whole["promised"]) == ([absence["id"]], [booked["id"]])
    await shop.done("DELETE", f"/absences/{absence['id']}")
    assert (await shop.refused("DELETE", f"/absences/{absence['id']}"))[:2] == (404, "not_found")
    await shop.done("POST", f"/appointments/{booked['id']}/cancel", {"reason": "x"})
    assert await shop.times() == HOURS

    # closed days and public holidays: Independence Day is a Sunday here, Christmas Day a Friday
    closed = f"/closed-days/{TOMORROW}"
    await shop.done("PUT", closed, {"name": "Summer party"})
    await shop.done("PUT", closed, {"name": "Stocktaking"})
    assert (await shop.done("GET", "/closed-days"))["closed_days"] == [{"day": str(TOMORROW), "name": "Stocktaking"}]
    assert (await shop.times(), await shop.times(1)) == ([], HOURS)
    assert (await shop.book("10:00")).status_code == 409
    await shop.done("DELETE", closed)
    assert (await shop.refused("DELETE", closed))[0] == 404
    assert await shop.times() == HOURS
    christmas = 30
    assert await shop.times(christmas) == HOURS
    await shop.set(holidays="FI")
    assert await shop.times(christmas) == []
    await shop.set(holidays="")

    # grid, lead time, horizon: whoever asks for what is not offered hears why
    await shop.set(slot_grid_min=120)
    assert await shop.times() == ["08:00", "10:00", "12:00", "14:00"]
    assert (await shop.book("10:30")).json()["code"] == "not_bookable"
    await shop.set(slot_grid_min=30, lead_time_min=22 * 60, horizon_days=3)
    assert await shop.times() == [each for each in HOURS if each >= "12:30"]
    soon, far, past = await shop.book("12:00"), await shop.book("10:00", day=5), await shop.book("10:00", day=-1)
    assert [(each.status_code, each.json()["code"]) for each in (soon, far, past)] == [
        (409, "too_soon"),
        (409, "too_far_ahead"),
        (409, "time_over"),
    ]
    assert soon.json()["nearest"]
    assert past.json()["detail"] == "This time is over. Choose one that is still to come."
    by_staff = await shop.ask(
        "POST",
        "/appointments",
        {
            "account": shop.account,
            "service_type": shop.ids["service"],
            "arrival_at": (shop.house.clock() - timedelta(hours=1)).isoformat(),
        },
    )
    assert (by_staff.status_code, by_staff.json()["code"]) == (409, "time_over")


async def test_another_process_offers_what_was_written_two_seconds_ago(shop: Company, redis_url: str, tmp_path: Path) -> None:
    """No wait: the other process's own clock is moved instead."""
    await shop.technician("Maya")
    async with process(shop.house.db, redis_url, shop.house.clock) as other, elsewhere(shop, other, tmp_path) as there:
        at = 0.0
        other.company.clock = lambda: at
        assert await there.times() == HOURS
        await shop.change("Maya", hours=[{"weekday": 3, "starts": "18:00", "ends": "19:00"}])
        assert await shop.times() == ["18:00"]
        assert await there.times() == HOURS, "it is looked up anew for every request: then why remember it?"
        at = 2.0
        assert await there.times() == ["18:00"]
        await shop.change("Maya", active=False)
        await shop.technician("Onni", hours=[{"weekday": 3, "starts": "05:00", "ends": "06:00"}])
        at = 4.0
        assert await there.times() == ["05:00"]
