"""Attempts to see too much (F22), through real sockets and polling on two processes; asserted by order, not by time."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from statistics import fmean

import httpx
import pytest
import pytest_asyncio
import websockets
from sqlalchemy import update

from portal_web.sources import visit_of
from tests.web.live_scene import Scene, Viewer, scene, somewhere
from tests.world import HOME, PLACE
from tracker.actions.trip import gates, sharing, telling
from tracker.actions.trip.views import stamp
from tracker.actions.trip.watching import look
from tracker.domain.appointments import Role, State, Step
from tracker.domain.geo import Point, decode_polyline6, distance_m, moved
from tracker.domain.visibility import Cloak, cloak_zone, coarse_eta, inside
from tracker.domain.ways import Basis, StoredRoute
from tracker.live.gate import Gate
from tracker.records import anchors, appointments, events, legs, schema, settings, technicians

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    data = tmp_path_factory.mktemp("privacy")
    async with scene(f"sqlite+aiosqlite:///{data / 'tracker.db'}", valkey_url, data) as played:
        yield played


@pytest_asyncio.fixture(loop_scope="module")
async def play(stage: Scene) -> AsyncIterator[Scene]:
    await stage.begin()
    yield stage
    await stage.finish()


class Watchers:
    """The customer on every process by socket and by polling, quick and slow: everybody who could be told too much."""

    def __init__(self, play: Scene, visit: str, token: str, viewers: list[Viewer]) -> None:
        self.play, self.visit, self.token, self.viewers = play, visit, token, viewers

    @classmethod
    async def of(cls, play: Scene, visit: str) -> "Watchers":
        _, token = await play.cookie(play.world.customer)
        ways = [(0, False), (1, False), (0, True), (1, True)]
        return cls(play, visit, token, [await play.watch_with(token, visit, at=at, slow=slow) for at, slow in ways])

    async def positions(self) -> int:
        """How many positions anybody has; polling is asked now."""
        polled = [(await self.play.get(self.visit, self.token, at=at)).json() for at in (0, 1)]
        assert not any(answer["route"] for answer in polled if not answer["position"])
        return sum(len(v.places) for v in self.viewers) + sum(1 for answer in polled if answer["position"])

    async def settle(self) -> None:
        """Everything that was sent before this has arrived: each process answers a new socket after it."""
        for at in (0, 1):
            assert (await self.play.watch_with(self.token, self.visit, at=at)).frames
        for viewer in self.viewers:
            if viewer.code is None:
                await asyncio.wait_for(await viewer.socket.ping(), 60)

    async def see_nothing_of(self, *points: tuple[float, float]) -> None:
        """None of these places is known to anybody, and polling shows no position."""
        await self.settle()
        for viewer in self.viewers:
            assert not set(viewer.places) & {tuple(point) for point in points}
        for at in (0, 1):
            answer = (await self.play.get(self.visit, self.token, at=at)).json()
            assert answer["position"] is None
            assert answer["route"] is None


async def test_before_travel_nothing_is_seen(play: Scene) -> None:
    visit = await play.appointment()
    watchers = await Watchers.of(play, visit)
    async with play.house.db.reading() as tx:
        on_duty = await technicians.by_id(tx, play.world.maya)
    assert on_duty is not None
    await gates.open_gate(play.house, play.world.maya)
    assert (await play.ping(somewhere(1))).code == "k"
    await watchers.see_nothing_of(somewhere(1))


@pytest.mark.parametrize("closing", [Step.ARRIVE, Step.CANCEL, Step.UNDO, Step.NOT_DONE])
async def test_after_the_answer_to_a_closing_step_no_position_reaches_anyone(play: Scene, closing: Step) -> None:
    """Quick readers, slow readers that owe credits, polling; while pings keep coming on."""
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    for step in range(1, 8):
        await play.ping(somewhere(step))
    await watchers.viewers[0].until(lambda v: somewhere(7) in v.places)
    arrived = asyncio.Event()
    driving = asyncio.create_task(_drive(play, arrived))
    reason = {"reason": "nobody there"} if closing in (Step.CANCEL, Step.NOT_DONE) else {}
    await play.step(visit, closing, actor=play.staff, **reason)
    await watchers.settle()  # whatever left before the answer has been read by now
    before = [len(viewer.frames) for viewer in watchers.viewers]
    for viewer in watchers.viewers:
        await viewer.seen(10_000)  # the slow ones pay what they owe: nothing may have waited for that
    arrived.set()
    await driving
    for step in range(300, 320):
        await play.ping(somewhere(step))
    await watchers.see_nothing_of(*(somewhere(step) for step in range(300, 320)))
    for viewer, count in zip(watchers.viewers, before, strict=True):
        assert [f for f in viewer.frames[count:] if f.get("position")] == []
        assert viewer.rising()


async def _drive(play: Scene, arrived: asyncio.Event) -> None:
    for step in range(8, 300):
        if arrived.is_set():
            return
        await play.ping(somewhere(step))
        await asyncio.sleep(0)


async def test_another_appointment_of_the_same_customer_shows_nothing(play: Scene) -> None:
    other = await play.appointment()
    watchers = await Watchers.of(play, other)
    seen = await play.watch(await play.travel())
    await play.shown(seen, somewhere(1))
    await watchers.see_nothing_of(somewhere(1))


async def test_the_technician_before_is_not_seen_after_a_reassignment_nor_sees(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    herself = await play.watch(visit, play.world.technician)
    await play.shown(watchers.viewers[0], somewhere(1))
    await _reassign(play, visit, play.world.onni)
    await play.house.control.tell("look", visit)
    await play.ping(somewhere(2))  # Maya drives on
    assert await herself.until_closed() == 4403
    await watchers.see_nothing_of(somewhere(2))
    before = len(herself.places)
    await _start_travel_of_the_other(play, visit)
    await play.ping(somewhere(3), technician=play.world.onni, device=play.world.other_phone)
    await watchers.viewers[1].until(lambda v: somewhere(3) in v.places)
    await play.ping(somewhere(4))
    await watchers.settle()
    assert all(somewhere(4) not in viewer.places for viewer in watchers.viewers)
    assert len(herself.places) == before
    async with play.house.db.transaction() as tx:
        await tx.change(update(schema.appointments).where(schema.appointments.c.id == visit).values(state=State.CANCELED))
    await play.house.positions.client.flushall()


async def _reassign(play: Scene, visit: str, technician: str) -> None:
    """As staff's hand-over does: the leg is closed before the commit that names another technician."""
    await play.step(visit, Step.UNDO, actor=play.staff)
    async with play.house.db.transaction() as tx:
        found = await appointments.locked(tx, visit)
        assert found is not None
        await appointments.change(tx, found, technician_id=technician)


