"""A time that only somebody far away can make is offered and booked, in a company whose nearest are all busy, off or away."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.web.catalog import PLACE, THERE, TOMORROW, Company, company
from tests.world import NOW
from tracker.actions.house import House
from tracker.domain.geo import moved
from tracker.records import schema


@pytest.fixture
async def shop(house: House, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(house, tmp_path) as served:
        yield served


def clock(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(TOMORROW, datetime.min.time(), THERE) + timedelta(hours=hour, minutes=minute)


async def crowd(shop: Company, people: int) -> list[str]:
    """So many technicians, one farther than the other: rows past the doors, and ten in the morning is nobody's own any more."""
    ids = [f"t{n:04}" for n in range(people)]
    homes = [moved(PLACE, 0, 100.0 + 20 * n) for n in range(people)]
    shared = {"zone": "Europe/Helsinki", "active": True, "sharing": True, "gate_version": 0}
    who = [{"id": one, "name": one, "home_lat": at.lat, "home_lon": at.lon} | shared for one, at in zip(ids, homes, strict=True)]
    hours = [{"technician_id": one, "weekday": 2, "starts": 480, "ends": 1080 if one == ids[-2] else 960} for one in ids]
    visit = {"account_id": shop.account, "service_type_id": shop.ids["service"], "state": "scheduled", "version": 1}
    visit |= {"arrival_at": clock(10), "ends_at": clock(11), "duration_min": 60, "travel_s": 600, "created_at": NOW}
    visit |= {"address": "Esimerkkikatu 1", "lat": PLACE.lat, "lon": PLACE.lon, "zone": "Europe/Helsinki", "source": "portal"}
    visits = [visit | {"id": f"v{one}", "booking_id": f"WP-{one}", "technician_id": one} for one in ids[:-3]]
    away = {"id": "away", "technician_id": ids[-3], "starts_at": clock(0), "ends_at": clock(24), "reason": None}
    async with shop.house.db.transaction() as tx:
        await tx.change(insert(schema.technicians), who)
        await tx.change(insert(schema.technician_hours), hours)
        await tx.change(insert(schema.appointments), visits)
        await tx.change(insert(schema.absences), [away])
    shop.house.company.forget()
    return ids


@pytest.mark.parametrize("people", [170, 400])  # looked at as a whole, and ring by ring
async def test_every_time_that_somebody_can_make_is_offered_however_far_they_live(shop: Company, people: int) -> None:
    ids = await crowd(shop, people)
    offered = await shop.times()
    assert "10:00" in offered  # the farthest two are free then
    assert offered[-1] == "17:00"  # one of them works longer than anybody else
    longest = await shop.book("17:00")
    assert longest.status_code == 201, longest.text
    assert (await shop.done("GET", f"/appointments/{longest.json()['id']}"))["technician_id"] == ids[-2]
    assert "17:00" not in await shop.times()
    sent = [await shop.book("10:00") for _ in range(2)]
    assert [each.status_code for each in sent] == [201, 201]
    seen = [(await shop.done("GET", f"/appointments/{each.json()['id']}"))["technician_id"] for each in sent]
    assert seen == [ids[-2], ids[-1]]
    assert "10:00" not in await shop.times()  # who is left is away
    assert (await shop.book("10:00")).json()["code"] == "slot_taken"

    # the radius holds for those, too
    for each in sent:
        await shop.done("POST", f"/appointments/{each.json()['id']}/cancel", {"reason": "x"})
    reach = (100 + 20 * (people - 3)) // 1000
    await shop.set(radius_km=reach + 1)
    assert "10:00" in await shop.times()
    await shop.set(radius_km=reach)
    assert "10:00" not in await shop.times()

    # on a closed day nobody is asked
    await shop.set(radius_km=0)
    assert "10:00" in await shop.times()
    await shop.done("PUT", f"/closed-days/{TOMORROW}", {"name": "Summer party"})
    assert await shop.times() == []
