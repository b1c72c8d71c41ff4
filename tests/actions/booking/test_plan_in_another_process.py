"""What another process changed a moment ago is known to the transaction that promises, whatever this one remembers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.bookable import TOMORROW, Bookable, Roads, at, drive, scheduled, settle
from tests.world import process
from tracker.actions.attention import waiting
from tracker.actions.booking.booking import book, times
from tracker.actions.booking.holding import hold
from tracker.actions.catalog.absences import add_absence, remove_absence
from tracker.actions.catalog.constraints import close_day, open_day
from tracker.actions.catalog.staffing import change_technician
from tracker.actions.house import House
from tracker.actions.settings import change_settings
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.duty import WeekHours
from tracker.errors import SlotTaken

ADMIN = Actor(Role.ADMIN, person="admin")
OFFICE = tuple(WeekHours(day, 480, 1020) for day in range(5))
MORNINGS = tuple(WeekHours(day, 480, 720) for day in range(5))
THANKSGIVING = 1
"""The day after tomorrow, in the United States."""

type Undo = Callable[[], Awaitable[object]]


async def absent(house: House, technician: str) -> Undo:
    away = await add_absence(house, ADMIN, technician, at(13, days=1), at(18, days=1))
    return lambda: remove_absence(house, ADMIN, away.absence.id)


async def closed(house: House, _: str) -> Undo:
    day = (TOMORROW + timedelta(days=1)).date()
    await close_day(house, ADMIN, day, "Stocktaking")
    return lambda: open_day(house, ADMIN, day)


async def on_holiday(house: House, _: str) -> Undo:
    await change_settings(house, ADMIN, {"holidays": "US"})
    return lambda: change_settings(house, ADMIN, {"holidays": ""})


async def mornings_only(house: House, technician: str) -> Undo:
    await change_technician(house, ADMIN, technician, hours=MORNINGS)
    return lambda: change_technician(house, ADMIN, technician, hours=OFFICE)


async def at_lunch(house: House, technician: str) -> Undo:
    await change_technician(house, ADMIN, technician, breaks=(WeekHours(3, 840, 900),))
    return lambda: change_technician(house, ADMIN, technician, breaks=())


@pytest.mark.parametrize("change", [absent, closed, on_holiday, mornings_only, at_lunch])
async def test_a_time_that_another_process_took_out_of_the_plan_is_not_promised(
    house: House, redis_url: str, change: Callable[[House, str], Awaitable[Undo]]
) -> None:
    company = await settle(house.db)
    async with process(house.db, redis_url, house.clock) as other:
        for one in (house, other):
            drive(one, Roads(20))
            one.company.clock = lambda: 0.0  # nothing that was read once is read again
        assert await times(other, company.anna, company.need(), TOMORROW.date(), 2)
        undo = await change(house, company.technicians[0])
        with pytest.raises(SlotTaken):
            await book(other, company.anna, company.need(), at(14, days=THANKSGIVING))
        with pytest.raises(SlotTaken):
            await hold(other, company.anna, company.need(), at(14, days=THANKSGIVING))
        await undo()
        await book(other, company.anna, company.need(), at(14, days=THANKSGIVING))


async def test_what_is_booked_while_the_plan_changes_is_refused_or_marked(house: House, redis_url: str) -> None:
    company = await settle(house.db)
    async with process(house.db, redis_url, house.clock) as other:
        for one in (house, other):
            drive(one, Roads(20))
        for day in range(THANKSGIVING, 8):
            before = await seen(house)
            await asyncio.gather(
                close_day(house, ADMIN, (TOMORROW + timedelta(days=day)).date(), "Stocktaking"),
                *(tried(other, company, day, hour) for hour in (9, 12, 15)),
            )
            assert await seen(house) - before == {
                one.id for one in await scheduled(company.db) if one.arrival_at >= at(0, days=day)
            }


async def tried(house: House, company: Bookable, day: int, hour: int) -> None:
    try:
        await book(house, company.anna, company.need(), at(hour, days=day))
    except SlotTaken:
        return


async def seen(house: House) -> set[str]:
    return {one.appointment.id for one in await waiting(house, ADMIN)}
