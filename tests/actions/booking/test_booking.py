"""Booking an arrival: what is offered, who is sent, what is promised, and what is refused; on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.bookable import TOMORROW, Bookable, Roads, at, cells_of, drive, nothing_overlaps, scheduled, settle
from tracker.actions.booking.booking import book, choices, times
from tracker.actions.house import House
from tracker.domain.cells import cells, epoch_s
from tracker.errors import IdempotencyMismatch, NotBookable, NotFound, SlotTaken
from tracker.records import technicians
from tracker.records.schema import service_types


@pytest.fixture
async def company(house: House) -> Bookable:
    drive(house, Roads(20))
    return await settle(house.db)


async def test_an_arrival_at_two_with_twenty_minutes_travel_holds_from_twenty_to_two(house: House, company: Bookable) -> None:
    booked = await book(house, company.anna, company.need(), at(14))
    assert booked.arrival_at == at(14)
    assert booked.ends_at == at(15)
    held = await cells_of(company.db)
    assert {cell for _, cell in held} == set(cells(epoch_s(at(13, 40)), epoch_s(at(15))))
    assert (booked.travel_s, booked.travel_source, booked.technician_id) == (1200, "road", company.technicians[0])
    assert booked.chosen == {"m": 5000, "s": 1200, "next_m": None, "candidates": 1, "source": "road"}


async def test_every_offered_time_can_be_booked_and_no_other_is_then_offered_upon_it(house: House, company: Bookable) -> None:
    found = await times(house, company.anna, company.need(), TOMORROW.date(), 1)
    offered = [offer.arrival_at for day in found.days for offer in day.offers]
    assert offered[0] == at(8)  # travel from home may lie before working hours
    assert offered[-1] == at(16)
    assert len(offered) == 17
    for arrival in offered:
        try:
            await book(house, company.anna, company.need(), arrival)
        except SlotTaken:
            again = await times(house, company.anna, company.need(), TOMORROW.date(), 1)
            assert arrival not in [offer.arrival_at for day in again.days for offer in day.offers]
    await nothing_overlaps(company.db)
    arrivals = [one.arrival_at for one in await scheduled(company.db)]
    assert arrivals == [at(hour) for hour in range(8, 17)]  # nobody travels from a place to itself


async def test_the_same_key_books_once_and_another_body_is_refused(house: House, company: Bookable) -> None:
    first = await book(house, company.anna, company.need(), at(10), key="k")
    assert (await book(house, company.anna, company.need(), at(10), key="k")).id == first.id
    with pytest.raises(IdempotencyMismatch):
        await book(house, company.anna, company.need(), at(12), key="k")
    assert len(await scheduled(company.db)) == 1


async def test_a_key_opens_nothing_of_an_account_that_is_theirs_no_more(house: House, company: Bookable) -> None:
    await book(house, company.anna, company.need(), at(10), key="k")
    with pytest.raises(NotFound):
        await book(house, replace(company.anna, accounts=frozenset()), company.need(), at(10), key="k")


async def test_the_same_key_is_answered_when_nothing_can_be_booked_any_more(house: House, company: Bookable) -> None:
    first = await book(house, company.anna, company.need(), at(10), key="k")
    async with company.db.transaction() as tx:
        await tx.change(update(service_types).values(self_schedulable=False))
    assert (await book(house, company.anna, company.need(), at(10), key="k")).id == first.id
    with pytest.raises(NotBookable):
        await book(house, company.anna, company.need(), at(10), key="another")


async def test_who_left_a_moment_ago_is_not_sent_whatever_this_process_remembers(house: House, company: Bookable) -> None:
    await book(house, company.anna, company.need(), at(10))
    async with company.db.transaction() as tx:
        await technicians.change(tx, company.technicians[0], active=False)  # by another process
    with pytest.raises(SlotTaken):
        await book(house, company.anna, company.need(), at(14))
    assert len(await scheduled(company.db)) == 1


async def test_the_loser_sees_the_three_nearest_free_times(house: House, company: Bookable) -> None:
    await book(house, company.anna, company.need(), at(12))
    with pytest.raises(SlotTaken) as refused:
        await book(house, company.anna, company.need(), at(12))
    assert refused.value.details["nearest"] == [each.isoformat() for each in (at(10, 30), at(11), at(13))]
    with pytest.raises(NotBookable):
        await book(house, company.anna, company.need(), at(12, 7))


async def test_choices_are_those_of_the_account(house: House, company: Bookable) -> None:
    found = await choices(house, company.anna, company.account)
    assert [one.id for one in found.services] == [company.service]
    assert found.place is not None
    assert (found.place.address, found.place.origin, found.place.zone) == ("Esimerkkikatu 1", "account", "Europe/Helsinki")
    assert not found.assets_wanted
    assert found.details_wanted
