"""The gate as the records say it: duty by the technician's own clock, a leg that ends, a pause, who may move the marker."""

from datetime import datetime, timedelta

from tests.world import HOME, NOW, Clock, World
from tracker.actions.house import House
from tracker.actions.trip.gates import gate_of, gates_of_all
from tracker.actions.trip.sharing import set_sharing
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.domain.visibility import inside
from tracker.live.gate import Gate
from tracker.records import legs, technicians
from tracker.records.technicians import Hours


async def gate(house: House, world: World) -> Gate:
    found = await gate_of(house, world.maya)
    assert found is not None
    assert found in await gates_of_all(house)  # the two ways of asking agree
    return found


def clock(house: House) -> Clock:
    assert isinstance(house.clock, Clock)
    return house.clock


async def work_hours(house: House, world: World, *hours: Hours) -> None:
    async with house.db.transaction() as tx:
        await technicians.set_hours(tx, world.maya, hours)


def maya(world: World) -> Actor:
    return Actor(Role.TECHNICIAN, technician=world.maya)


async def test_duty_goes_by_the_technicians_own_clock(house: House, world: World) -> None:
    await work_hours(house, world, Hours(1, 8 * 60, 16 * 60))  # Tuesday; NOW is Tuesday, 14:02 in Helsinki
    found = await gate(house, world)
    assert found.duty_end == datetime.fromisoformat("2026-11-24T16:00+02:00")
    assert found.not_before == datetime.fromisoformat("2026-11-24T08:00+02:00")
    assert (found.leg, found.appointment, found.cloak, found.device) == (None, None, None, world.phone)
    clock(house).move(hours=2)
    assert (await gate(house, world)).duty_end is None
    assert not (await gate(house, world)).keeps(clock(house).now)


async def test_a_started_leg_counts_as_duty_until_it_ends_by_itself(house: House, world: World) -> None:
    await work_hours(house, world)
    visit = await world.appointment()
    await take_step(house, maya(world), visit, Wish(step=Step.START_TRAVEL, device=world.other_phone))
    found = await gate(house, world)
    async with house.db.reading() as tx:
        leg = await legs.open_of(tx, world.maya)
    assert leg is not None
    assert (found.leg, found.appointment, found.since, found.duty_end) == (leg.id, visit, NOW, leg.hides_at)
    assert leg.hides_at >= NOW + timedelta(hours=2)
    assert found.device == world.other_phone  # the phone that took the step moves the marker
    assert inside(found.cloak, HOME)
    clock(house).now = leg.hides_at
    over = await gate(house, world)
    assert (over.leg, over.cloak, over.duty_end, over.device) == (None, None, None, world.phone)


async def test_nothing_from_before_the_end_of_a_pause_is_stored(house: House, world: World) -> None:
    await set_sharing(house, maya(world), world.maya, on=False, reason="lunch")
    paused = await gate(house, world)
    assert (paused.sharing, paused.keeps(clock(house).now)) == (False, False)
    resumed_at = clock(house).move(minutes=30)
    await set_sharing(house, maya(world), world.maya, on=True)
    resumed = await gate(house, world)
    assert (resumed.sharing, resumed.not_before) == (True, resumed_at)


async def test_whoever_left_the_company_is_never_on_duty(house: House, world: World) -> None:
    async with house.db.transaction() as tx:
        await technicians.change(tx, world.maya, active=False)
    found = await gate_of(house, world.maya)
    assert found is not None
    assert found.duty_end is None
    assert world.maya not in {each.technician for each in await gates_of_all(house)}
    assert await gate_of(house, "0" * 16) is None


async def test_every_change_raises_the_fence(house: House, world: World) -> None:
    visit = await world.appointment()
    fences = [(await gate(house, world)).gen]
    for step in (Step.START_TRAVEL, Step.ARRIVE, Step.UNDO, Step.UNDO):
        await take_step(house, maya(world), visit, Wish(step=step))
        fences.append((await gate(house, world)).gen)
    await set_sharing(house, maya(world), world.maya, on=False)
    fences.append((await gate(house, world)).gen)
    assert fences == sorted(set(fences))
