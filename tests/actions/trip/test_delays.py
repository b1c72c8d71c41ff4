"""A delay is told before anybody has set off: one letter however many workers look, and again only if it worsens (E5)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import update

from tests.post.catcher import Catcher, catcher
from tests.world import NOW, Clock, World
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.overview import late_of
from tracker.actions.trip.delays import look_once
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.views import LiveView
from tracker.actions.trip.visits import Wish, take_step
from tracker.actions.trip.watching import live_view
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.records import appointments, customers, schema, settings

DESK = Actor(Role.DISPATCHER, person="desk")


@dataclass
class Day:
    """Maya's: a visit at two, and Anna's two hours later, ten minutes away."""

    house: House
    world: World
    first: str
    annas: str
    caught: Catcher

    async def step(self, step: Step) -> None:
        maya = Actor(Role.TECHNICIAN, technician=self.world.maya)
        await take_step(self.house, maya, self.first, Wish(step=step))

    async def at(self, minutes: float) -> list[str]:
        """Two workers look at once, so many minutes after two, and the post goes out: the subjects of what is late."""
        cast(Clock, self.house.clock).now = NOW + timedelta(minutes=minutes)
        told = await asyncio.gather(look_once(self.house), look_once(self.house))
        before = len(self.caught.letters)
        await Postman(self.house).turn()
        came = [each.message["Subject"] for each in self.caught.letters[before:]]
        late = [subject for subject in came if "late" in subject]
        assert len(late) == sum(told)
        return late

    async def shown(self) -> LiveView:
        return await live_view(self.house, DESK, self.annas, self.house.clock())

    async def set(self, key: str, value: object) -> None:
        async with self.house.db.transaction() as tx:
            await settings.write(tx, key, value, "test", self.house.clock())
        await self.house.settings.refresh(self.house.db)


@pytest.fixture
async def day(house: House, world: World) -> AsyncIterator[Day]:
    first, annas = await world.appointment(), await world.appointment(arrival_at=NOW + timedelta(hours=2))
    async with house.db.transaction() as tx:
        [anna] = await customers.contacts_of(tx, world.account)
        values = {"contact_id": anna.id, "travel_s": 600}
        await tx.change(update(schema.appointments).where(schema.appointments.c.id == annas).values(values))
    async with catcher() as caught:
        house.post = caught.post()
        yield Day(house, world, first, annas, caught)


async def test_told_once_again_when_it_worsens_and_at_most_three_times(day: Day) -> None:
    assert await day.at(10) == []  # nobody has pressed anything: nobody knows
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=40)
    await day.step(Step.ARRIVE)
    assert await day.at(41) == ["Maya is running late, expected 16:00 to 16:50"]
    letter = day.caught.letters[-1]
    assert letter.message["To"] == "Anna <anna@example.org>"
    assert "Instead of 16:02. As of 14:43, Helsinki time (EET, UTC+2)." in letter.text
    assert f"/appointments/{day.annas}/modify" in letter.text
    shown = (await day.shown()).public()["expected"]
    assert shown == {"low": "2026-11-24T14:00:00.000Z", "high": "2026-11-24T14:50:00.000Z", "as_of": "2026-11-24T12:43:00.000Z"}
    visit = (await day.shown()).appointment
    assert (await late_of(day.house, [visit])).keys() == {day.annas}
    assert await day.at(120) == []
    assert await day.at(148) == ["Maya is running late, expected 16:40 to 17:10"]  # work should have ended at 16:12
    assert await day.at(155) == []
    assert len(await day.at(170)) == 1
    assert await day.at(215) == []


async def test_taken_back_when_it_mends_and_gone_when_another_technician_comes(day: Day) -> None:
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=40)
    await day.step(Step.ARRIVE)
    assert len(await day.at(41)) == 1
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=70)
    await day.step(Step.COMPLETE)
    assert await day.at(71) == []
    assert (await day.shown()).expected is None
    await day.at(190)  # free, and has not set off
    assert (await day.shown()).expected is not None
    await hand_over(day.house, DESK, day.annas, day.world.onni)
    assert (await day.shown()).expected is None
    assert await day.at(195) == []


async def test_dropped_when_the_visit_is_moved_before_it_goes_and_said_of_the_new_time_only(day: Day) -> None:
    await day.step(Step.ARRIVE)
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=125)
    assert await look_once(day.house) == 1
    async with day.house.db.transaction() as tx:
        visit = await appointments.locked(tx, day.annas)
        assert visit
        later = visit.arrival_at + timedelta(hours=3)
        await appointments.change(tx, visit, arrival_at=later, ends_at=later + timedelta(minutes=90))
    assert await day.at(126) == []
    assert (await day.shown()).expected is None


@pytest.mark.parametrize(("key", "value"), [("delay_min", 0), ("technician_tracking", False), ("letters_off", ["delay"])])
async def test_switched_off(day: Day, key: str, value: object) -> None:
    await day.set(key, value)
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=40)
    await day.step(Step.ARRIVE)
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=41)
    assert await look_once(day.house) == (key == "letters_off")
    await Postman(day.house).turn()
    assert day.caught.letters == []


async def test_who_cannot_move_it_here_is_told_whom_to_call(day: Day) -> None:
    await day.set("modify_allowed", False)
    cast(Clock, day.house.clock).now = NOW + timedelta(minutes=40)
    await day.step(Step.ARRIVE)
    await day.at(41)
    assert "Call the service desk." in day.caught.letters[-1].text
    assert "/modify" not in day.caught.letters[-1].text
