"""What viewers get of what is published: order, closings, gaps, losses, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest

from tests.live.hubs import TECHNICIAN, VISIT, Process, Shelf, process, until, utc
from tracker.domain.appointments import State
from tracker.live import keys
from tracker.live.control import Ask


@pytest.fixture
async def here(redis_url: str) -> AsyncIterator[Process]:
    async with process(redis_url) as one:
        yield one


@pytest.fixture
async def there(redis_url: str, here: Process) -> AsyncIterator[Process]:
    async with process(redis_url) as one:
        yield one


async def positions_in(shelf: Shelf) -> list[Any]:
    return [frame["position"] for frame in shelf.frames if frame.get("position")]


async def moved(one: Process, shelf: Shelf, lat: float) -> None:
    """A ping, seen by the viewer."""
    assert (await one.ping(lat=lat)).moved
    await until(lambda: any((frame.get("position") or {}).get("lat") == lat for frame in shelf.frames))


async def test_a_viewer_gets_a_snapshot_and_then_what_happens(here: Process, there: Process) -> None:
    await here.open_gate()
    viewer, shelf = await here.watching()
    assert shelf.frames[0]["position"] is None
    for step in range(2):
        await moved(there, shelf, 60.1 + step / 1000)
        here.hub.seen(viewer, shelf.frames[-1]["offset"])
    await there.told(State.IN_PROGRESS)
    await until(lambda: "state" in shelf.kinds())
    assert shelf.rising()


async def test_the_first_position_of_a_leg_comes_with_a_snapshot_that_asked_sql(here: Process) -> None:
    await here.open_gate()
    _, shelf = await here.watching()
    here.state = "scheduled"  # SQL does not agree (yet)
    await here.ping()
    await until(lambda: len(shelf.frames) == 2)
    assert shelf.kinds() == ["snapshot", "snapshot"]
    assert await positions_in(shelf) == []
    here.state = "traveling"
    await here.ping(lat=60.2)
    await until(lambda: len(shelf.frames) == 3)
    assert [p["lat"] for p in await positions_in(shelf)] == [60.2]


async def test_updates_that_sql_does_not_let_out_do_not_each_ask_it_again(here: Process) -> None:
    await here.open_gate()
    _, shelf = await here.watching()
    here.state = "scheduled"
    began, before = asyncio.get_running_loop().time(), here.looks
    for step in range(40):
        looks = here.looks
        await here.ping(lat=60.1 + step / 1000)
        if step == 0:
            await until(lambda: here.looks > looks)  # noqa: B023
    assert here.looks - before <= 2 + (asyncio.get_running_loop().time() - began)
    assert await positions_in(shelf) == []
    here.state = "traveling"  # SQL lets them out: the last one comes without another ping
    await until(lambda: bool(shelf.frames[-1].get("position")))
    assert shelf.rising()


async def test_a_viewer_whose_door_was_full_gets_its_snapshot_when_it_is_not(here: Process) -> None:
    await here.open_gate()
    viewer, shelf = here.watch()
    shelf.open = False
    await until(lambda: bool(shelf.waiting))
    assert shelf.frames == []
    shelf.unblock()
    await until(lambda: shelf.kinds() == ["snapshot"])
    assert viewer.joined


async def test_a_look_that_every_ping_crosses_is_told_all_the_same(here: Process) -> None:
    """SQL slower than the phone: were each update to spoil the look under way, nobody would ever see the technician."""
    await here.open_gate()
    lat = 60.0

    async def ping_meanwhile() -> None:
        nonlocal lat
        offset = here.hub.channels[VISIT].offset
        lat += 0.001
        await here.ping(lat=lat)
        await until(lambda: here.hub.channels[VISIT].offset > offset)

    here.before_sql = ping_meanwhile
    _, shelf = here.watch()
    await until(lambda: bool(shelf.frames))
    await until(lambda: shelf.frames[-1].get("position") is not None)
    print(f"{here.looks} looks")
    assert here.looks <= 3
    assert shelf.rising()


async def test_a_slow_viewer_gets_two_updates_and_then_the_newest(here: Process) -> None:
    await here.open_gate()
    viewer, shelf = await here.watching()
    await moved(here, shelf, 60.0)
    for step in range(1, 50):
        await here.ping(lat=60.0 + step / 1000)
    await here.told(State.IN_PROGRESS)
    await until(lambda: shelf.kinds()[-1] == "state")
    assert shelf.kinds() == ["snapshot", "snapshot", "update", "update", "state"]
    here.hub.seen(viewer, shelf.offsets()[-1])
    assert shelf.kinds()[-1] == "state"


async def test_after_a_closing_was_answered_no_position_leaves_any_process(here: Process, there: Process) -> None:
    await here.open_gate()
    slow, slow_shelf = await there.watching()
    quick, quick_shelf = await here.watching()
    await moved(here, slow_shelf, 60.0)
    for step in range(1, 10):
        await here.ping(lat=60.0 + step / 1000)
    await until(lambda: len(slow_shelf.frames) == 4)
    assert slow.newest is not None, "the slow one owes credit, so a position waits for it"
    await here.positions.close(TECHNICIAN, VISIT, 2)
    assert slow.newest is None
    before = len(slow_shelf.frames), len(quick_shelf.frames)
    there.hub.seen(slow, 10_000)
    here.hub.seen(quick, 10_000)
    await here.ping(lat=61.0)
    here.state = there.state = "in_progress"
    await here.told(State.IN_PROGRESS)
    await until(lambda: slow_shelf.kinds()[-1] == "state" and quick_shelf.kinds()[-1] == "state")
    assert await positions_in(_after(slow_shelf, before[0])) == []
    assert await positions_in(_after(quick_shelf, before[1])) == []


def _after(shelf: Shelf, count: int) -> Shelf:
    rest = Shelf()
    rest.frames = shelf.frames[count:]
    return rest


async def test_a_look_that_began_before_the_closing_shows_nothing_after_it(here: Process, there: Process) -> None:
    await here.open_gate()
    await here.ping()
    reading, go = asyncio.Event(), asyncio.Event()

    async def stall() -> None:
        reading.set()
        await go.wait()

    there.before_sql = stall
    _, shelf = there.watch()
    await asyncio.wait_for(reading.wait(), 60)  # Redis was read, SQL not yet: it holds the position
    await here.positions.close(TECHNICIAN, VISIT, 2)
    there.before_sql = None
    go.set()
    await until(lambda: bool(shelf.frames))
    assert shelf.frames[0]["position"] is None
    assert there.looks == 2


async def test_a_lost_subscription_ends_in_a_snapshot_with_all_missed_states(here: Process, there: Process) -> None:
    await here.open_gate()
    _, shelf = await here.watching()
    await moved(here, shelf, 60.0)
    lost = asyncio.Event()
    here.subscription.on_lost.append(lost.set)
    await there.client.client_kill_filter(_type="pubsub")
    await asyncio.wait_for(lost.wait(), 60)
    assert not here.subscription.connected.is_set()
    here.state = "in_progress"
    for state in (State.IN_PROGRESS, State.TRAVELING, State.IN_PROGRESS):
        await there.told(state)
    await until(lambda: shelf.kinds().count("state") == 3)
    last = max(i for i, kind in enumerate(shelf.kinds()) if kind == "snapshot")
    assert shelf.frames[last]["recovered"] is True
    assert [f["state"] for f in shelf.frames if f["type"] == "state"] == ["in_progress", "traveling", "in_progress"]
    assert shelf.rising()


async def test_an_emptied_redis_means_a_new_epoch_and_a_snapshot(here: Process) -> None:
    await here.open_gate()
    _, shelf = await here.watching()
    await moved(here, shelf, 60.0)
    first = shelf.frames[0]["epoch"]
    await here.client.flushall()
    here.versions.clear()
    assert (await here.ping(lat=60.5)).code == "g", "without a gate nothing is kept"
    await here.told(State.TRAVELING)
    await until(lambda: shelf.frames[-1]["type"] == "state")
    snapshots = [frame for frame in shelf.frames if frame["type"] == "snapshot"]
    assert snapshots[-1]["epoch"] != first
    assert snapshots[-1]["recovered"] is False
    assert snapshots[-1]["position"] is None


async def test_who_comes_back_is_told_the_states_that_were_missed(here: Process) -> None:
    await here.open_gate()
    viewer, shelf = await here.watching()
    await moved(here, shelf, 60.0)
    epoch, offset = shelf.frames[-1]["epoch"], shelf.frames[-1]["offset"]
    here.hub.leave(viewer)
    here.state = "in_progress"
    await here.told(State.IN_PROGRESS)
    _, again = await here.watching((epoch, offset))
    await until(lambda: len(again.frames) == 2)
    assert again.kinds() == ["snapshot", "state"]
    assert again.frames[0]["recovered"] is True
    assert again.offsets() == [offset, offset + 1]
    for strange in [("other", 1), (epoch, offset + 99)]:
        _, stranger = await here.watching(strange)
        assert stranger.frames[0]["recovered"] is False


async def test_with_another_technician_the_hub_hears_the_other_bucket(here: Process) -> None:
    await here.open_gate()
    _, shelf = await here.watching()
    await moved(here, shelf, 60.0)
    await here.positions.close(TECHNICIAN, VISIT, 2)
    here.technician, here.leg = "other", "leg2"
    assert keys.bucket("other") != keys.bucket(TECHNICIAN)
    await here.control.tell(Ask.LOOK_AGAIN, VISIT)
    await until(lambda: here.hub.channels[VISIT].technician == "other" and shelf.frames[-1]["type"] == "snapshot")
    await here.open_gate(leg="leg2", technician="other")
    await here.ping(technician="other", lat=60.7)
    await until(lambda: (shelf.frames[-1].get("position") or {}).get("lat") == 60.7)
    before = len(shelf.frames)
    await here.open_gate(3)
    await here.ping(lat=60.8)  # the one before drives on: nobody hears that here
    await here.ping(technician="other", lat=60.9)
    await until(lambda: len(shelf.frames) > before)
    assert (shelf.frames[before]["position"] or {}).get("lat") != 60.8


async def test_an_ended_session_is_closed_everywhere_before_the_answer(here: Process, there: Process) -> None:
    _, mine = await here.watching(session="gone")
    _, other = await there.watching(session="gone")
    _, stays = await there.watching(session="stays")
    assert await here.control.ask("session", "gone")
    assert (mine.code, other.code, stays.code) == (4401, 4401, None)


async def test_who_comes_while_sessions_are_judged_is_not_taken_for_ended(here: Process) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(sessions: Collection[str]) -> set[str]:
        asked.set()
        await go_on.wait()
        return {"lives"} & set(sessions)

    here.hub._living = slowly
    _, lives = here.watch(session="lives")
    _, ended = here.watch(session="ended")
    here.hub._back()
    await asked.wait()
    _, late = here.watch(session="late")
    go_on.set()
    await until(lambda: ended.code == 4401 and bool(lives.frames) and bool(late.frames or late.code))
    assert (lives.code, late.code) == (None, None)


async def test_the_tick_beats_and_closes_who_ran_out(here: Process) -> None:
    await here.open_gate()
    viewer, shelf = await here.watching()
    late, late_shelf = await here.watching()
    owing, owing_shelf = await here.watching()
    viewer.wrote -= 15
    late.expires = utc()
    owing.sent(1, asyncio.get_running_loop().time() - 61)
    await here.hub.tick()
    assert shelf.kinds()[-1] == "beat"
    assert (shelf.code, late_shelf.code, owing_shelf.code) == (None, 4401, 1008)


async def test_control_waits_for_deeds_and_says_so_when_one_fails(here: Process, there: Process) -> None:
    done = asyncio.Event()

    async def deed(_id: str) -> None:
        await asyncio.sleep(0)
        done.set()

    there.control.on(Ask.REPLACE_DEVICE, deed)
    assert await here.control.ask("device", "d")
    assert done.is_set()
    done.clear()
    assert await there.control.ask("device", "d", spare_me=True)
    assert not done.is_set()

    async def broken(_id: str) -> None:
        raise ValueError

    there.control.on(Ask.REPLACE_DEVICE, broken)
    assert not await here.control.ask("device", "d", wait_s=0.2)


async def test_the_last_viewer_takes_the_subscription_along(here: Process) -> None:
    viewer, _ = await here.watching()
    channel = keys.visit_channel(TECHNICIAN, VISIT)
    assert dict(await here.client.pubsub_numsub(channel)) == {channel.encode(): 1}
    here.hub.leave(viewer)

    async def gone() -> bool:
        return dict(await here.client.pubsub_numsub(channel)) == {channel.encode(): 0}

    async with asyncio.timeout(60):
        while not await gone():  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)
    assert here.hub.channels == {}


async def test_a_thousand_viewers_of_one_visit_need_few_looks(here: Process) -> None:
    await here.open_gate()
    shelves = [here.watch()[1] for _ in range(1000)]
    await until(lambda: all(shelf.frames for shelf in shelves))
    print(f"1000 viewers joined with {here.looks} looks")
    assert here.looks <= 4
