"""Looks of a hub: what many visits are just now, read together with the statements of one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.live.hubs import Shelf, Someone, until, utc
from tests.world import World
from tracker.actions.house import House
from tracker.actions.trip.looks import MOST, hub_look, look
from tracker.errors import NotFound
from tracker.live.viewers import Watch
from tracker.records.database import Database


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """Every SELECT that is run meanwhile."""
    said: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            said.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", heard)
    yield said
    event.remove(db.engine.sync_engine, "before_cursor_execute", heard)


@pytest.fixture
async def hubbed(house: House) -> AsyncIterator[House]:
    await house.hub.start(hub_look(house), house.positions.events_after)
    await asyncio.wait_for(house.hub.subscription.connected.wait(), 60)
    yield house
    await house.hub.stop()


async def test_after_a_nap_every_visit_is_looked_at_with_few_statements(hubbed: House, world: World) -> None:
    count = 2 * MOST
    visits = [await world.appointment(world.onni if n % 2 else world.maya) for n in range(count)]
    shelves = []
    for n, visit in enumerate(visits):
        shelves.append(Shelf())
        viewer = Watch(shelves[-1], visit, Someone(), "s", utc() + timedelta(hours=1))
        hubbed.hub.expect(viewer)
        hubbed.hub.join(viewer, world.onni if n % 2 else world.maya)
    await until(lambda: all(shelf.kinds() == ["snapshot"] for shelf in shelves))
    with statements(hubbed.db) as said:
        hubbed.hub._back()  # as after a lost subscription, and as after a nap: everybody is held
        await until(lambda: all(shelf.kinds() == ["snapshot"] * 2 for shelf in shelves))
    assert {frame["appointment"]["id"] for shelf in shelves for frame in shelf.frames} == set(visits)
    assert len(said) < count  # one by one it would be four for each


async def test_one_that_is_not_there_costs_the_others_nothing(house: House, world: World) -> None:
    ask, visit = hub_look(house), await world.appointment()
    seen, missing, again = await asyncio.gather(
        ask(visit, world.maya), ask("nothing", world.maya), ask(visit, None), return_exceptions=True
    )
    assert isinstance(missing, NotFound)
    alone = await look(house, visit, world.maya, house.clock())
    assert seen == alone
    assert not isinstance(again, BaseException)
    assert (again.appointment, again.epoch) == (alone.appointment, "")
