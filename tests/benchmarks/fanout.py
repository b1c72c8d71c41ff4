"""S4 and S5: many viewers of one trip, beside the websockets library's own `broadcast` and its bare connections."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from statistics import median

import redis.asyncio

from tests.benchmarks.floor_process import TRIP
from tests.benchmarks.load import Phone, Viewer, in_crowds, phones, settled, steadily, watchers
from tests.benchmarks.measures import PLAIN_JSON_BYTES
from tests.benchmarks.results import Result, Size, by_turns, ratios
from tests.benchmarks.rig import Rig, Server, answering, floor


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
            return await _frames_per_cpu_s(rig.service, ours, lambda: _drive(rig, phone, ours, size))

        async def floor_once() -> float:
            return await _frames_per_cpu_s(server, theirs, publish)

        await service_once()
        await floor_once()
        figures = await by_turns(size.pairs, service_once, floor_once)
        for viewer in theirs:
            viewer.close()
    each = [f"{median(one):,.0f}/s" for one in figures]
    note = f"frames per CPU second, {size.crowd} viewers, {size.fan_out_hz:g} frames/s; ours answer seen"
    return [Result("S4", "fan-out / websockets.broadcast", ratios(*figures), 0.7, "more", *each, note)]


async def _frames_per_cpu_s(server: Server, viewers: list[Viewer], run: Callable[[], Awaitable[None]]) -> float:
    frames, cpu_s = sum(viewer.frames for viewer in viewers), server.cpu_s()
    await run()
    return (sum(viewer.frames for viewer in viewers) - frames) / (server.cpu_s() - cpu_s)


async def _drive(rig: Rig, phone: Phone, viewers: list[Viewer], size: Size) -> None:
    await steadily([phone], size.fan_out_hz, size.seconds)
    await settled([phone], viewers, rig.company.offsets)


def _publisher(store: "redis.asyncio.Redis", size: Size) -> Callable[[], Awaitable[None]]:
    text = '{"type":"update","now":"2026-11-24T12:02:00.000Z","position":{"lat":60.16990,"lon":24.93840,"acc":6,"speed":8}}'
    text += " " * (PLAIN_JSON_BYTES - len(text))

    async def publish() -> None:
        for _ in range(max(1, int(size.fan_out_hz * size.seconds))):
            await store.publish(f"live:{TRIP}", text)
            await asyncio.sleep(1 / size.fan_out_hz)

    return publish


# -- S5 ----------------------------------------------------------------------------------------------------------------


async def memory(rig: Rig, size: Size) -> list[Result]:
    """S5: what a process grows by for each viewer that joins and then waits; a first crowd fills what is free already."""
    step = max(1, size.crowd // size.pairs)
    async with AsyncExitStack() as stack:
        senders = await stack.enter_async_context(phones(rig.service, "/ws/technician", rig.company.vans[:1]))
        server = stack.enter_context(floor("broadcast", rig.redis_url))
        await answering(server, "/")
        await rig.company.open_gates()
        joined = count(step=step)

        async def ours() -> float:
            before = _kilobytes(rig.service)
            await stack.enter_async_context(watchers(rig.service, rig.company, senders * step, next(joined)))
            return (_kilobytes(rig.service) - before) / step

        async def theirs() -> float:
            before = _kilobytes(server)
            viewers = [Viewer(None) for _ in range(step)]
            await in_crowds([viewer.listen(server) for viewer in viewers])
            await asyncio.sleep(0.2)
            stack.callback(lambda: [viewer.close() for viewer in viewers])
            return (_kilobytes(server) - before) / step

        await ours(), await theirs()
        figures = await by_turns(size.pairs, ours, theirs)
    each = [f"{median(one):.1f} KB" for one in figures]
    found = [round(a / max(b, 0.1), 3) for a, b in zip(*figures, strict=True)]
    note = f"growth of the process in {size.pairs} steps of {step} viewers"
    return [Result("S5", "memory per idle viewer / a bare websockets connection", found, 2, "less", *each, note)]


def _kilobytes(server: Server) -> float:
    """Memory of its own, shared pages not counted."""
    text = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))
