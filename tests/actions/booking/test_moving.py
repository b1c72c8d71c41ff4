"""Moving, holding, giving up and handing over: whose time is free afterwards, and how the next visit is reached."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.bookable import PLACE, TOMORROW, Bookable, Roads, at, cells_of, drive, holds_left, nothing_overlaps, settle
from tests.world import NOW, Clock
from tracker.actions.booking.booking import Need, book, times
from tracker.actions.booking.holding import MOST_HELD, drop_hold, extend_hold, held, hold, sweep_holds
from tracker.actions.booking.moving import move
from tracker.actions.booking.travel import TravelMemory
from tracker.actions.booking.upholding import adopt_once, sweep_cells_once
from tracker.actions.house import House
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.cells import cells, epoch_s
from tracker.domain.geo import Point, moved
from tracker.errors import HoldExtended, HoldOver, NotAllowed, NotBookable, SlotTaken, StepNotPossible, VersionMismatch
from tracker.records import appointments, outbox, people, technicians
from tracker.records import settings as settings_records
from tracker.records.appointments import Appointment
from tracker.records.schema import appointments as rows
from tracker.records.schema import promised_cells, service_types
from tracker.roads.router import Hop

FAR = moved(PLACE, 90, 9000)


@pytest.fixture
async def roads(house: House) -> Roads:
    return drive(house, Roads(20))


@pytest.fixture
async def company(house: House, roads: Roads) -> Bookable:
    return await settle(house.db, 1, customers=2)


async def far_away(company: Bookable) -> Need:
    """A need of another account, nine kilometres east."""
    async with company.db.transaction() as tx:
        account = await people.add_account(tx, "Far", NOW, address="Kaukana 1", lat=FAR.lat, lon=FAR.lon, zone="Europe/Helsinki")
    return Need(account=account, service_type=company.service)


async def now_of(company: Bookable, visit: str) -> Appointment:
    async with company.db.reading() as tx:
        found = await appointments.by_id(tx, visit)
    assert found is not None
    return found


async def own_cells(company: Bookable, visit: str) -> set[int]:
    return {cell for (_, cell), owner in (await cells_of(company.db)).items() if owner == visit}


def stretch(start: Any, end: Any) -> set[int]:
    return set(cells(epoch_s(start), epoch_s(end)))


async def test_a_visit_between_two_others_promises_the_travel_of_the_one_after_it_anew(
    house: House, company: Bookable, roads: Roads
) -> None:
    later = await book(house, company.desk, await far_away(company), at(14))
    assert await own_cells(company, later.id) == stretch(at(13, 40), at(15))
    roads.tell(PLACE, FAR, 35, 9000)
    between = await book(house, company.anna, company.need(), at(11))
    assert await own_cells(company, later.id) == stretch(at(13, 25), at(15))
    await take_step(house, company.anna, between.id, Wish(step=Step.CANCEL, reason="away"))
    assert await own_cells(company, between.id) == set()
    assert await own_cells(company, later.id) == stretch(at(13, 40), at(15))
    after = await now_of(company, later.id)
    assert (after.travel_s, after.flag, after.version) == (1200, None, later.version)


async def test_giving_up_is_never_refused_because_the_next_visit_cannot_be_reached(
    house: House, company: Bookable, roads: Roads
) -> None:
    far = await far_away(company)
    first = await book(house, company.anna, company.need(), at(8))
    middle = await book(house, company.desk, far, at(9, 30))
    last = await book(house, company.desk, far, at(11))
    roads.tell(PLACE, FAR, 150, 90000)  # a bridge is closed; nobody remembers the way there
    house.travels = type(house.travels)()
    async with company.db.transaction() as tx:  # what staff put there by hand lies in the way of the longer travel
        await tx.change(update(rows).where(rows.c.id == first.id).values(ends_at=at(9)))
    await take_step(house, company.desk, middle.id, Wish(step=Step.CANCEL, reason="nobody home"))
    after = await now_of(company, last.id)
    assert (after.flag, after.travel_s) == ("travel", 9000)
    assert await own_cells(company, last.id) == stretch(at(9), at(12))
    await nothing_overlaps(company.db)


async def test_moving_frees_the_old_time_and_takes_the_new_one(house: House, company: Bookable) -> None:
    booked = await book(house, company.anna, company.need(), at(10))
    after = await move(house, company.anna, booked.id, at(10, 30), version=booked.version)
    assert (after.arrival_at, after.version, after.sequence, after.state) == (at(10, 30), booked.version + 1, 1, State.SCHEDULED)
    assert await own_cells(company, booked.id) == stretch(at(10, 10), at(11, 30))
    with pytest.raises(VersionMismatch):
        await move(house, company.anna, booked.id, at(12), version=booked.version)
    async with company.db.reading() as tx:
        letters = await outbox.of_appointment(tx, booked.id)
    assert {letter.kind for letter in letters} == {"confirmation", "rescheduled"}


async def test_moving_offers_ones_own_time_and_the_same_technician_comes_first(house: House, roads: Roads) -> None:
    company = await settle(house.db, 2, customers=2)
    near, other = company.technicians
    booked = await book(house, company.anna, company.need(), at(10))
    theirs = other if booked.technician_id == near else near
    roads.minutes = 10
    moved_to = await move(house, company.anna, booked.id, at(12))
    assert moved_to.technician_id == booked.technician_id
    assert theirs != booked.technician_id
    offered = await times(house, company.anna, company.need(), TOMORROW.date(), 1, moving=booked.id)
    assert at(12) in [offer.arrival_at for day in offered.days for offer in day.offers]


async def test_what_stands_against_moving(house: House, company: Bookable, world_clock: Clock) -> None:
    booked = await book(house, company.anna, company.need(), at(10))
    await book(house, company.others[1], company.need(), at(14))
    with pytest.raises(SlotTaken):
        await move(house, company.anna, booked.id, at(14))
    assert await own_cells(company, booked.id) == stretch(at(9, 40), at(11))  # nothing was lost by trying
    house.settings._settings = settings_records.checked({"modify_until_h": 48})
    with pytest.raises(NotAllowed):
        await move(house, company.anna, booked.id, at(12))
    house.settings._settings = settings_records.checked({})
    await take_step(house, company.desk, booked.id, Wish(step=Step.ARRIVE))
    with pytest.raises(StepNotPossible):
        await move(house, company.anna, booked.id, at(12))


@pytest.fixture
def world_clock(house: House) -> Clock:
    assert isinstance(house.clock, Clock)
    return house.clock


async def test_a_hold_keeps_a_time_from_others_until_it_ends(house: House, company: Bookable, world_clock: Clock) -> None:
    anna, eve = company.others
    kept = await hold(house, anna, company.need(), at(10))
    with pytest.raises(SlotTaken):
        await book(house, eve, company.need(), at(10))
    with pytest.raises(HoldOver):  # nobody is a contact any more whose account it was
        await extend_hold(house, replace(anna, accounts=frozenset()))
    longer = await extend_hold(house, anna)
    assert longer.expires_at == kept.expires_at + timedelta(minutes=5)
    with pytest.raises(HoldExtended):
        await extend_hold(house, anna)
    assert await held(house, anna) == longer
    world_clock.move(minutes=10)
    with pytest.raises(HoldOver):
        await extend_hold(house, anna)
    assert await held(house, anna) is None
    booked = await book(house, eve, company.need(), at(10))
    assert await own_cells(company, booked.id) == stretch(at(9, 40), at(11))
    assert await holds_left(company.db) == 0


async def test_a_booking_uses_its_own_hold_and_a_new_hold_ends_the_one_before(house: House, company: Bookable) -> None:
    anna, eve = company.others
    await hold(house, anna, company.need(), at(10))
    await hold(house, anna, company.need(), at(14))
    assert await holds_left(company.db) == 1
    assert (await book(house, eve, company.need(), at(10))).arrival_at == at(10)
    found = await times(house, anna, company.need(), TOMORROW.date(), 1)
    assert at(14) in [offer.arrival_at for day in found.days for offer in day.offers]  # one's own hold is in nobody's way
    booked = await book(house, anna, company.need(), at(14))
    assert await holds_left(company.db) == 0
    assert await own_cells(company, booked.id) == stretch(at(14), at(15))  # from the visit before, at the same place


async def test_many_browsers_of_one_account_cannot_hold_the_whole_day(house: House, company: Bookable) -> None:
    browsers = [replace(company.anna, session=f"browser{n}") for n in range(MOST_HELD + 2)]
    arrivals = [at(hour) for hour in range(8, 17)]
    asked = [hold(house, browser, company.need(), arrival) for browser, arrival in zip(browsers, arrivals, strict=False)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert await holds_left(company.db) == sum(not isinstance(each, Exception) for each in done) <= MOST_HELD
    for number in range(MOST_HELD - await holds_left(company.db)):
        await hold(house, replace(company.anna, session=f"more{number}"), company.need(), at(8 + 2 * number, days=1))
    with pytest.raises(NotBookable, match="held"):
        await hold(house, replace(company.anna, session="another"), company.need(), at(16, days=1))
    assert await holds_left(company.db) == MOST_HELD
    await hold(house, replace(company.desk, session="desk"), company.need(), at(8, days=2))  # staff know what they do


async def test_what_staff_planned_for_a_crew_is_not_moved_by_its_customer(house: House, company: Bookable) -> None:
    booked = await book(house, company.anna, company.need(), at(10))
    async with company.db.transaction() as tx:
        await tx.change(update(service_types).values(crew=2))
    with pytest.raises(NotBookable, match="planning by our staff"):
        await move(house, company.anna, booked.id, at(14))
    assert (await move(house, company.desk, booked.id, at(14))).arrival_at == at(14)


async def test_holds_are_given_back_and_swept(house: House, company: Bookable, world_clock: Clock) -> None:
    later = await book(house, company.desk, await far_away(company), at(14))
    await hold(house, company.anna, company.need(), at(11))
    await drop_hold(house, company.anna)
    assert set((await cells_of(company.db)).values()) == {later.id}
    await hold(house, company.anna, company.need(), at(11))
    world_clock.move(minutes=6)
    assert await sweep_holds(house) == 1
    assert set((await cells_of(company.db)).values()) == {later.id}


async def test_starting_moves_the_promised_time_to_now_and_completing_frees_the_rest(
    house: House, company: Bookable, world_clock: Clock
) -> None:
    booked = await book(house, company.anna, company.need(), at(10))
    world_clock.now = at(9)
    under_way = await take_step(house, company.desk, booked.id, Wish(step=Step.START_TRAVEL))
    assert await own_cells(company, booked.id) == stretch(at(9), under_way.ends_at)
    await take_step(house, company.desk, booked.id, Wish(step=Step.ARRIVE))
    assert await own_cells(company, booked.id) == stretch(at(9), at(10))
    world_clock.move(minutes=12)
    await take_step(house, company.desk, booked.id, Wish(step=Step.COMPLETE))
    assert await own_cells(company, booked.id) == stretch(at(9), at(9, 12))
    world_clock.now = at(12)
    assert await sweep_cells_once(house) == 3


async def test_a_visit_that_overruns_flags_the_one_it_runs_into(house: House, company: Bookable, world_clock: Clock) -> None:
    first = await book(house, company.anna, company.need(), at(10))
    second = await book(house, company.anna, company.need(), at(11, 30))
    world_clock.now = at(11)
    await take_step(house, company.desk, first.id, Wish(step=Step.ARRIVE))
    assert (await now_of(company, second.id)).flag == "late"
    assert await own_cells(company, second.id) == stretch(at(11, 30), at(12, 30))


async def test_staff_hand_over_but_never_put_work_upon_work(house: House, roads: Roads) -> None:
    company = await settle(house.db, 2)
    booked = await book(house, company.anna, company.need(), at(10))
    to = next(each for each in company.technicians if each != booked.technician_id)
    given = await hand_over(house, company.desk, booked.id, to)
    assert {technician for technician, _ in await cells_of(company.db)} == {to}
    assert (given.travel_s, given.chosen and given.chosen["by"]) == (1200, "staff")
    again = await book(house, company.anna, company.need(), at(10))
    with pytest.raises(SlotTaken):
        await hand_over(house, company.desk, again.id, to)
    nobody = await hand_over(house, company.desk, booked.id, None)
    assert nobody.technician_id is None
    assert await own_cells(company, booked.id) == set()


@pytest.mark.parametrize("promised", [-3, 3])
async def test_work_begun_on_another_day_than_promised_is_in_everybodys_way(house: House, roads: Roads, promised: int) -> None:
    company = await settle(house.db, 2)
    waits, early = (
        await book(house, company.anna, company.need(), at(10)),
        await book(house, company.anna, company.need(), at(14)),
    )
    house.clock.now = at(9)  # type: ignore[attr-defined]
    [busy] = {*company.technicians} - {waits.technician_id}
    values = {"technician_id": busy, "arrival_at": at(9, days=promised), "ends_at": at(10, days=promised)}
    async with company.db.transaction() as tx:
        await tx.change(promised_cells.delete().where(promised_cells.c.appointment_id == early.id))
        await tx.change(update(rows).where(rows.c.id == early.id).values(values))
    house.clock.move(minutes=45)  # type: ignore[attr-defined]
    await take_step(house, Actor(Role.TECHNICIAN, technician=busy), early.id, Wish(step=Step.ARRIVE))
    with pytest.raises(SlotTaken):
        await hand_over(house, company.desk, waits.id, busy)
    for other in company.technicians:
        if other != busy:
            async with company.db.transaction() as tx:
                await technicians.change(tx, other, active=False)
    found = await times(house, company.desk, company.need(), house.clock().date(), 1)
    offered = [each.arrival_at for day in found.days for each in day.offers]
    assert offered
    assert min(offered) >= house.clock() + timedelta(minutes=60)


async def test_a_visit_handed_over_late_onto_work_done_that_was_promised_for_another_day_is_refused_in_words(
    house: House, roads: Roads
) -> None:
    company = await settle(house.db, 2)
    waits, early = (
        await book(house, company.anna, company.need(), at(10)),
        await book(house, company.anna, company.need(), at(14)),
    )
    [busy] = {*company.technicians} - {waits.technician_id}
    values = {"technician_id": busy, "arrival_at": at(9, days=3), "ends_at": at(10, days=3)}
    async with company.db.transaction() as tx:
        await tx.change(promised_cells.delete().where(promised_cells.c.appointment_id == early.id))
        await tx.change(update(rows).where(rows.c.id == early.id).values(values))
    for time, step in ((at(10), Step.ARRIVE), (at(10, 20), Step.COMPLETE)):
        house.clock.now = time  # type: ignore[attr-defined]
        await take_step(house, company.desk, early.id, Wish(step=step))
    with pytest.raises(SlotTaken):
        await hand_over(house, company.desk, waits.id, busy)
    assert (await now_of(company, waits.id)).technician_id == waits.technician_id


async def test_appointments_put_there_by_hand_are_adopted(house: House, company: Bookable) -> None:
    booked = await book(house, company.anna, company.need(), at(10))
    async with company.db.transaction() as tx:
        await tx.change(promised_cells.delete())
    assert await adopt_once(house) == 1
    assert await own_cells(company, booked.id) == stretch(at(9, 40), at(11))
    assert await adopt_once(house) == 0


class HandedOverMeanwhile(Roads):
    """Roads whose first question takes so long that the desk gives the visit to somebody else before it is answered."""

    def __init__(self, house: House, company: Bookable, visit: str, technician: str) -> None:
        super().__init__(20)
        self._then: list[Any] = [hand_over(house, company.desk, visit, technician)]

    async def matrix(self, sources: list[Point], targets: list[Point]) -> list[list[Hop | None]]:
        while self._then:
            await self._then.pop()
        return await super().matrix(sources, targets)


async def test_who_moves_what_is_handed_over_meanwhile_is_not_told_to_come_again(house: House, roads: Roads) -> None:
    company = await settle(house.db, 2)
    booked = await book(house, company.anna, company.need(), at(9))
    [other] = {*company.technicians} - {booked.technician_id}
    house.travels = TravelMemory()
    drive(house, HandedOverMeanwhile(house, company, booked.id, other))
    after = await move(house, company.anna, booked.id, at(13))
    assert (after.arrival_at, after.technician_id) == (at(13), other)
    assert {owner for owner in (await cells_of(company.db)).values()} == {booked.id}

    house.travels = TravelMemory()
    drive(house, HandedOverMeanwhile(house, company, booked.id, str(booked.technician_id)))
    with pytest.raises(VersionMismatch):  # who said what was seen reads what changed first
        await move(house, company.anna, booked.id, at(15), version=after.version)
