"""The way of a ping through real Redis: batches, two processes, gates that are missing, outages."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracker.actions.trip.arrivals import Arrivals
from tracker.actions.trip.tracking import Phone, Receipt, Receiver
from tracker.domain.geo import Point, encode_polyline6, moved
from tracker.domain.pings import Ping
from tracker.domain.ways import Basis, StoredRoute
from tracker.errors import LiveUnavailable
from tracker.live import keys
from tracker.live.connect import connect, subscriber
from tracker.live.gate import Gate
from tracker.live.keep import Item, Keeper, Tell
from tracker.live.positions import Positions

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HERE = Point(60.1699, 24.9384)
PHONE = Phone("tech", "phone", "boot")
GATE = Gate(
    "tech",
    1,
    duty_end=NOW + timedelta(hours=8),
    device="phone",
    leg="leg1",
    appointment="visit1",
    since=NOW - timedelta(minutes=5),
    interval_s=5,
)


def ping(seconds: float, seq: int = 1, **values: float) -> Ping:
    """A van that drives east at ten metres a second."""
    place = moved(HERE, 90, 10 * max(seconds, 0))
    said = {"lat": place.lat, "lon": place.lon, "acc": 5.0, "speed": 10.0, "course": 90.0, **values}
    return Ping(at=NOW + timedelta(seconds=seconds), seq=seq, **said)  # type: ignore[arg-type]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0)


class Process:
    """What one web process has, with its own connection."""

    def __init__(self, url: str) -> None:
        self.client = connect(url, timeout_s=1)
        self.positions = Positions(self.client)
        self.arrivals = Arrivals(self.positions)
        self.keeper = Keeper(self.client)
        self.now = NOW
        self.reopened: list[str] = []
        self.reopens: Callable[[], Gate] = lambda: GATE
        self.receiver = Receiver(self.keeper, self.arrivals, self.reopen, lambda: self.now)
        self.stop = asyncio.Event()
        self.tasks = [asyncio.create_task(self.receiver.run(self.stop))]

    async def reopen(self, technician: str) -> bool:
        self.reopened.append(technician)
        return await self.positions.set_gate(replace(self.reopens(), technician=technician))

    async def take(self, *pings: Ping, phone: Phone = PHONE, dealt: str = "1") -> Receipt:
        self.now = max([self.now, *(one.at for one in pings if one.at < NOW + timedelta(days=1))])
        async with asyncio.timeout(60):
            return await self.receiver.receive(phone, pings, dealt)

    async def stored(self, technician: str = "tech") -> list[float]:
        """Seconds after NOW of all fixes in the trail."""
        entries = await self.client.xrange(f"{keys.tag(technician)}trail")
        lines = [json.loads(line) for _, fields in entries for line in fields[b"p"].splitlines()]
        return [line[0] / 1000 - NOW.timestamp() for line in lines]

    async def close(self) -> None:
        self.stop.set()
        await asyncio.gather(*self.tasks)
        await self.client.aclose()


@contextlib.asynccontextmanager
async def listening(url: str, channel: str) -> AsyncIterator[Callable[[], object]]:
    client = subscriber(url)
    pubsub = client.pubsub()
    await pubsub.subscribe(channel)
    await pubsub.parse_response(block=True)

    async def heard() -> list[dict[str, object]]:
        await client.publish(channel, "end")
        messages = []
        async for message in pubsub.listen():
            if message["data"] == b"end":
                return messages
            messages.append(json.loads(message["data"]))
        raise AssertionError

    yield heard
    await pubsub.aclose()
    await client.aclose()


@pytest.fixture
async def here(redis_url: str) -> AsyncIterator[Process]:
    process = Process(redis_url)
    yield process
    await process.close()


@pytest.fixture
async def there(redis_url: str) -> AsyncIterator[Process]:
    process = Process(redis_url)
    yield process
    await process.close()


async def test_what_a_revoked_phone_had_on_its_way_is_not_stored(here: Process, there: Process) -> None:
    """Its token was looked at before; the other phones of that technician go on."""
    await here.positions.set_gate(GATE)
    assert (await here.take(ping(1, 1))).stored
    await there.positions.set_gate(replace(GATE, gen=2, gone=frozenset({"phone", "older"})))
    assert not (await here.take(ping(2, 2))).stored
    assert (await there.take(ping(3, 1), phone=Phone("tech", "other", "boot"))).stored
    assert await here.stored() == [1, 3]
    await there.positions.set_gate(replace(GATE, gen=3))
    assert (await here.take(ping(4, 3))).stored


async def test_a_missing_gate_is_built_once_and_the_ping_kept(here: Process) -> None:
    receipts = await asyncio.gather(here.take(ping(1, 1)), here.take(ping(2, 2)), here.take(ping(3, 3)))
    assert here.reopened == ["tech"]
    assert all(receipt.stored and not receipt.refused for receipt in receipts)
    assert (receipts[0].interval_s, receipts[0].sharing, receipts[0].appointment) == (5, True, "visit1")
    assert sorted(await here.stored()) == [1, 2, 3]


async def test_what_arrives_meanwhile_is_the_next_batch(here: Process) -> None:
    calls: list[int] = []
    begin = here.keeper.begin

    def counted(items: list[Item], now: datetime, tell: Tell) -> None:
        calls.append(len(items))
        begin(items, now, tell)

    here.keeper.begin = counted  # type: ignore[method-assign]
    phones = [Phone(f"tech{i}", f"phone{i}", "b") for i in range(100)]
    await here.positions.renew([replace(GATE, technician=f"tech{i}", device=f"phone{i}") for i in range(100)])
    first = here.receiver.receive(phones[0], [ping(1)], "1")
    await asyncio.sleep(0)  # the first call is under way now
    await asyncio.gather(first, *(here.receiver.receive(phone, [ping(1)], "1") for phone in phones[1:]))
    assert calls == [1, 99]


async def test_a_phone_that_sends_again_is_stored_once(here: Process) -> None:
    one = ping(1)
    await here.take(one)
    receipt = await here.take(one)
    assert [rule for _, rule in receipt.refused] == ["duplicate"]
    assert await here.stored() == [1]


async def test_two_processes_judge_against_the_newer_state(here: Process, there: Process) -> None:
    await here.take(ping(0))
    await there.take(ping(10))
    # here still believes the fix of second 0; one that is 3 km off is refused by what there wrote
    far = moved(HERE, 0, 3000)
    receipt = await here.take(ping(12, lat=far.lat, lon=far.lon))
    assert [rule for _, rule in receipt.refused] == ["impossible_jump"]
    await here.take(ping(15))
    standing = await here.positions.last("tech")
    assert standing is not None
    assert standing.fix_at == NOW + timedelta(seconds=15)
    assert await here.stored() == [0, 10, 15]


async def test_shuffled_between_two_processes_the_marker_never_goes_back(here: Process, there: Process, redis_url: str) -> None:
    script = random.Random(7)
    seconds = [float(s) for s in range(300)]
    script.shuffle(seconds)
    here.now = there.now = NOW + timedelta(seconds=300)
    async with listening(redis_url, keys.visit_channel("tech", "visit1")) as heard:
        futures = [
            script.choice([here, there]).receiver.receive(PHONE, [ping(s, int(s) + 1)], "1") for s in seconds for _ in range(2)
        ]
        receipts = await asyncio.gather(*futures)
        frames = await heard()  # type: ignore[operator]
    shown = [frame["p"]["fix_at"] for frame in frames]
    assert shown == sorted(shown)
    assert [frame["o"] for frame in frames] == list(range(1, len(frames) + 1))
    assert shown[-1] == "2026-11-22T09:04:59Z"
    # every one was kept at least once: sent twice, so the second is either a duplicate or stored again (SQL keeps one)
    assert set(await here.stored()) == set(seconds)
    assert {rule for receipt in receipts for _, rule in receipt.refused} <= {"duplicate"}


async def test_another_device_is_kept_but_moves_nothing(here: Process) -> None:
    await here.take(ping(0))
    await here.take(ping(5), phone=Phone("tech", "tablet", "b2"))
    standing = await here.positions.last("tech")
    assert standing is not None
    assert standing.fix_at == NOW
    await here.take(ping(6))
    assert (await here.positions.last("tech")).fix_at == NOW + timedelta(seconds=6)  # type: ignore[union-attr]
    assert await here.stored() == [0, 5, 6]


@pytest.mark.parametrize("gate", [replace(GATE, sharing=False), replace(GATE, leg=None, duty_end=None)], ids=["paused", "off"])
async def test_not_stored_is_acknowledged_and_forgotten(here: Process, gate: Gate) -> None:
    here.reopens = lambda: gate
    receipt = await here.take(ping(1))
    assert not receipt.stored
    assert await here.stored() == []
    # nothing of it is remembered: the same ping counts when sharing goes on
    await here.positions.set_gate(GATE)
    receipt = await here.take(ping(1))
    assert receipt.stored
    assert not receipt.refused
    assert await here.stored() == [1]


async def test_a_closing_under_way_holds_the_ack_until_it_is_committed(here: Process) -> None:
    await here.take(ping(0))
    await here.positions.close("tech", "visit1", 2)
    waiting = asyncio.ensure_future(here.take(ping(5)))
    await until(lambda: len(here.reopened) > 1)  # refused at least once: SQL still says the old gate
    assert not waiting.done()
    here.reopens = lambda: replace(GATE, gen=2, leg=None, appointment=None)
    receipt = await waiting
    assert receipt.appointment is None
    assert (await here.positions.visit("tech", "visit1")).position is None


async def test_a_gate_that_stays_shut_is_no_ack(here: Process) -> None:
    await here.positions.close("tech", "visit1", 9)
    with pytest.raises(LiveUnavailable):
        await here.take(ping(0))
    assert await here.stored() == []


async def test_redis_emptied_nothing_is_shown_until_the_gate_is_rebuilt(here: Process, redis_url: str) -> None:
    await here.take(ping(0))
    await here.client.flushall()
    assert (await here.positions.visit("tech", "visit1")).position is None
    receipt = await here.take(ping(5))
    assert receipt.stored
    assert here.reopened == ["tech", "tech"]
    visit = await here.positions.visit("tech", "visit1")
    assert visit.position is not None
    assert visit.position["fix_at"] == "2026-11-22T09:00:05Z"


async def test_redis_away_is_no_ack_and_afterwards_nothing_is_lost(here: Process) -> None:
    await here.take(ping(0))
    await here.client.execute_command("CLIENT", "PAUSE", 4000, "ALL")
    with pytest.raises(LiveUnavailable):
        await here.take(ping(5))
    # whether the paused call was carried out late or not: sent again, it is stored exactly once or refused as known
    while True:
        with contextlib.suppress(LiveUnavailable):
            receipt = await here.take(ping(5), ping(6))
            break
    assert {rule for _, rule in receipt.refused} <= {"duplicate"}
    assert set(await here.stored()) == {0, 5, 6}


async def test_a_backlog_after_an_outage(here: Process, redis_url: str) -> None:
    """Newest first, then the rest oldest first: the marker is current at once and all is kept."""
    here.now = NOW + timedelta(seconds=3600)
    backlog = [ping(float(s), s) for s in range(1, 3600, 5)]
    newest = ping(3600, 9999)
    async with listening(redis_url, keys.visit_channel("tech", "visit1")) as heard:
        await here.take(newest)
        for start in range(0, len(backlog), 200):
            receipt = await here.take(*backlog[start : start + 200])
            assert not receipt.refused
        frames = await heard()  # type: ignore[operator]
    assert {frame["p"]["fix_at"] for frame in frames} == {"2026-11-22T10:00:00Z"}
    assert len(set(await here.stored())) == len(backlog) + 1


async def test_the_eta_follows_the_stored_route(here: Process, redis_url: str) -> None:
    end = moved(HERE, 90, 3000)
    await here.take(ping(0))
    route = StoredRoute.of(1, [HERE, end], [0, 300], end, Basis.ROAD)
    assert await here.positions.store_route("tech", "visit1", "leg1", route)
    async with listening(redis_url, keys.visit_channel("tech", "visit1")) as heard:
        await here.take(ping(1))  # the answer names the route: it is loaded beside the way
        await until(lambda: here.arrivals.knows("leg1"))
        await here.take(ping(2))
        first, second = await heard()  # type: ignore[operator]
    assert "e" not in first
    assert second["e"]["basis"] == "road"
    assert second["e"]["low"] < second["e"]["at"] < second["e"]["high"]
    assert "2026-11-22T09:04:00Z" < second["e"]["at"] < "2026-11-22T09:10:00Z"
    assert (await here.positions.visit("tech", "visit1")).eta == second["e"]


async def test_a_low_battery_is_told_as_a_code_and_a_full_one_is_not(here: Process) -> None:
    await here.positions.set_gate(GATE)
    told = []
    for seq, battery in enumerate((0.8, 0.15, 0.14, 0.9), start=1):
        await here.take(ping(seq, seq, battery=battery), dealt=str(seq))
        position = (await here.positions.visit("tech", "visit1")).position
        assert position
        told.append(position.get("reason"))
    assert told == [None, None, "battery", None]


async def test_a_route_is_asked_for_once_by_all_processes(here: Process, there: Process) -> None:
    await asyncio.gather(here.take(ping(1)), there.take(ping(2)))
    wanted = await here.positions.routes.next_wanted(5)
    assert wanted is not None
    assert (wanted.technician, wanted.appointment, wanted.leg, wanted.heading) == ("tech", "visit1", "leg1", 90.0)
    assert await here.positions.routes.next_wanted(0.05) is None


async def test_leaving_the_route_asks_for_another(here: Process) -> None:
    end = moved(HERE, 90, 5000)
    await here.take(ping(0))
    await here.positions.routes.next_wanted(5)
    await here.client.delete(f"{keys.tag('tech')}claim:leg1")
    route = StoredRoute.of(1, [HERE, end], [0, 500], end, Basis.ROAD)
    await here.positions.store_route("tech", "visit1", "leg1", route)
    assert encode_polyline6([HERE, end]) == route.shape
    await here.take(ping(1))
    await until(lambda: here.arrivals.knows("leg1"))
    for second in range(2, 30):
        place = moved(HERE, 0, 10 * second)
        await here.take(ping(second, lat=place.lat, lon=place.lon, course=0.0))
    wanted = await here.positions.routes.next_wanted(5)
    assert wanted is not None
    assert wanted.heading == 0.0


async def test_a_stopped_receiver_gives_back_what_waits(here: Process) -> None:
    await here.positions.close("tech", None, 9)
    waiting = asyncio.ensure_future(here.take(ping(0)))
    await until(lambda: bool(here.reopened))
    here.stop.set()
    with pytest.raises(LiveUnavailable):
        await waiting
