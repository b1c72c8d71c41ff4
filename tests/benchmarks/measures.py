"""The measurements S1 to S4 and S7 of docs/proof: each a ratio, the median of pairs run by turns (service, floor, service …)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

import msgspec
import redis.asyncio

from tests.benchmarks.floor_process import TRIP
from tests.benchmarks.load import Phone, Viewer, eagerly, followers, in_crowds, phones, settled, steadily, watchers
from tests.benchmarks.rig import Rig, Server, answering, floor, quiet

PLAIN_JSON_BYTES = 137
"""A position update as plain JSON without deflate (docs/proof, S7)."""


class Result(msgspec.Struct):
    """One line of the table. ``ratio`` is service / floor (None: an absolute figure); ``better``: "more" or "less" than
    ``reach`` is wanted."""

    id: str
    what: str
    ratio: float | None
    reach: float | None
    better: str
    service: str
    floor: str
    pairs: list[float]
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.ratio is None or self.reach is None:
            return None
        return self.ratio >= self.reach if self.better == "more" else self.ratio <= self.reach


@dataclass(frozen=True, slots=True)
class Size:
    """How large and how long; the short form proves the machinery only."""

    pairs: int = 5
    seconds: float = 3.0
    warm_s: float = 2.0
    crowd: int = 1000
    ingest: int = 500
    calm: int = 200
    rates: tuple[int, ...] = (1000, 2000, 5000)
    fan_out_hz: float = 10.0


type Run = Callable[[], Awaitable[float]]


async def by_turns(pairs: int, service: Run, floor: Run) -> list[list[float]]:
    """Run both in turn, with no garbage collection of the load's own; the figures of each."""
    figures: list[list[float]] = [[], []]
    with quiet():
        for _ in range(pairs):
            for kept, run in zip(figures, (service, floor), strict=True):
                kept.append(await run())
    return figures


def ratios(figures: Sequence[Sequence[float]]) -> list[float]:
    """Service / floor, pair by pair."""
    return [round(ours / theirs, 3) for ours, theirs in zip(*figures, strict=True)]


# -- S1 ----------------------------------------------------------------------------------------------------------------


async def ingest(rig: Rig, size: Size) -> list[Result]:
    """S1: pings acknowledged per CPU second, every phone sending as soon as it is answered."""

    async def acks_per_cpu_s(server: Server, senders: list[Phone]) -> float:
        await rig.company.open_gates()
        before = server.cpu_s()
        acks = await eagerly(senders, size.seconds)
        return acks / (server.cpu_s() - before)

    vans = rig.company.vans[: size.ingest]
    async with phones(rig.service, "/ws/technician", vans) as ours, phones(rig.floors, "/acks", vans) as theirs:
        await steadily(ours, len(ours), size.warm_s)  # routes and beliefs are loaded
        await settled(ours)
        figures = await by_turns(
            size.pairs, lambda: acks_per_cpu_s(rig.service, ours), lambda: acks_per_cpu_s(rig.floors, theirs)
        )
        _nothing_refused(ours)
    found = ratios(figures)
    per_s = [f"{median(each):,.0f}/s" for each in figures]
    note = f"acks per CPU second, {len(vans)} phones"
    return [Result("S1", "ingest / validate and ack", median(found), 0.45, "more", *per_s, found, note)]


# -- S2, S3 ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """Phones and their viewers on one server."""

    server: Server
    phones: list[Phone]
    viewers: list[Viewer]

    async def us_per_ping(self, per_s: float, seconds: float) -> float:
        """CPU microseconds of the server for each ping."""
        before = self.server.cpu_s()
        sent = await steadily(self.phones, per_s, seconds)
        await settled(self.phones, self.viewers)
        return (self.server.cpu_s() - before) / sent * 1e6

    async def ages_ms(self, per_s: float, seconds: float) -> list[float]:
        """Milliseconds from sending a ping to its viewer having it, sorted."""
        for viewer in self.viewers:
            viewer.ages.clear()
        await steadily(self.phones, per_s, seconds)
        await settled(self.phones, self.viewers)
        return sorted(age * 1e3 for viewer in self.viewers for age in viewer.ages)


@asynccontextmanager
async def paths(rig: Rig, count: int, floor_phone: str, warm_s: float) -> AsyncIterator[tuple[Path, Path]]:
    """The same number of phones, each with a viewer, on the service and on a floor; warm."""
    vans = rig.company.vans[:count]
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(phones(rig.service, "/ws/technician", vans))
        theirs = await stack.enter_async_context(phones(rig.floors, floor_phone, vans))
        seeing = await stack.enter_async_context(watchers(rig.service, rig.company, ours))
        following = await stack.enter_async_context(followers(rig.floors, theirs))
        both = Path(rig.service, ours, seeing), Path(rig.floors, theirs, following)
        await rig.company.open_gates()
        for path in both:
            await path.us_per_ping(count, warm_s)
        yield both
        _nothing_refused(ours)


async def tutorial(rig: Rig, size: Size) -> list[Result]:
    """S2: CPU for each ping at 200 pings a second, beside the design of the tutorials."""
    async with paths(rig, size.calm, "/tutorial/phone", size.warm_s) as (ours, theirs):

        async def cost(path: Path) -> float:
            await rig.company.open_gates()
            return await path.us_per_ping(200, size.seconds)

        figures = await by_turns(size.pairs, lambda: cost(ours), lambda: cost(theirs))
    found = ratios(figures)
    each = [f"{median(one):.0f} µs" for one in figures]
    note = f"CPU per ping at 200/s, {size.calm} phones and {size.calm} viewers"
    return [Result("S2", "CPU per ping / the tutorials' design", median(found), 0.167, "less", *each, found, note)]


