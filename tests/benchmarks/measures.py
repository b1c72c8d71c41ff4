"""S1 to S3, S7 and one trip (docs/benchmarks.md): a ping's way in, its cost, and how soon a viewer has it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.load import Offsets, Phone, Viewer, eagerly, followers, phones, settled, steadily, watchers
from tests.benchmarks.results import Result, Size, by_turns, ratios
from tests.benchmarks.rig import Rig, Server, quiet

PLAIN_JSON_BYTES = 137
"""A position update as plain JSON without deflate (S7)."""


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
        await acks_per_cpu_s(rig.service, ours)  # the first second of load is not like the others
        await acks_per_cpu_s(rig.floors, theirs)
        figures = await by_turns(
            size.pairs, lambda: acks_per_cpu_s(rig.service, ours), lambda: acks_per_cpu_s(rig.floors, theirs)
        )
        _nothing_refused(ours)
    per_s = [f"{median(each):,.0f}/s" for each in figures]
    note = f"acks per CPU second, {len(vans)} phones"
    return [Result("S1", "ingest / validate and ack", ratios(*figures), 0.45, "more", *per_s, note)]


# -- S2, S3 ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """Phones and their viewers on one server."""

    server: Server
    phones: list[Phone]
    viewers: list[Viewer]
    offsets: Offsets | None = None

    async def us_per_ping(self, per_s: float, seconds: float) -> float:
        """CPU microseconds of the server for each ping."""
        before = self.server.cpu_s()
        sent = await steadily(self.phones, per_s, seconds)
        await settled(self.phones, self.viewers, self.offsets)
        return (self.server.cpu_s() - before) / sent * 1e6

    async def ages_ms(self, per_s: float, seconds: float) -> list[float]:
        """Milliseconds from sending a ping to its viewer having it, sorted."""
        for viewer in self.viewers:
            viewer.ages.clear()
        await steadily(self.phones, per_s, seconds)
        await settled(self.phones, self.viewers, self.offsets)
        return sorted(age * 1e3 for viewer in self.viewers for age in viewer.ages)


@asynccontextmanager
async def paths(
    rig: Rig, count: int, floor_phone: str, warm_s: float, floor_viewer: str = "/forward"
) -> AsyncIterator[tuple[Path, Path]]:
    """The same number of phones, each with a viewer, on the service and on a floor; warm."""
    vans = rig.company.vans[:count]
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(phones(rig.service, "/ws/technician", vans))
        theirs = await stack.enter_async_context(phones(rig.floors, floor_phone, vans))
        seeing = await stack.enter_async_context(watchers(rig.service, rig.company, ours))
        following = await stack.enter_async_context(followers(rig.floors, theirs, floor_viewer))
        both = Path(rig.service, ours, seeing, rig.company.offsets), Path(rig.floors, theirs, following)
        await rig.company.open_gates()
        for path in both:
            await path.us_per_ping(count, warm_s)
        yield both


async def tutorial(rig: Rig, size: Size) -> list[Result]:
    """S2: CPU for each ping at 200 pings a second, beside the design of the tutorials.

    So slow a pace wakes a server for every ping, which costs a server that does nothing but acknowledge a good part of it
    all: that one is measured as well. And the same at a pace that keeps both awake.
    """
    async with AsyncExitStack() as stack:
        ours, theirs = await stack.enter_async_context(paths(rig, size.calm, "/tutorial/phone", size.warm_s))
        bare = Path(rig.floors, await stack.enter_async_context(phones(rig.floors, "/acks", rig.company.vans[: size.calm])), [])
        await bare.us_per_ping(size.calm, size.warm_s)

        async def cost(path: Path, per_s: float) -> float:
            await rig.company.open_gates()
            return await path.us_per_ping(per_s, size.seconds)

        slow = await by_turns(size.pairs, *(lambda path=path: cost(path, 200) for path in (ours, theirs, bare)))
        quick = await by_turns(size.pairs, *(lambda path=path: cost(path, 5 * size.calm) for path in (ours, theirs)))
    note = f"CPU per ping, {size.calm} phones and {size.calm} viewers"
    each = [f"{median(one):.0f} µs" for one in (*slow, *quick)]
    what = "CPU per ping / the tutorials' design"
    return [
        Result("S2", f"{what}, 200 pings/s", ratios(*slow[:2]), 0.167, "less", each[0], each[1], note),
        Result("S2 bare", "a bare acknowledgement / the same", ratios(slow[2], slow[1]), None, "less", each[2], each[1], note),
        Result("S2 quick", f"{what}, {5 * size.calm:,} pings/s", ratios(*quick), None, "less", *each[3:], note),
    ]


async def end_to_end(rig: Rig, size: Size) -> list[Result]:
    """S3: from phone to viewer beside raw publish and forward."""
    results: list[Result] = []
    async with paths(rig, size.crowd, "/raw/phone", size.warm_s, "/dispatch") as (ours, theirs):
        for rate in size.rates:
            p99s: dict[int, list[float]] = {id(ours): [], id(theirs): []}

            async def p50(path: Path, rate: int = rate, p99s: dict[int, list[float]] = p99s) -> float:
                await rig.company.open_gates()
                ages = await path.ages_ms(rate, size.seconds)
                p99s[id(path)].append(ages[len(ages) * 99 // 100])
                return ages[len(ages) // 2]

            p50s = await by_turns(size.pairs, lambda p50=p50: p50(ours), lambda p50=p50: p50(theirs))
            note = f"{len(ours.phones)} phones, {len(ours.viewers)} viewers"
            if refused := sum(phone.refused for phone in ours.phones):
                note += f"; late, and {refused} pings were refused"
            for name, figures in (("p50", p50s), ("p99", list(p99s.values()))):
                each = [f"{median(one):.2f} ms" for one in figures]
                what = f"{name} ping → viewer / raw path, {rate:,} pings/s"
                results.append(Result(f"S3 {name}", what, ratios(*figures), 1.5, "less", *each, note))
        results.append(_bytes(ours.viewers))
    return results


def _bytes(viewers: list[Viewer]) -> Result:
    """S7: bytes of an update on the wire, its WebSocket head included."""
    frames = sum(viewer.frames for viewer in viewers)
    each = sum(viewer.bytes for viewer in viewers) / frames + 2
    ratio = round(each / PLAIN_JSON_BYTES, 3)
    sizes = f"{each:.1f} B", f"{PLAIN_JSON_BYTES} B"
    return Result("S7", "bytes per position update / plain JSON", [ratio], 0.7, "less", *sizes, f"mean of {frames:,} updates")


# -- one trip --------------------------------------------------------------------------------------------------------


async def one_trip(rig: Rig, size: Size) -> list[Result]:
    """One trip and a tenth of the crowd watching it: absolute, printed and promised nowhere."""
    async with AsyncExitStack() as stack:
        senders = await stack.enter_async_context(phones(rig.service, "/ws/technician", rig.company.vans[:1]))
        seeing = await stack.enter_async_context(watchers(rig.service, rig.company, senders * (size.crowd // 10)))
        path = Path(rig.service, senders, seeing, rig.company.offsets)
        await rig.company.open_gates()
        await path.ages_ms(5, size.warm_s)
        with quiet():
            ages = await path.ages_ms(5, size.seconds)
    shown = f"p50 {ages[len(ages) // 2]:.2f} ms, p99 {ages[len(ages) * 99 // 100]:.2f} ms"
    note = f"5 pings/s, {len(ages):,} updates"
    return [Result("trip", f"one trip, {len(seeing)} viewers: ping → viewer", [], None, "less", shown, "", note)]


def _nothing_refused(senders: Sequence[Phone]) -> None:
    refused = sum(phone.refused for phone in senders)
    assert not refused, f"{refused} pings were refused: what was measured is not the way of a good ping"
