"""What viewers were told lands in SQL once, whatever dies between, and is gone with the points."""

import json
from datetime import timedelta

import pytest

from tests.world import World
from tracker.actions.house import House
from tracker.actions.trip.told import drain_once, told_of
from tracker.domain.appointments import State
from tracker.live import keys
from tracker.live.streams import Stream
from tracker.records import events


async def test_states_and_positions_are_kept_once(house: House, world: World) -> None:
    visit = await world.appointment()
    stream = Stream(house.positions.client, "told")
    now = house.clock()
    await house.positions.publish_state(world.maya, visit, State.TRAVELING, now, ended=False)
    position = {"lat": 60.2, "lon": 24.9, "fix_at": "2026-11-24T12:02:00Z", "contact_at": "2026-11-24T12:02:01.000Z"}
    frame = {"ep": "e", "o": 7, "k": "update", "leg": "l", "p": position}
    await house.positions.client.xadd(f"{keys.tag(world.maya)}told", {"a": visit, "w": json.dumps(frame)})
    await house.positions.client.xadd(f"{keys.tag(world.maya)}told", {"a": visit, "w": "not ours"})
    entries, _ = await stream.read(10)
    async with house.db.transaction() as tx:  # a worker that died after its commit, before it could trim
        await events.insert_told(tx, [row for row in map(told_of, entries) if row])
    assert await drain_once(house, stream) == 3
    assert await drain_once(house, stream) == 0
    async with house.db.reading() as tx:
        rows = await events.told_of(tx, visit)
    told = sorted((row.epoch, row.offset, row.what) for row in rows if row.epoch == "e")
    assert told == [("e", 7, {"position": position})]
    assert [row.what for row in rows if row.epoch != "e"] == [{"state": "traveling"}]
    async with house.db.transaction() as tx:
        assert await events.purge_told(tx, now + timedelta(days=1)) == 2


@pytest.mark.parametrize("entry", [{}, {b"a": b"x", b"w": b"{}"}, {b"a": b"x", b"w": b'{"ep":"e","o":1,"k":"update"}'}])
def test_what_cannot_be_read_is_left_out(entry: dict[bytes, bytes]) -> None:
    assert told_of(entry) is None
