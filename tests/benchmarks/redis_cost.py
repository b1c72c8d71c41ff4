"""S8 and S10: what a ping costs Redis beside its bare commands, and what a hundred times as many technicians change."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from itertools import batched
from pathlib import Path
from statistics import median
from typing import Any

import redis.asyncio

from tests.benchmarks.load import eagerly, phones, settled, steadily
from tests.benchmarks.results import Result, Size, by_turns, ratios
from tests.benchmarks.rig import Rig, Server
from tracker.actions.house import the_clock
from tracker.actions.trip.arrivals import Arrivals
from tracker.actions.trip.tracking import Phone, Receiver
from tracker.domain.pings import Ping
from tracker.live.connect import connect
from tracker.live.gate import Gate
from tracker.live.keep import Keeper
from tracker.live.positions import Positions
from tracker.live.server import EmbeddedValkey

DEEP = 64
"""Commands under way at once when they are sent bare, as redis-benchmark does it."""
LINE = '[1795516800123,60.169912,24.938412,6.0,8.0,181.0,0.71,"b1795516800",17]\n'
HEAD = '{"lat":60.169912,"lon":24.938412,"acc":6.0,"course":181.0,"speed":8.0,"fix_at":"2026-11-24T12:00:00.123Z"'
POSITION = HEAD + ',"contact_at":"2026-11-24T12:00:00.300Z","interval_s":5}'
ETA = '{"at":"2026-11-24T12:20:00Z","low":"2026-11-24T12:18:00Z","high":"2026-11-24T12:25:00Z","basis":"road"}'
FRAME = '{"ep":"9f2c1a77","o":17,"k":"update","leg":"00112233445566aa","p":' + POSITION + ',"e":' + ETA + "}"
GATE = {
    **{"gen": 3, "duty_end": 1795520000000, "sharing": 1, "dev": "00112233445566aa", "leg": "00112233445566ab", "since": 1},
    **{"appt": "00112233445566ac", "clat": 60.32, "clon": 24.55, "crad": 750, "int": 5, "from": 0},
}
LAST = {
    **{"v": "a1b2c3d4.1f", "at": 1795516800123, "ct": 1795516800300, "dev": "00112233445566aa", "h": HEAD, "f": LINE},
    **{"int": 5, "lat": 60.169912, "lon": 24.938412},
}


def commands(tag: str, who: str) -> list[tuple[Any, ...]]:
    """What `keep.lua` does for a ping that is shown, one by one."""
    visit, last = f"{tag}visit:{who}", f"{tag}last:{who}"
    shown = {"epoch": "9f2c1a77", "off": 17, "leg": "00112233445566ab", "pos": POSITION, "eta": ETA}
    return [
        (
            "HMGET",
            f"{tag}gate:{who}",
            *("duty_end", "sharing", "dev", "leg", "appt", "since", "clat", "clon", "crad", "int", "from", "gone"),
        ),
        ("HMGET", last, *("v", "at", "ct", "dev", "h", "lat", "lon", "f")),
        ("HSET", last, *_flat(LAST)),
        ("GEOADD", f"{tag}geo", 24.938412, 60.169912, who),
        ("ZADD", f"{tag}seen", 1795516800300, who),
        ("HMGET", visit, "epoch", "off", "rn"),
        ("HSET", visit, *_flat(shown)),
        ("PUBLISH", f"{tag}v:{who}", FRAME),
        ("XADD", f"{tag}told", "MAXLEN", "~", 50_000, "*", "a", who, "w", FRAME),
        ("XADD", f"{tag}trail", "MAXLEN", "~", 50_000, "*", *_flat({"t": who, "d": who, "l": who, "s": 1, "r": 2, "p": LINE})),
        ("HSET", f"{tag}boot:{who}", "b1795516800", "17"),
    ]


def _flat(values: dict[str, Any]) -> list[Any]:
    return [part for pair in values.items() for part in pair]


async def redis_cpu(rig: Rig, size: Size) -> list[Result]:
    """S8: CPU of Redis for each ping, beside the same commands sent bare."""
    vans = rig.company.vans[: size.ingest]
    async with AsyncExitStack() as stack:
        senders = await stack.enter_async_context(phones(rig.service, "/ws/technician", vans))
        store = await stack.enter_async_context(redis.asyncio.Redis.from_url(rig.redis_url))
        valkey = Server(0, int((await store.info("server"))["process_id"]))
        await rig.company.open_gates()
        await steadily(senders, len(senders), size.warm_s)
        await settled(senders)
        for van in vans:
            await store.hset(f"bench:gate:{van.technician}", mapping=GATE)

        async def ours() -> float:
            await rig.company.open_gates()
            before, acks = valkey.cpu_s(), sum(phone.acks for phone in senders)
            await eagerly(senders, size.seconds)
            return (valkey.cpu_s() - before) / (sum(phone.acks for phone in senders) - acks) * 1e6

        async def bare() -> float:
            before, count, until = valkey.cpu_s(), 0, time.monotonic() + size.seconds
            while time.monotonic() < until:
                sent = [
                    command for van in random.sample(vans, min(40, len(vans))) for command in commands("bench:", van.technician)
                ]
                for some in batched(sent, DEEP):
                    pipe = store.pipeline(transaction=False)
                    for command in some:
                        pipe.execute_command(*command)
                    await pipe.execute()
                count += min(40, len(vans))
            return (valkey.cpu_s() - before) / count * 1e6

        await ours()
        figures = await by_turns(size.pairs, ours, bare)
        await store.delete(*[key async for key in store.scan_iter("bench:*")])
    each = [f"{median(one):.1f} µs" for one in figures]
    note = f"CPU of Valkey per shown ping; {len(commands('', ''))} commands, {DEEP} deep"
    return [Result("S8", "Redis CPU per ping / its bare commands", ratios(*figures), 1.5, "less", *each, note)]


# -- S10 ---------------------------------------------------------------------------------------------------------------


class Fleet:
    """So many technicians on duty on a Redis of their own, whose pings come straight to a `Receiver`."""

    AT_ONCE = 200

    def __init__(self, positions: Positions, valkey: Server, count: int) -> None:
        self.positions, self.valkey = positions, valkey
        keeper = Keeper(positions.client)
        self.receiver = Receiver(keeper, Arrivals(positions), self._reopen, the_clock)
        self.technicians = [f"{n:016x}" for n in range(count)]
        self.seqs = dict.fromkeys(self.technicians, 0)

    async def _reopen(self, technician: str) -> bool:
        raise AssertionError("a gate was missing")

    async def us_per_ping(self, technicians: list[str]) -> float:
        """CPU microseconds for each, of this process and of Redis."""
        spent = 0.0
        for some in batched(technicians, self.AT_ONCE):
            now = the_clock()
            gates = [Gate(who, 1, duty_end=now + timedelta(hours=1), device=who) for who in some]
            await self.positions.renew(gates)
            pings = [self._ping(who, now) for who in some]
            before = time.process_time() + self.valkey.cpu_s()
            waiting: list[Awaitable[Any]] = []
            for who, ping in zip(some, pings, strict=True):
                waiting.append(self.receiver.receive(Phone(who, who, "b"), [ping], str(ping.seq)))
            await asyncio.gather(*waiting)
            spent += time.process_time() + self.valkey.cpu_s() - before
        return spent / len(technicians) * 1e6

    def _ping(self, who: str, now: datetime) -> Ping:
        seq = self.seqs[who] = self.seqs[who] + 1
        number = int(who, 16)
        lat, lon = 60 + number % 1000 / 1000, 24 + number // 1000 / 100
        return Ping(at=now, lat=lat, lon=lon + seq * 1e-6, acc=6.0, speed=8.0, course=90.0, battery=0.7, boot="b", seq=seq)


@asynccontextmanager
async def _fleet(count: int) -> AsyncIterator[Fleet]:
    with tempfile.TemporaryDirectory(prefix="tt-bench-") as folder:
        valkey = EmbeddedValkey()
        client = connect(await valkey.start(Path(folder)))
        stop = asyncio.Event()
        try:
            pid = int((await client.info("server"))["process_id"])
            fleet = Fleet(Positions(client), Server(0, pid), count)
            turning = asyncio.create_task(fleet.receiver.run(stop))
            yield fleet
            stop.set()
            await turning
        finally:
            await client.aclose()
            await valkey.stop()


async def growth(size: Size) -> list[Result]:
    """S10: CPU per ping (ours and Redis') with many technicians and with few, as many pings."""
    few_count, many_count = size.grown
    asked, rng = min(few_count, 2_000), random.Random(10)
    async with _fleet(few_count) as few, _fleet(many_count) as many:
        for fleet in (few, many):
            await fleet.us_per_ping(fleet.technicians)
        runs = [lambda fleet=fleet: fleet.us_per_ping(rng.sample(fleet.technicians, asked)) for fleet in (many, few)]
        figures = await by_turns(size.pairs, *runs)
    each = [f"{median(one):.0f} µs" for one in figures]
    note = f"{many_count:,} and {few_count:,} technicians, {asked:,} pings a turn from any of them, {Fleet.AT_ONCE} at once"
    return [Result("S10", "CPU per ping, many technicians / few", ratios(*figures), 1.3, "less", *each, note)]
