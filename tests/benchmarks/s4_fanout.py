"""S4, S5 and S7: fan-out per CPU second, memory per viewer, bytes per update, beside the websockets library's own `broadcast`.

usage: python -m tests.benchmarks.s4_fanout [--viewers 1000] [--messages 60] [--pairs 5]
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from tests.benchmarks import floors
from tests.servers import valkey_server
from tests.web.live_scene import Scene, scene, somewhere
from tracker.live import keys
from tracker.live.connect import connect

PLAIN_BYTES = 137
"""A position update as plain JSON without deflate (proof.md §3)."""
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_kb(pid: int) -> float:
    """Resident kilobytes of a process."""
    return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))


class Crowd:
    """The viewers' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def gather(cls, **how: Any) -> "Crowd":
        crowd = cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.benchmarks.crowd", json.dumps(how)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )
        assert (await crowd.line())["open"] == how["count"]
        return crowd

    async def line(self) -> dict[str, int]:
        assert self.process.stdout is not None
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 120))  # type: ignore[no-any-return]

    async def expect(self, frames: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"%d\n" % frames)
        assert await asyncio.wait_for(self.process.stdout.readline(), 60) == b"armed\n"

    async def leave(self) -> None:
        self.process.kill()
        await self.process.wait()


@dataclass
class Floor:
    """`websockets.broadcast`, fed by one subscription."""

    pid: int
    port: int


@asynccontextmanager
async def floor(url: str) -> AsyncIterator[Floor]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.s4_fanout", "--floor", url), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await asyncio.wait_for(process.stdout.readline(), 60))
    yield Floor(process.pid, port)
    process.kill()
    await process.wait()


async def serve_floor(url: str) -> None:
    """The floor's own process: prints its port."""
    ready = asyncio.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = asyncio.create_task(floors.broadcast(url, "floor", port, ready))
    await ready.wait()
    print(port, flush=True)
    await serving


async def run(client: Any, channel: str, payloads: list[bytes], crowd: Crowd, viewers: int, pid: int) -> float:
    """Frames delivered per CPU second of the server; the next message only when all have the one before."""
    before = cpu_s(pid)
    for payload in payloads:
        await crowd.expect(viewers)
        await client.publish(channel, payload)
        await crowd.line()
    return viewers * len(payloads) / (cpu_s(pid) - before)


class Service:
    """One visit under way with its viewers, and updates as Redis publishes them."""

    def __init__(self, play: Scene, visit: str) -> None:
        self.play, self.visit = play, visit

    async def payloads(self, count: int) -> list[bytes]:
        visit = await self.play.house.positions.visit(self.play.world.maya, self.visit)
        await self.play.house.positions.client.hincrby(f"{keys.tag(self.play.world.maya)}visit:{self.visit}", "off", count)
        eta = {"at": "2026-11-24T12:20:00Z", "low": "2026-11-24T12:18:00Z", "high": "2026-11-24T12:25:00Z", "basis": "road"}
        said = {"ep": visit.epoch, "k": "update", "leg": visit.leg, "p": visit.position, "e": eta}
        return [json.dumps(said | {"o": visit.offset + n}).encode() for n in range(1, count + 1)]


async def measure(viewers: int, messages: int, pairs: int) -> dict[str, Any]:
    with valkey_server() as url, TemporaryDirectory() as folder:
        data = Path(folder)
        async with scene(f"sqlite+aiosqlite:///{data / 'tracker.db'}", url, data) as play, floor(url) as bare:
            return await _measure(play, bare, url, viewers, messages, pairs)


async def _measure(play: Scene, bare: Floor, url: str, viewers: int, messages: int, pairs: int) -> dict[str, Any]:
    client = connect(url)
    service = Service(play, await play.travel())
    await play.ping(somewhere(1))
    cookies = [(await play.cookie(play.world.customer))[1] for _ in range(viewers // 50 + 1)]
    pid, results = play.servers[0].process.pid, {}
    empty = memory_kb(pid), memory_kb(bare.pid)
    channel = keys.visit_channel(play.world.maya, service.visit)
    watch = {"type": "watch", "appointment": service.visit}
    ways = {"long": (watch, 1), "short": (watch | {"short": True}, 1), "short, seen together": (watch | {"short": True}, 2)}
    for name, (said, every) in ways.items():
        watch_text = json.dumps(said)
        mine = await Crowd.gather(
            port=play.servers[0].port, path="/ws/live", count=viewers, cookies=cookies, watch=watch_text, every=every
        )
        theirs = await Crowd.gather(port=bare.port, path="/", count=viewers, cookies=[], watch=None, every=0)
        full = memory_kb(pid), memory_kb(bare.pid)
        ratios, rates = [], []
        for _ in range(pairs):
            own = await run(client, channel, await service.payloads(messages), mine, viewers, pid)
            plain = [b'{"type":"update","offset":1,' + b"x" * 110 + b"}"] * messages
            other = await run(client, "live:floor", plain, theirs, viewers, bare.pid)
            ratios.append(own / other)
            rates.append((own, other))
        await mine.expect(viewers)
        await client.publish(channel, (await service.payloads(1))[0])
        counted = await mine.line()
        results[name] = {
            "fan_out_per_cpu_s": round(statistics.median(own for own, _ in rates)),
            "broadcast_per_cpu_s": round(statistics.median(other for _, other in rates)),
            "S4_ratio": round(statistics.median(ratios), 2),
            "bytes_per_update": round(counted["bytes"] / counted["frames"], 1),
            "S7_ratio": round(counted["bytes"] / counted["frames"] / PLAIN_BYTES, 2),
        }
        if name == "long":
            own_kb, bare_kb = (full[0] - empty[0]) / viewers, (full[1] - empty[1]) / viewers
            results["memory"] = {
                "kb_per_viewer": round(own_kb, 1),
                "bare_kb": round(bare_kb, 1),
                "S5_ratio": round(own_kb / 12, 2),
            }
        await mine.leave()
        await theirs.leave()
    await client.aclose()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("viewers", 1000), ("messages", 60), ("pairs", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--floor", help=argparse.SUPPRESS)
    given = vars(parser.parse_args())
    if (url := given.pop("floor")) is not None:
        uvloop.run(serve_floor(url))
    else:
        print(json.dumps(asyncio.run(measure(**given)), indent=1))


if __name__ == "__main__":
    main()