async def end_to_end(rig: Rig, size: Size) -> list[Result]:
    """S3: from phone to viewer beside raw publish and forward."""
    results: list[Result] = []
    async with paths(rig, size.crowd, "/raw/phone", size.warm_s) as (ours, theirs):
        for rate in size.rates:
            p99s: list[list[float]] = [[], []]

            async def p50(path: Path, p99s_of: list[float], rate: int = rate) -> float:
                await rig.company.open_gates()
                ages = await path.ages_ms(rate, size.seconds)
                p99s_of.append(ages[len(ages) * 99 // 100])
                return ages[len(ages) // 2]

            p50s = await by_turns(size.pairs, lambda: p50(ours, p99s[0]), lambda: p50(theirs, p99s[1]))  # noqa: B023 - run at once
            for name, figures in (("p50", p50s), ("p99", p99s)):
                found = ratios(figures)
                each = [f"{median(one):.2f} ms" for one in figures]
                what = f"{name} ping → viewer / raw path, {rate:,} pings/s"
                note = f"{len(ours.phones)} phones, {len(ours.viewers)} viewers"
                results.append(Result(f"S3 {name}", what, median(found), 1.5, "less", *each, found, note))
        results.append(_bytes(ours.viewers))
    return results


def _bytes(viewers: list[Viewer]) -> Result:
    """S7: bytes of an update on the wire, its WebSocket head included."""
    frames = sum(viewer.frames for viewer in viewers)
    each = sum(viewer.bytes for viewer in viewers) / frames + 2
    ratio = round(each / PLAIN_JSON_BYTES, 3)
    sizes = f"{each:.1f} B", f"{PLAIN_JSON_BYTES} B"
    return Result("S7", "bytes per position update / plain JSON", ratio, 0.7, "less", *sizes, [ratio], f"{frames:,} updates")


# -- S4 and one trip ---------------------------------------------------------------------------------------------------


async def fan_out(rig: Rig, size: Size) -> list[Result]:
    """S4: frames per CPU second to many viewers of one trip, beside `websockets.broadcast`.

    Ours get short frames and answer each with ``seen``, which is part of the service's cost; those of the floor say nothing.
    """
    van = rig.company.vans[0]
    async with AsyncExitStack() as stack:
        [phone] = await stack.enter_async_context(phones(rig.service, "/ws/technician", [van]))
        ours = await stack.enter_async_context(watchers(rig.service, rig.company, [phone] * size.crowd))
        server = stack.enter_context(floor("broadcast", rig.redis_url))
        await answering(server, "/")
        theirs = [Viewer(None) for _ in range(size.crowd)]
        await in_crowds([viewer.listen(server) for viewer in theirs])
        store = await stack.enter_async_context(redis.asyncio.Redis.from_url(rig.redis_url))
        publish = _publisher(store, size)

        async def service_once() -> float:
            await rig.company.open_gates()
            return await _frames_per_cpu_s(rig.service, ours, lambda: _drive(phone, ours, size))

        async def floor_once() -> float:
            return await _frames_per_cpu_s(server, theirs, publish)

        await service_once()
        await floor_once()
        figures = await by_turns(size.pairs, service_once, floor_once)
        for viewer in theirs:
            viewer.close()
    found = ratios(figures)
    each = [f"{median(one):,.0f}/s" for one in figures]
    note = f"frames per CPU second, {size.crowd} viewers, {size.fan_out_hz:g} frames/s; ours answer seen"
    return [Result("S4", "fan-out / websockets.broadcast", median(found), 0.7, "more", *each, found, note)]


async def _frames_per_cpu_s(server: Server, viewers: list[Viewer], run: Callable[[], Awaitable[None]]) -> float:
    frames, cpu_s = sum(viewer.frames for viewer in viewers), server.cpu_s()
    await run()
    return (sum(viewer.frames for viewer in viewers) - frames) / (server.cpu_s() - cpu_s)


async def _drive(phone: Phone, viewers: list[Viewer], size: Size) -> None:
    await steadily([phone], size.fan_out_hz, size.seconds)
    await settled([phone], viewers)


def _publisher(store: "redis.asyncio.Redis", size: Size) -> Callable[[], Awaitable[None]]:
    text = '{"type":"update","now":"2026-11-24T12:02:00.000Z","position":{"lat":60.16990,"lon":24.93840,"acc":6,"speed":8}}'
    text += " " * (PLAIN_JSON_BYTES - len(text))

    async def publish() -> None:
        for _ in range(max(1, int(size.fan_out_hz * size.seconds))):
            await store.publish(f"live:{TRIP}", text)
            await asyncio.sleep(1 / size.fan_out_hz)

    return publish


async def one_trip(rig: Rig, size: Size) -> list[Result]:
    """One trip and a tenth of the crowd watching it: absolute, printed and promised nowhere."""
    async with AsyncExitStack() as stack:
        senders = await stack.enter_async_context(phones(rig.service, "/ws/technician", rig.company.vans[:1]))
        seeing = await stack.enter_async_context(watchers(rig.service, rig.company, senders * (size.crowd // 10)))
        path = Path(rig.service, senders, seeing)
        await rig.company.open_gates()
        await path.ages_ms(5, size.warm_s)
        with quiet():
            ages = await path.ages_ms(5, size.seconds)
    shown = f"p50 {ages[len(ages) // 2]:.2f} ms, p99 {ages[len(ages) * 99 // 100]:.2f} ms"
    note = f"5 pings/s, {len(ages):,} updates"
    return [Result("trip", f"one trip, {len(seeing)} viewers: ping → viewer", None, None, "less", shown, "", [], note)]


def _nothing_refused(senders: Sequence[Phone]) -> None:
    refused = sum(phone.refused for phone in senders)
    assert not refused, f"{refused} pings were refused: what was measured is not the way of a good ping"
