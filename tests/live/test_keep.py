"""What the function inside Redis does with a batch, on Valkey and on Debian's Redis 7."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.appointments import State
from tracker.domain.geo import Point, moved
from tracker.domain.visibility import Cloak
from tracker.domain.ways import Basis, StoredRoute
from tracker.live import keys
from tracker.live.connect import connect, subscriber
from tracker.live.gate import Gate
from tracker.live.keep import Answer, Item, Keeper
from tracker.live.positions import Positions

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HERE = Point(60.1699, 24.9384)
LEG = Gate(
    "tech",
    1,
    duty_end=NOW + timedelta(hours=8),
    device="phone",
    leg="leg1",
    appointment="visit1",
    since=NOW - timedelta(minutes=5),
    interval_s=5,
)
ROUTE = StoredRoute.of(3, [HERE, moved(HERE, 90, 500)], [0, 60], moved(HERE, 90, 500), Basis.ROAD)
versions = iter(range(10**6))


def item(
    at: datetime, *, device: str = "phone", expected: str = "", point: Point = HERE, eta: str = "", leg: str = "leg1"
) -> Item:
    """A batch of one ping."""
    fix = round(at.timestamp() * 1000)
    line = json.dumps([fix, point.lat, point.lon]) + "\n"
    head = json.dumps({"lat": point.lat, "lon": point.lon})[:-1]
    version = f"v{next(versions)}"
    return Item(
        "tech", keys.tag("tech"), device, expected, version, fix, *point, head, line, leg, eta, [(fix, line)], "boot", "7"
    )


class Live:
    """Positions and a keeper on one server, with what was published."""

    def __init__(self, url: str) -> None:
        self.client = connect(url)
        self.positions = Positions(self.client)
        self.keeper = Keeper(self.client)
        self.subscriber = subscriber(url)
        self.listener = self.subscriber.pubsub(ignore_subscribe_messages=True)

    async def keep(self, one: Item, now: datetime = NOW) -> Answer:
        [answer] = await self.keeper.keep([one], now)
        return answer

    async def listen(self, *channels: str) -> None:
        await self.listener.subscribe(*channels)
        for _ in channels:  # the server has confirmed each
            await self.listener.parse_response(block=True)

    async def heard(self) -> list[dict[str, object]]:
        """Everything published so far: Redis keeps the order of one connection, so a marker of our own ends it."""
        await self.client.publish(keys.visit_channel("tech", "visit1"), "end")
        messages = []
        while True:
            message = await self.listener.get_message(ignore_subscribe_messages=True, timeout=30)
            assert message is not None
            if message["data"] == b"end":
                return messages
            messages.append(json.loads(message["data"]))

    async def stored(self) -> int:
        entries = await self.client.xrange(f"{keys.tag('tech')}trail")
        return sum(fields[b"p"].count(b"\n") for _, fields in entries)


@pytest.fixture
async def live(either_redis_url: str) -> AsyncIterator[Live]:
    found = Live(either_redis_url)
    await found.listen(keys.visit_channel("tech", "visit1"))
    yield found
    await found.listener.aclose()
    await found.subscriber.aclose()
    await found.keeper.close()
    await found.client.aclose()


async def test_without_gate_nothing_is_kept_and_nothing_shown(live: Live) -> None:
    answer = await live.keep(item(NOW))
    assert answer.code == "g"
    assert await live.stored() == 0
    assert await live.positions.last("tech") is None
    assert await live.positions.dealt("tech", "phone", "boot") is None
    assert await live.heard() == []


async def test_on_a_leg_a_fix_moves_the_marker_and_is_shown(live: Live) -> None:
    assert await live.positions.set_gate(LEG)
    first = item(NOW, eta='{"at":"x"}')
    answer = await live.keep(first)
    assert (answer.code, answer.moved, answer.leg, answer.appointment, answer.interval_s) == ("k", True, "leg1", "visit1", 5)
    [frame] = await live.heard()
    assert frame["p"] == {"lat": HERE.lat, "lon": HERE.lon, "contact_at": "2026-11-22T09:00:00.000Z", "interval_s": 5}
    assert (frame["k"], frame["o"], frame["e"]) == ("update", 1, {"at": "x"})
    visit = await live.positions.visit("tech", "visit1")
    assert (visit.epoch, visit.offset, visit.leg, visit.position, visit.eta) == (frame["ep"], 1, "leg1", frame["p"], frame["e"])
    standing = await live.positions.last("tech")
    assert standing is not None
    assert standing.point == HERE
    assert standing.appointment == "visit1"
    assert await live.stored() == 1
    assert await live.positions.dealt("tech", "phone", "boot") == "7"


async def test_the_same_call_again_is_harmless(live: Live) -> None:
    await live.positions.set_gate(LEG)
    first = item(NOW)
    await live.keep(first)
    assert (await live.keep(first)).code == "k"
    assert await live.stored() == 1
    assert len(await live.heard()) == 1


async def test_who_judged_against_an_old_state_is_told_the_newer(live: Live) -> None:
    await live.positions.set_gate(LEG)
    first = item(NOW)
    await live.keep(first)
    answer = await live.keep(item(NOW + timedelta(seconds=5)))
    assert (answer.code, answer.version, answer.ping, answer.device) == ("n", first.version, first.ping, "phone")
    assert await live.stored() == 1


async def test_the_marker_never_goes_back_in_fix_time(live: Live) -> None:
    await live.positions.set_gate(LEG)
    first = item(NOW)
    await live.keep(first)
    answer = await live.keep(item(NOW - timedelta(seconds=1), expected=first.version))
    assert (answer.code, answer.moved) == ("k", False)
    standing = await live.positions.last("tech")
    assert standing is not None
    assert standing.fix_at == NOW
    assert await live.stored() == 2


async def test_only_the_chosen_device_moves_the_marker(live: Live) -> None:
    await live.positions.set_gate(LEG)
    answer = await live.keep(item(NOW, device="other"))
    assert (answer.code, answer.moved) == ("k", False)
    assert await live.stored() == 1
    assert await live.positions.last("tech") is None
    assert await live.heard() == []


@pytest.mark.parametrize(
    "gate",
    [replace(LEG, leg=None, appointment=None, duty_end=None), replace(LEG, leg=None, duty_end=NOW), replace(LEG, sharing=False)],
    ids=["no duty", "duty over", "paused"],
)
async def test_off_duty_and_paused_are_acknowledged_and_not_stored(live: Live, gate: Gate) -> None:
    await live.positions.set_gate(gate)
    answer = await live.keep(item(NOW))
    assert (answer.code, answer.moved) == ("u", False)
    assert await live.stored() == 0
    assert await live.positions.last("tech") is None
    assert await live.positions.dealt("tech", "phone", "boot") == "7"
    assert await live.heard() == []
    assert not gate.keeps(NOW)


async def test_a_started_leg_counts_as_duty(live: Live) -> None:
    gate = replace(LEG, duty_end=NOW - timedelta(hours=1))
    await live.positions.set_gate(gate)
    assert (await live.keep(item(NOW))).code == "k"
    assert gate.keeps(NOW)


async def test_what_was_fixed_before_duty_is_not_stored(live: Live) -> None:
    await live.positions.set_gate(replace(LEG, leg=None, appointment=None, not_before=NOW - timedelta(hours=1)))
    early, late = item(NOW - timedelta(hours=2)), item(NOW)
    answer = await live.keep(early)
    assert (answer.code, answer.moved) == ("k", False)
    assert (await live.keep(late)).moved
    assert await live.stored() == 1


CENTER = moved(HERE, 40, 260)


@pytest.mark.parametrize(
    ("gate", "at", "point"),
    [
        (LEG, NOW - timedelta(minutes=5), HERE),
        (LEG, NOW - timedelta(minutes=6), HERE),
        (replace(LEG, leg=None, appointment=None), NOW, HERE),
        (replace(LEG, cloak=Cloak(CENTER, 700)), NOW, HERE),
        (replace(LEG, cloak=Cloak(CENTER, 700)), NOW, moved(CENTER, 100, 699)),
    ],
    ids=["at the start", "before the start", "no leg", "in the cloak", "just inside"],
)
async def test_seeing_too_much(live: Live, gate: Gate, at: datetime, point: Point) -> None:
    await live.positions.set_gate(gate)
    assert (await live.keep(item(at, point=point))).moved
    assert await live.heard() == []
    assert (await live.positions.visit("tech", "visit1")).position is None
    assert await live.stored() == 1


async def test_outside_the_cloak_it_is_shown_and_inside_again_hidden(live: Live) -> None:
    await live.positions.set_gate(replace(LEG, cloak=Cloak(CENTER, 700)))
    out = item(NOW, point=moved(CENTER, 100, 701))
    await live.keep(out)
    await live.keep(item(NOW + timedelta(seconds=9), point=HERE, expected=out.version))
    [frame] = await live.heard()
    assert frame["o"] == 1


async def test_an_eta_of_another_leg_is_not_shown(live: Live) -> None:
    await live.positions.set_gate(LEG)
    await live.keep(item(NOW, eta='{"at":"x"}', leg="leg0"))
    [frame] = await live.heard()
    assert "e" not in frame


async def test_standing_is_said_again_but_not_with_every_word(live: Live) -> None:
    await live.positions.set_gate(LEG)
    first = item(NOW)
    await live.keep(first)
    alive = first._replace(expected=first.version, version="v-alive", fix=0, points=[])
    await live.keep(alive, NOW + timedelta(seconds=2))
    await live.keep(alive, NOW + timedelta(seconds=20))
    shown = [frame["p"]["contact_at"] for frame in await live.heard()]  # type: ignore[index]
    assert shown == ["2026-11-22T09:00:00.000Z", "2026-11-22T09:00:20.000Z"]
    standing = await live.positions.last("tech")
    assert standing is not None
    assert (standing.fix_at, standing.contact_at) == (NOW, NOW + timedelta(seconds=20))


async def test_staff_hear_one_message_for_a_batch(live: Live) -> None:
    await live.positions.set_gate(LEG)
    await live.listen(keys.staff_channel(keys.bucket("tech")))
    await live.keep(item(NOW))
    staff = [message for message in await live.heard() if "technicians" in message]
    [row] = staff[0]["technicians"]  # type: ignore[misc]
    assert (row["technician"], row["appointment"], row["position"]["lat"]) == ("tech", "visit1", HERE.lat)


async def test_after_closing_an_old_gate_is_fenced_off(live: Live) -> None:
    await live.positions.set_gate(LEG)
    first = item(NOW)
    await live.keep(first)
    assert await live.positions.store_route("tech", "visit1", "leg1", ROUTE)
    assert await live.positions.route_of("tech", "leg1") == ROUTE
    await live.positions.close("tech", "visit1", 2)
    assert not await live.positions.set_gate(LEG)
    assert await live.positions.renew([LEG]) == [2]
    assert (await live.keep(item(NOW + timedelta(seconds=5), expected=first.version))).code == "g"
    visit = await live.positions.visit("tech", "visit1")
    assert (visit.position, visit.eta, visit.leg, visit.route) == (None, None, None, None)
    assert await live.positions.route_of("tech", "leg1") is None
    assert not await live.positions.store_route("tech", "visit1", "leg1", ROUTE)
    assert [frame["k"] for frame in await live.heard()] == ["update", "route", "closed"]
    assert await live.positions.restore(replace(LEG, gen=2))


async def test_closing_waits_for_the_processes_with_viewers(live: Live) -> None:
    asked: list[tuple[str, str]] = []

    async def ask(kind: str, name: str, *, after: str) -> None:
        assert after == keys.tag("tech")
        asked.append((kind, name))
        assert await live.positions.gate("tech") is None

    await live.positions.set_gate(LEG)
    await Positions(live.client, ask).close("tech", "visit1", 2)
    assert asked == [("visit", "visit1")]


async def test_a_pause_takes_the_technician_from_the_map(live: Live) -> None:
    await live.positions.set_gate(LEG)
    await live.keep(item(NOW))
    assert [who.technician for who in await live.positions.on_duty()] == ["tech"]
    await live.positions.close("tech", None, 2, forget=True)
    assert await live.positions.on_duty() == []
    assert await live.positions.nearest(HERE, 1000) == []
    assert await live.positions.last("tech") is None


async def test_nearest_asks_all_buckets(live: Live) -> None:
    for number in range(12):
        name = f"tech{number}"
        await live.positions.set_gate(replace(LEG, technician=name))
        point = moved(HERE, 30 * number, 100 + 100 * number)
        await live.keep(item(NOW, point=point)._replace(technician=name, tag=keys.tag(name)))
    found = await live.positions.nearest(HERE, 750)
    assert [who.technician for who, _ in found] == [f"tech{number}" for number in range(7)]
    assert found[0][1] == pytest.approx(100, abs=1)


async def test_a_gate_is_read_as_it_was_set(live: Live) -> None:
    gate = replace(LEG, cloak=Cloak(CENTER, 700), not_before=NOW)
    await live.positions.set_gate(gate)
    assert await live.positions.gate("tech") == gate


async def test_states_have_offsets_and_are_told_to_those_who_resume(live: Live) -> None:
    visit = await live.positions.visit("tech", "visit1")
    assert visit.offset == 0
    first = await live.positions.publish_state("tech", "visit1", State.TRAVELING, NOW, ended=False)
    await live.positions.set_gate(LEG)
    await live.keep(item(NOW))
    third = await live.positions.publish_state("tech", "visit1", State.IN_PROGRESS, NOW, ended=True)
    assert (first, third) == (1, 3)
    events = await live.positions.events_after("tech", "visit1", visit.epoch, 1)
    assert events == [{"ep": visit.epoch, "o": 3, "k": "state", "s": "in_progress", "at": "2026-11-22T09:00:00Z", "ended": True}]
    assert await live.positions.events_after("tech", "visit1", "other", 1) is None
    assert await live.positions.events_after("tech", "visit1", visit.epoch, 4) is None
    assert [frame["o"] for frame in await live.heard()] == [1, 2, 3]


async def test_more_states_than_are_kept_cannot_be_resumed(live: Live) -> None:
    visit = await live.positions.visit("tech", "visit1")
    for _ in range(20):
        await live.positions.publish_state("tech", "visit1", State.SCHEDULED, NOW, ended=False)
    assert await live.positions.events_after("tech", "visit1", visit.epoch, 2) is None
    assert len(await live.positions.events_after("tech", "visit1", visit.epoch, 4) or []) == 16


async def test_emptied_redis_gives_a_new_epoch(live: Live) -> None:
    visit = await live.positions.visit("tech", "visit1")
    await live.client.flushall()
    assert (await live.positions.visit("tech", "visit1")).epoch != visit.epoch
    assert await live.positions.events_after("tech", "visit1", visit.epoch, 0) is None
