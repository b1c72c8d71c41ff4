"""Steps from two processes at once, on one database and one Redis; and what viewers can see while they are taken."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.world import NOW, PLACE, Clock, World, process, settle
from tracker.actions.house import House
from tracker.actions.trip.arrivals import Arrivals
from tracker.actions.trip.gates import regate
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.sharing import set_sharing
from tracker.actions.trip.telling import tell_what_is_left
from tracker.actions.trip.tracking import Phone, Receiver
from tracker.actions.trip.upkeep import Renewal, reopen
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.geo import moved
from tracker.domain.pings import Ping
from tracker.errors import AlreadyTraveling, LiveUnavailable, NotFound, Refusal
from tracker.live import keys
from tracker.live.connect import subscriber
from tracker.live.keep import Keeper
from tracker.records import appointments, audit, events, legs, technicians
from tracker.records.database import Database


@dataclass
class Two:
    """Two processes of the service."""

    houses: list[House]
    world: World

    @property
    def maya(self) -> Actor:
        return Actor(Role.TECHNICIAN, technician=self.world.maya, device=self.world.phone)

    @property
    def desk(self) -> Actor:
        return Actor(Role.DISPATCHER, person=self.world.dispatcher.id)

    @property
    def anna(self) -> Actor:
        return Actor(Role.CUSTOMER, person=self.world.customer.id, accounts=frozenset({self.world.account}))


@pytest.fixture
async def two(db: Database, database_url: str, redis_url: str) -> AsyncIterator[Two]:
    second, clock = Database(database_url), Clock()
    async with process(db, redis_url, clock) as one, process(second, redis_url, clock) as other:
        yield Two([one, other], await settle(db))
    await second.close()


async def race(*steps: object) -> list[object]:
    """All at once; anything but a refusal of ours is a mistake."""
    results = await asyncio.gather(*steps, return_exceptions=True)  # type: ignore[call-overload]
    assert [r for r in results if isinstance(r, BaseException) and not isinstance(r, Refusal)] == []
    return list(results)


async def consistent(two: Two, visit: str) -> State:
    """The story is a legal one, and appointment, leg and gate say the same; the state they say."""
    house = two.houses[0]
    async with house.db.reading() as tx:
        story = [event for event in await events.of_appointment(tx, visit) if event.kind in set(State)]
        after = await appointments.by_id(tx, visit)
        assert after is not None
        leg = await legs.open_of(tx, after.technician_id) if after.technician_id else None
    states = [State.SCHEDULED, *(State(event.kind) for event in story)]
    assert [event.payload["from"] for event in story] == states[:-1]
    assert after.state is states[-1]
    assert (leg is not None and leg.appointment_id == visit) == (after.state is State.TRAVELING)
    for technician in (two.world.maya, two.world.onni):
        gate = await house.positions.gate(technician)
        traveling = after.state is State.TRAVELING and after.technician_id == technician
        assert (gate is not None and gate.appointment == visit) == traveling
    return after.state


async def test_eight_steps_from_two_processes_come_out_in_some_order(two: Two) -> None:
    """F4, short: travel × arrive × cancel × undo × hand-over on one appointment."""
    one, other = two.houses
    seen: Counter[State] = Counter()
    for _ in range(8):
        visit = await two.world.appointment()
        await race(
            take_step(one, two.maya, visit, Wish(step=Step.START_TRAVEL, switch=True)),
            take_step(other, two.desk, visit, Wish(step=Step.START_TRAVEL, switch=True)),
            take_step(other, two.maya, visit, Wish(step=Step.ARRIVE)),
            take_step(one, two.anna, visit, Wish(step=Step.CANCEL, reason="away")),
            hand_over(other, two.desk, visit, two.world.onni),
            take_step(one, two.desk, visit, Wish(step=Step.UNDO)),
            hand_over(one, two.desk, visit, two.world.maya),
            take_step(other, two.desk, visit, Wish(step=Step.NOT_DONE, reason="nobody home")),
        )
        seen[await consistent(two, visit)] += 1
        await race(take_step(one, two.desk, visit, Wish(step=Step.CANCEL, reason="tidy up")))
    print(f"{two.houses[0].db.engine.dialect.name}: {dict(seen)}")


async def test_one_of_two_visits_is_traveled_to(two: Two) -> None:
    one, other = two.houses
    for _ in range(6):
        first, second = await two.world.appointment(), await two.world.appointment()
        results = await race(
            take_step(one, two.maya, first, Wish(step=Step.START_TRAVEL)),
            take_step(other, two.maya, second, Wish(step=Step.START_TRAVEL)),
        )
        assert sorted(type(result).__name__ for result in results) == ["AlreadyTraveling", "Appointment"]
        states = [await consistent(two, visit) for visit in (first, second)]
        assert sorted(states) == [State.SCHEDULED, State.TRAVELING]
        await take_step(one, two.desk, (first, second)[states.index(State.TRAVELING)], Wish(step=Step.UNDO))


async def test_a_step_sent_twice_at_once_is_taken_once(two: Two) -> None:
    one, other = two.houses
    for number in range(6):
        visit = await two.world.appointment()
        wish = Wish(step=Step.START_TRAVEL, step_id=f"c-{number}", switch=True)
        results = await race(*(take_step(house, two.maya, visit, wish) for house in (one, other, one, other)))
        assert {getattr(result, "state", result) for result in results} == {State.TRAVELING}
        async with one.db.reading() as tx:
            assert [event.kind for event in await events.of_appointment(tx, visit)] == ["traveling"]


async def test_a_hand_over_closes_before_it_is_kept(two: Two) -> None:
    house = two.houses[0]
    visit = await two.world.appointment()
    await take_step(house, two.maya, visit, Wish(step=Step.START_TRAVEL))
    done = await hand_over(house, two.desk, visit, two.world.onni, version=2)
    assert (done.state, done.technician_id, done.leg_id, done.version) == (State.SCHEDULED, two.world.onni, None, 3)
    assert await consistent(two, visit) is State.SCHEDULED
    async with house.db.reading() as tx:
        (line, *_) = await audit.latest(tx)
    assert (line.what, line.before, line.after) == (
        "appointment.technician",
        {"technician": two.world.maya},
        {"technician": two.world.onni},
    )
    with pytest.raises(NotFound):
        await take_step(house, two.maya, visit, Wish(step=Step.START_TRAVEL))


# -- what viewers can see meanwhile ------------------------------------------------------------------------------------


@dataclass
class Van:
    """Maya's phone on the way, speaking to one process as fast as it is answered."""

    house: House
    world: World
    receiver: Receiver
    seq: int = 0

    async def ping(self) -> bool:
        """One ping outside the cloak; False if nothing was acknowledged."""
        clock = self.house.clock
        assert isinstance(clock, Clock)
        self.seq += 1
        at = clock.move(seconds=1)
        place = moved(PLACE, 45, 3_000 - 2 * self.seq)
        said = Ping(at=at, lat=place.lat, lon=place.lon, acc=5.0, speed=2.0, boot="b", seq=self.seq)
        try:
            await self.receiver.receive(Phone(self.world.maya, self.world.phone, "b"), [said], str(self.seq))
        except LiveUnavailable:
            return False
        return True

    async def drive(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.ping()


@asynccontextmanager
async def van(two: Two) -> AsyncIterator[Van]:
    house, stop = two.houses[1], asyncio.Event()
    arrivals = Arrivals(house.positions)
    receiver = Receiver(Keeper(house.positions.client), arrivals, lambda who: reopen(house, who), house.clock)
    running = asyncio.create_task(receiver.run(stop))
    yield Van(house, two.world, receiver)
    stop.set()
    await running


class Ear:
    """Everything that is published of one visit, in Redis' order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.came = asyncio.Event()

    async def until(self, kind: str, times: int = 1) -> None:
        async with asyncio.timeout(60):
            while self.heard.count(kind) < times:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def listening(redis_url: str, channel: str) -> AsyncIterator[Ear]:
    client, ear = subscriber(redis_url), Ear()
    pubsub = client.pubsub()
    await pubsub.subscribe(channel)
    await pubsub.parse_response(block=True)

    async def listen() -> None:
        async for message in pubsub.listen():
            frame = json.loads(message["data"])
            ear.heard.append(frame["s"] if frame["k"] == "state" else frame["k"])
            ear.came.set()

    task = asyncio.create_task(listen())
    yield ear
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await pubsub.aclose()
    await client.aclose()


CLOSINGS = ["arrive", "cancel", "undo", "hand_over", "pause", "switch"]


async def close_by(two: Two, how: str, visit: str, other: str) -> None:
    house = two.houses[0]
    match how:
        case "hand_over":
            await hand_over(house, two.desk, visit, two.world.onni)
        case "pause":
            await set_sharing(house, two.maya, two.world.maya, on=False, reason="lunch")
        case "switch":
            await take_step(house, two.maya, other, Wish(step=Step.START_TRAVEL, switch=True))
        case _:
            who = two.maya if how == "arrive" else two.desk
            await take_step(house, who, visit, Wish(step=Step(how), reason="why"))


@pytest.mark.parametrize("how", CLOSINGS)
async def test_after_a_closing_no_position_is_made_however_fast_the_phone_speaks(two: Two, redis_url: str, how: str) -> None:
    visit, other = await two.world.appointment(), await two.world.appointment(place=moved(PLACE, 180, 9_000))
    await take_step(two.houses[0], two.maya, visit, Wish(step=Step.START_TRAVEL))
    channel, stop = keys.visit_channel(two.world.maya, visit), asyncio.Event()
    async with van(two) as phone, listening(redis_url, channel) as ear:
        driving = asyncio.create_task(phone.drive(stop))
        await ear.until("update", 5)
        await close_by(two, how, visit, other)
        now = await two.houses[0].positions.visit(two.world.maya, visit)
        assert (now.position, now.eta, now.leg, now.route) == (None, None, None, None)
        before = phone.seq
        async with asyncio.timeout(60):
            while phone.seq < before + 30:  # noqa: ASYNC110 - the phone keeps speaking, the other process keeps answering
                await asyncio.sleep(0)
        stop.set()
        await driving
        await ear.until("closed")
        now = await two.houses[0].positions.visit(two.world.maya, visit)
    assert now.position is None
    assert "update" not in ear.heard[ear.heard.index("closed") :], ear.heard
    assert ear.heard.count("update") >= 5


async def test_a_process_that_dies_between_closing_and_commit_leaves_no_gate_open_and_none_shut_for_ever(
    two: Two, redis_url: str
) -> None:
    house = two.houses[0]
    visit = await two.world.appointment()
    await take_step(house, two.maya, visit, Wish(step=Step.START_TRAVEL))
    async with house.db.reading() as tx:
        maya = await technicians.by_id(tx, two.world.maya)
    assert maya is not None
    await house.positions.close(two.world.maya, visit, maya.gate_version + 1)  # … and here it dies
    async with van(two) as phone:
        taken = asyncio.create_task(phone.ping())
        renewal = Renewal(two.houses[1])
        assert await renewal.turn() == 0  # it may still be at work: its row lock would say
        assert await house.positions.gate(two.world.maya) is None
        assert await renewal.turn() == 1  # refused twice running: opened anew behind the lock
        await taken
        gate = await house.positions.gate(two.world.maya)
        assert gate is not None
        assert (gate.appointment, gate.gen) == (visit, maya.gate_version + 1)
        assert await phone.ping()
    assert (await house.positions.visit(two.world.maya, visit)).position is not None


async def test_an_old_reader_cannot_open_what_was_closed(two: Two) -> None:
    one, other = two.houses
    visit = await two.world.appointment()
    await take_step(one, two.maya, visit, Wish(step=Step.START_TRAVEL))
    stale = await other.positions.gate(two.world.maya)
    assert stale is not None
    await take_step(one, two.maya, visit, Wish(step=Step.ARRIVE))
    assert not await other.positions.set_gate(stale)
    gate = await other.positions.gate(two.world.maya)
    assert gate is not None
    assert gate.leg is None
    await regate(other, two.world.maya)
    assert (await other.positions.gate(two.world.maya)).leg is None  # type: ignore[union-attr]


async def test_an_event_that_was_not_told_is_told_once_and_in_order(two: Two, redis_url: str) -> None:
    one, other = two.houses
    visit = await two.world.appointment()
    async with one.db.transaction() as tx:  # two processes died between their commit and their publish
        for state in (State.TRAVELING, State.IN_PROGRESS):
            await events.add(tx, visit, state, NOW, "x", {})
    async with listening(redis_url, keys.visit_channel(two.world.maya, visit)) as ear:
        await race(*(tell_what_is_left(house, NOW + timedelta(seconds=2)) for house in (one, other, one, other)))
        await ear.until("in_progress")
    assert ear.heard == ["traveling", "in_progress"]
    async with one.db.reading() as tx:
        assert await events.with_untold(tx, NOW + timedelta(days=1)) == []


async def test_with_redis_away_a_closing_is_refused_and_nothing_is_half_done(two: Two, tmp_path: object) -> None:
    house = two.houses[0]
    visit, later = await two.world.appointment(), await two.world.appointment()
    await take_step(house, two.maya, visit, Wish(step=Step.START_TRAVEL))
    async with process(house.db, f"unix://{tmp_path}/nobody", Clock()) as cut_off:
        with pytest.raises(LiveUnavailable):
            await take_step(cut_off, two.maya, visit, Wish(step=Step.ARRIVE))
        done = await take_step(cut_off, two.anna, later, Wish(step=Step.CANCEL, reason="away"))  # needs no Redis
    assert done.state is State.CANCELED
    async with house.db.reading() as tx:
        still = await appointments.by_id(tx, visit)
        assert still is not None
        assert still.state is State.TRAVELING
        assert await legs.open_of(tx, two.world.maya) is not None
        assert [event.kind for event in await events.of_appointment(tx, visit)] == ["traveling"]
    assert await tell_what_is_left(house, NOW + timedelta(days=1)) == 1  # the cancellation is told later


async def test_a_second_visit_without_asking_is_refused_even_across_processes(two: Two) -> None:
    one, other = two.houses
    first, second = await two.world.appointment(), await two.world.appointment()
    await take_step(one, two.maya, first, Wish(step=Step.START_TRAVEL))
    with pytest.raises(AlreadyTraveling):
        await take_step(other, two.maya, second, Wish(step=Step.START_TRAVEL))
    await take_step(other, two.maya, second, Wish(step=Step.START_TRAVEL, switch=True))
    assert await consistent(two, first) is State.SCHEDULED
    assert await consistent(two, second) is State.TRAVELING