async def _start_travel_of_the_other(play: Scene, visit: str) -> None:
    await play.step(visit, Step.START_TRAVEL, actor=play.staff, device=play.world.other_phone)


async def test_a_fix_from_before_the_leg_is_not_shown(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.ping(somewhere(1), at=play.house.clock() - timedelta(minutes=3))
    await watchers.see_nothing_of(somewhere(1))
    await play.shown(watchers.viewers[0], somewhere(2))


async def test_another_device_of_the_technician_is_not_shown(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.ping(somewhere(1), device="tablet")
    await watchers.see_nothing_of(somewhere(1))


async def test_what_redis_holds_of_another_leg_is_not_shown(play: Scene) -> None:
    """A gate of an old leg comes back to life (a stale writer): SQL names another leg, so nothing is shown."""
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    now = play.house.clock()
    stale = Gate(
        play.world.maya,
        10**6,
        duty_end=now + timedelta(hours=1),
        device=play.world.phone,
        leg="another",
        appointment=visit,
        since=now - timedelta(hours=1),
        interval_s=5,
    )
    assert await play.house.positions.set_gate(stale)
    for step in range(1, 5):
        assert (await play.ping(somewhere(step))).leg == "another"
    await watchers.see_nothing_of(*(somewhere(step) for step in range(1, 5)))
    async with play.house.db.transaction() as tx:  # let the fence catch up, so that the next test can open gates
        await technicians.change(tx, play.world.maya, gate_version=10**6)


async def test_a_contact_removed_between_the_handshake_and_the_first_frame_sees_nothing(play: Scene) -> None:
    """What a socket may see is what its owner may see when it asks, not when it was opened."""
    visit = await play.travel()
    await play.ping(somewhere(1))
    _, token = await play.cookie(play.world.customer)
    socket = await play.connect(play.servers[0], token)
    async with play.house.db.transaction() as tx:
        contacts = schema.contacts
        await tx.change(
            update(contacts).where(contacts.c.person_id == play.world.customer.id).values(ended_at=play.house.clock())
        )
    try:
        await socket.send(json.dumps({"type": "watch", "appointment": visit}))
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4403
    finally:
        async with play.house.db.transaction() as tx:
            await tx.change(update(contacts).where(contacts.c.person_id == play.world.customer.id).values(ended_at=None))


async def test_staff_turned_technician_between_the_handshake_and_the_first_frame_have_no_board(play: Scene) -> None:
    await play.travel()
    _, token = await play.cookie(play.world.dispatcher)
    socket = await play.connect(play.servers[0], token)
    desk = schema.people.c.id == play.world.dispatcher.id
    async with play.house.db.transaction() as tx:
        await tx.change(update(schema.people).where(desk).values(role=Role.TECHNICIAN))
    try:
        await socket.send(json.dumps({"type": "watch", "board": True}))
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4403
    finally:
        async with play.house.db.transaction() as tx:
            await tx.change(update(schema.people).where(desk).values(role=Role.DISPATCHER))


async def test_a_leg_that_ended_by_itself_shows_nothing(play: Scene) -> None:
    visit = await play.travel()
    async with play.house.db.transaction() as tx:
        leg = await legs.open_of(tx, play.world.maya)
        assert leg is not None
        await tx.change(update(schema.legs).where(schema.legs.c.id == leg.id).values(hides_at=play.house.clock()))
    watchers = await Watchers.of(play, visit)
    await play.ping(somewhere(1))
    await watchers.see_nothing_of(somewhere(1))
    assert watchers.viewers[0].snapshots[-1]["eta"]["basis"] == "booked"


async def test_a_pause_ends_what_is_seen_before_it_is_answered(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.shown(watchers.viewers[0], somewhere(1))
    await sharing.set_sharing(play.house, play.technician, play.world.maya, False, "lunch")
    assert (await play.ping(somewhere(2))).code == "u"
    await watchers.see_nothing_of(somewhere(2))
    told = (await play.get(visit, watchers.token)).json()
    assert told["technician"]["sharing"] is False
    assert "lunch" not in str(told)
    await sharing.set_sharing(play.house, play.technician, play.world.maya, True)
    play.versions.clear()  # the pause took her last place as well
    await play.shown(watchers.viewers[0], somewhere(3))


async def test_without_technician_tracking_customers_see_no_place_and_staff_keep_their_board(play: Scene) -> None:
    """Switched off under an open page (D4): both processes know within two seconds; switched on again it goes on."""
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.shown(watchers.viewers[0], somewhere(1))
    await _tracking(play, on=False)
    for viewer in watchers.viewers:
        await viewer.until(lambda v: v.snapshots[-1]["reason"] == "tracking_off")
    before = [len(viewer.places) for viewer in watchers.viewers]
    await play.ping(somewhere(2))  # the gate is not renewed yet: this is published, and let out by nobody
    await watchers.see_nothing_of(somewhere(2))
    await gates.open_gate(play.house, play.world.maya)
    await play.ping(somewhere(3))
    _, token = await play.cookie(play.world.dispatcher)
    board = await play.watch_with(token, None, board=True)
    assert board.frames[0]["technicians"][0]["position"]["lon"] == somewhere(3).lon
    await watchers.see_nothing_of(somewhere(3))
    assert [len(viewer.places) for viewer in watchers.viewers] == before
    told = (await play.get(visit, watchers.token)).json()
    assert (told["reason"], told["eta"]["basis"], told["state"]) == ("tracking_off", "booked", "traveling")
    await _tracking(play, on=True)
    for viewer in watchers.viewers:
        await viewer.until(lambda v: v.snapshots[-1]["reason"] is None)
    await gates.open_gate(play.house, play.world.maya)
    await play.shown(watchers.viewers[0], somewhere(4))


async def _tracking(play: Scene, *, on: bool) -> None:
    async with play.house.db.transaction() as tx:
        await settings.write(tx, "technician_tracking", on, "test", play.house.clock())
    await play.house.settings.refresh(play.house.db)


async def test_a_process_that_dies_between_commit_and_publish_leaves_nothing_to_see(play: Scene) -> None:
    """Closing, commit, death: viewers are told by the worker, and in the meantime there is no position."""
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.shown(watchers.viewers[0], somewhere(1))
    house, now = play.house, play.house.clock()
    async with house.db.transaction() as tx:
        technician = await technicians.locked(tx, play.world.maya)
        found = await appointments.locked(tx, visit)
        assert technician is not None
        assert found is not None
        assert found.leg_id is not None
        await legs.end(tx, found.leg_id, now, "arrive")
        await house.positions.close(technician.id, visit, await technicians.next_gate(tx, technician))
        await appointments.change(tx, found, state=State.IN_PROGRESS, leg_id=None, started_at=now)
        await events.add(tx, visit, "in_progress", now, "test", {})
    # here its process was killed: neither gate nor state was published by it
    await play.ping(somewhere(2))
    await watchers.see_nothing_of(somewhere(2))
    assert await telling.tell_what_is_left(house, house.clock()) >= 1
    for viewer in watchers.viewers:
        await viewer.until_state("in_progress")


async def test_a_process_that_dies_between_closing_and_commit_shows_nothing_until_sql_says_so(play: Scene) -> None:
    """The closing was done in Redis, the commit never came: SQL still says traveling, the gate is built anew from it."""
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.shown(watchers.viewers[0], somewhere(1))
    async with play.house.db.reading() as tx:
        technician = await technicians.by_id(tx, play.world.maya)
    assert technician is not None
    await play.house.positions.close(technician.id, visit, technician.gate_version + 1)
    assert (await play.ping(somewhere(2))).code == "g"
    await watchers.see_nothing_of(somewhere(2))
    await gates.regate(play.house, play.world.maya)
    await play.shown(watchers.viewers[0], somewhere(3))


async def test_an_emptied_redis_shows_nothing_until_the_gate_is_built_from_sql(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.shown(watchers.viewers[0], somewhere(1))
    await play.house.positions.client.flushall()
    play.versions.clear()
    assert (await play.ping(somewhere(2))).code == "g"
    await watchers.see_nothing_of(somewhere(2))
    await gates.open_gate(play.house, play.world.maya)
    for viewer in watchers.viewers[:2]:
        await play.shown(viewer, somewhere(3))
        assert len({s["epoch"] for s in viewer.snapshots}) == 2
        assert viewer.rising()


async def test_a_process_killed_under_its_viewers_leaves_no_position_to_the_others(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    await play.shown(watchers.viewers[0], somewhere(1))
    await play.servers[1].end(kill=True)
    await play.start()
    await play.step(visit, Step.ARRIVE)
    await watchers.viewers[0].until_state("in_progress")
    await play.ping(somewhere(2))
    assert somewhere(2) not in watchers.viewers[0].places


async def test_a_hung_process_does_not_hold_up_the_technician(play: Scene) -> None:
    """Stopped in its tracks it cannot answer: the step goes on after a bounded wait, and when it wakes it shows nothing old."""
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    for step in range(1, 6):
        await play.ping(somewhere(step))
    await watchers.viewers[1].until(lambda v: somewhere(5) in v.places)
    await watchers.settle()
    before = len(watchers.viewers[1].places), len(watchers.viewers[3].places)
    play.servers[1].process.send_signal(signal.SIGSTOP)
    try:
        for step in range(6, 10):
            await play.ping(somewhere(step))  # these wait for it in its connection to Redis
        await watchers.viewers[3].seen(10_000)
        await play.step(visit, Step.ARRIVE)
    finally:
        play.servers[1].process.send_signal(signal.SIGCONT)
    for viewer in watchers.viewers:
        await viewer.until(lambda v: v.frames[-1].get("state") == "in_progress")
        await viewer.seen(10_000)
    await watchers.settle()
    assert (len(watchers.viewers[1].places), len(watchers.viewers[3].places)) == before


# -- the cloak ---------------------------------------------------------------------------------------------------------


async def test_inside_the_cloak_there_is_neither_position_nor_route_nor_a_road_based_eta(play: Scene) -> None:
    visit = await play.travel()
    watchers = await Watchers.of(play, visit)
    zone = await _zone(play)
    assert distance_m(zone.center, HOME) <= 300.5
    hidden = [moved(HOME, 45, metres) for metres in (0, 50, 150, 290)]
    for point in hidden:
        assert inside(zone, point)
        assert (await play.ping(point)).moved, "it is kept, for staff"
    await watchers.see_nothing_of(*hidden)
    for at in (0, 1):
        answer = (await play.get(visit, watchers.token, at=at)).json()
        assert answer["eta"]["basis"] == "booked"
    await play.shown(watchers.viewers[0], somewhere(1))
    back = moved(HOME, 90, 100)
    await play.ping(back)
    await watchers.settle()
    assert all(tuple(back) not in viewer.places for viewer in watchers.viewers)


async def test_the_coarse_eta_tells_nothing_of_the_origin_and_the_same_on_every_look(play: Scene) -> None:
    """Trips begun in the same second from two origins are told alike, and looking again for hours adds nothing."""
    visit, pressed = await play.appointment(), play.house.clock()
    _, token = await play.cookie(play.world.customer)
    told = set()
    for origin in (HOME, moved(HOME, 200, 6_000)):
        await play.ping(origin)
        await play.step(visit, Step.START_TRAVEL, pressed_at=pressed)
        async with play.house.db.reading() as tx:
            leg = await legs.open_of(tx, play.world.maya)
        assert leg is not None
        assert leg.origin is not None
        assert distance_m(leg.origin, origin) <= 150
        told |= {str((await play.get(visit, token, at=at)).json()["eta"]) for at in (0, 1)}
        told.add(str((await play.watch_with(token, visit)).snapshots[0]["eta"]))
        for minutes in range(0, 180, 7):
            view = await look(play.house, visit, play.world.maya, pressed + timedelta(minutes=minutes))
            told.add(str(view.eta))
        await play.step(visit, Step.UNDO, actor=play.staff)
        await play.forget_place()
    assert len(told) == 1
    assert "'basis': 'booked'" in told.pop()


async def test_the_end_that_is_told_says_nothing_of_the_origin(play: Scene) -> None:
    """Kept is departure + travel + work: its parts are known, so the travel would be; also after cancelling on the way."""
    _, token = await play.cookie(play.world.customer)
    visit, pressed, told, kept = await play.appointment(), play.house.clock(), set(), set()
    for origin in (HOME, moved(HOME, 200, 6_000)):
        await play.ping(origin)
        await play.step(visit, Step.START_TRAVEL, pressed_at=pressed)
        told |= await _ends(play, visit, token)
        async with play.house.db.reading() as tx:
            found = await appointments.by_id(tx, visit)
        assert found is not None
        kept.add(found.ends_at - pressed)
        if origin is HOME:
            await play.step(visit, Step.UNDO, actor=play.staff)
            await play.forget_place()
    await play.step(visit, Step.CANCEL, actor=play.staff, reason="The van broke down.")
    told |= await _ends(play, visit, token)
    assert len(kept) == 2
    assert len(told) == 1


async def _ends(play: Scene, visit: str, token: str) -> set[datetime]:
    """The end as every door tells it to the customer."""
    async with httpx.AsyncClient(cookies={"tt": token}, timeout=20) as client:
        read = await client.get(f"{play.servers[0].origin}/api/v1/appointments/{visit}")
    polled = await play.get(visit, token)
    watched = await play.watch_with(token, visit)
    async with play.house.db.reading() as tx:
        found = await appointments.by_id(tx, visit)
    assert found is not None
    said = [read.json(), polled.json()["appointment"], watched.snapshots[0]["appointment"]]
    return {datetime.fromisoformat(each["ends_at"]) for each in said} | {visit_of(found, None, "customer:x").ends_at}


async def test_the_way_shown_begins_where_the_technician_is_seen(play: Scene) -> None:
    visit = await play.travel()
    async with play.house.db.reading() as tx:
        leg = await legs.open_of(tx, play.world.maya)
    assert leg is not None
    line = [HOME, moved(HOME, 90, 3000), somewhere(100), somewhere(50), PLACE]
    route = StoredRoute.of(1, line, [0, 100, 900, 950, 1000], PLACE, Basis.ROAD)
    assert await play.house.positions.store_route(play.world.maya, visit, leg.id, route)
    viewer = await play.watch(visit)
    assert viewer.snapshots[-1]["route"] is None
    await play.shown(viewer, somewhere(100))
    way = decode_polyline6(viewer.snapshots[-1]["route"])
    assert distance_m(way[0], somewhere(100)) < 1
    assert min(distance_m(point, HOME) for point in way) > 10_000


async def _zone(play: Scene) -> Cloak:
    async with play.house.db.transaction() as tx:
        return cloak_zone(await anchors.anchor_of(tx, HOME, play.house.clock()), play.house.secret)


async def test_the_origin_cannot_be_told_from_the_first_places_of_many_trips(play: Scene) -> None:
    """The attack of tests/domain/test_visibility, on what really leaves the service: 40 trips by one way from home."""
    visit = await play.appointment()
    viewer, zone = await play.watch(visit), await _zone(play)
    firsts, hints = [], set[str]()
    for trip in range(20):
        await play.step(visit, Step.START_TRAVEL)
        before = len(viewer.places)
        for metres in range(0, 2000, 45):
            point = moved(HOME, 80 + trip % 3, metres + trip)
            await play.ping(point)
            if not inside(zone, point):
                break
        await viewer.until(lambda v, count=before: len(v.places) > count)
        firsts.append(_point(viewer.places[before]))
        hints |= await _told_beyond_the_departure(play, visit, viewer)
        await play.step(visit, Step.UNDO, actor=play.staff)
        await viewer.until(lambda v: v.states[-1:] == ["scheduled"])
        await play.forget_place()
    nearest = min(distance_m(HOME, point) for point in firsts)
    middle = Point(fmean(p.lat for p in firsts), fmean(p.lon for p in firsts))
    print(f"{len(firsts)} trips: first places {nearest:.0f} m from home or farther, their mean {distance_m(HOME, middle):.0f} m")
    assert nearest > 440
    assert distance_m(HOME, middle) > 200
    assert all(not inside(zone, _point(place)) for place in viewer.places)
    assert not hints, "the coarse range is one more hint only if it depends on more than promise and departure"


async def _told_beyond_the_departure(play: Scene, visit: str, viewer: Viewer) -> set[str]:
    """Coarse ranges of the present trip that are not those of promise and departure."""
    async with play.house.db.reading() as tx:
        found = await appointments.by_id(tx, visit)
    assert found is not None
    assert found.traveling_at is not None
    eta = coarse_eta(found.arrival_at, found.traveling_at)
    known = {"at": stamp(eta.at), "low": stamp(eta.low), "high": stamp(eta.high), "basis": "booked"}
    mine = [
        shot
        for shot in viewer.snapshots
        if shot["appointment"].get("traveling_at") == viewer.snapshots[-1]["appointment"]["traveling_at"]
    ]
    told = [shot["eta"] for shot in mine if shot["eta"]["basis"] == "booked"]
    assert told
    return {str(each) for each in told if each != known}


def _point(pair: tuple[float, float]) -> Point:
    return Point(*pair)
