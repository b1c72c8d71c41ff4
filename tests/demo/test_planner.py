"""The demo's day: everybody has something to do, the customer is never forgotten, and a visit can be booked for now."""

import random
from datetime import datetime, timedelta
from itertools import chain, pairwise

import pytest

from tests.world import NOW, Clock, process
from tracker.actions import overview
from tracker.actions.booking.booking import Need, book, choices, times
from tracker.demo import cast
from tracker.demo.planner import AHEAD, NEAR_M, Planner
from tracker.demo.seed import Demo, appointment, put, seed
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State
from tracker.domain.geo import Point, distance_m
from tracker.records import appointments, people
from tracker.records.appointments import Appointment
from tracker.records.database import Database

HOME = cast.place_of(cast.CUSTOMER[2])


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The demo's database is SQLite."""
    return sqlite_url


@pytest.fixture
async def demo(db: Database) -> Demo:
    return await seed(db, 12, NOW)


async def day(db: Database, technician: str) -> list[Appointment]:
    async with db.reading() as tx:
        return await appointments.of_technician(tx, technician, NOW - timedelta(days=1), NOW + timedelta(days=1))


async def days(db: Database, demo: Demo) -> dict[str, list[Appointment]]:
    """Everybody's day, at one moment."""
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    async with db.reading() as tx:
        return {driver.id: await appointments.of_technician(tx, driver.id, since, until) for driver in demo.drivers}


async def customers_own(db: Database, demo: Demo) -> list[Appointment]:
    async with db.reading() as tx:
        return await appointments.of_accounts(tx, frozenset({demo.account}))


async def all_done(db: Database, demo: Demo, now: datetime) -> None:
    """Everybody does in no time what was promised up to now."""
    async with db.transaction() as tx:
        for visit in chain.from_iterable((await days(db, demo)).values()):
            if visit.state is State.SCHEDULED and visit.arrival_at <= now:
                done = {"started_at": visit.arrival_at, "completed_at": now}
                await appointments.change(tx, visit, state=State.COMPLETED, **done)


async def test_an_evening_leaves_nobody_idle_and_nobody_twice_at_once(db: Database, demo: Demo) -> None:
    planner = Planner(db, demo, b"secret")
    for minute in range(0, 90):
        now = NOW + timedelta(minutes=minute)
        await all_done(db, demo, now)
        await planner.turn(now)
        soon = now + timedelta(minutes=25)
        theirs = [one for one in await customers_own(db, demo) if one.state is State.SCHEDULED and one.arrival_at < soon]
        assert theirs, "the customer has somebody on the way, or soon"
        planned = await days(db, demo)
        for driver in demo.drivers:
            visits = planned[driver.id]
            ahead = [visit for visit in visits if visit.state is State.SCHEDULED]
            arrivals = [visit.arrival_at for visit in ahead]
            assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(arrivals))
            assert len(ahead) <= 3
            if driver not in demo.standby:
                assert ahead
                assert ahead[0].arrival_at < now + AHEAD


async def test_after_a_night_asleep_the_overdue_is_moved_to_now_and_what_was_booked_for_later_stays(
    db: Database, demo: Demo
) -> None:
    planner = Planner(db, demo, b"secret")
    await planner.turn(NOW)
    booked = appointment(demo.account, demo.services[0], HOME, NOW + timedelta(hours=15), technician_id=demo.drivers[0].id)
    async with db.transaction() as tx:
        await put(tx, booked)
    morning = NOW + timedelta(hours=9)
    await planner.turn(morning)
    for driver in demo.drivers:
        ahead = [visit for visit in await day(db, driver.id) if visit.state is State.SCHEDULED]
        assert all(visit.arrival_at > morning for visit in ahead)
        assert ahead or driver in demo.standby
    async with db.reading() as tx:
        kept = await appointments.by_id(tx, booked.id)
    assert kept is not None
    assert kept.arrival_at == booked.arrival_at


async def test_who_stands_by_is_sent_far_away_again_after_a_visit_to_the_customer(db: Database, demo: Demo) -> None:
    planner, driver = Planner(db, demo, b"secret"), demo.standby[0]
    await planner.turn(NOW)
    assert await day(db, driver.id) == []
    done = {"state": State.COMPLETED, "started_at": NOW, "completed_at": NOW}
    async with db.transaction() as tx:
        await put(tx, appointment(demo.account, demo.services[0], HOME, NOW, technician_id=driver.id, **done))
    await planner.turn(NOW)
    await planner.turn(NOW)
    [_, away] = await day(db, driver.id)
    assert distance_m(away.place, HOME.point) > NEAR_M


async def test_a_visit_booked_for_now_is_somebodys_who_stands_by_far_enough_to_be_seen_coming(
    db: Database, demo: Demo, redis_url: str
) -> None:
    planner = Planner(db, demo, b"secret")
    await planner.turn(NOW)
    async with process(db, redis_url, Clock(NOW)) as house:
        await house.settings.refresh(db)
        async with db.reading() as tx:
            kaisa = await people.by_email(tx, cast.CUSTOMER[1])
        assert kaisa is not None
        actor = Actor(Role.CUSTOMER, kaisa.id, kaisa.name, accounts=frozenset({demo.account}))
        offered = await choices(house, actor, demo.account)
        assert len(offered.assets) == 2
        assert len(offered.services) == len(cast.SERVICES)
        need = Need(account=demo.account, service_type=random.Random(1).choice(demo.services), asset=offered.assets[0].id)
        found = await times(house, actor, need)
        first = found.days[0].offers[0].arrival_at
        assert first - NOW <= timedelta(minutes=20)
        booked = await book(house, actor, need, first)
        standby = {driver.id: driver for driver in demo.standby}
        assert booked.technician_id in standby
        assert distance_m(Point(*standby[booked.technician_id].home), HOME.point) > NEAR_M
        listed, _ = await overview.appointments_of(house, actor)
    assert booked.id in {one.id for one in listed}


async def test_the_customers_visits_are_in_every_state_and_at_decent_hours(db: Database, demo: Demo) -> None:
    found = await customers_own(db, demo)
    assert {one.state for one in found} == {State.SCHEDULED, State.COMPLETED, State.CANCELED}
    assert {one.asset_id is None for one in found} == {True, False}
    assert all(6 <= one.arrival_at.hour <= 16 for one in found)
    assert all(one.canceled_at < one.arrival_at + timedelta(hours=1) for one in found if one.canceled_at)
