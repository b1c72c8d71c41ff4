"""Load for benches: thousands of sockets and pings a second out of one process, with latencies on one clock."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from simulator.loadphone import LoadPhone, Marks, PhoneUnderLoad, Tally, decode
from simulator.rawsocket import RawSocket, client_frame, open_raw
from simulator.report import Spread
from simulator.site import Site

TICK_S = 0.005


class LoadViewer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One viewer: the cookie of someone who may watch, and which appointment."""

    cookie: str
    appointment: str


class LoadPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do: each phone sends ``rate`` pings a second for ``seconds``, after ``warm_s`` seconds that are not counted."""

    url: str
    phones: tuple[LoadPhone, ...]
    viewers: tuple[LoadViewer, ...] = ()
    rate: float = 1.0
    seconds: float = 20.0
    warm_s: float = 3.0


class LoadReport(msgspec.Struct, frozen=True):
    """What came of it. ``behind``: how late the generator itself was; ``cpu_s``: its own CPU seconds."""

    phones: int
    viewers: int
    pings_per_s: float
    sent: int
    acked: int
    refused: dict[str, int]
    updates: int
    latency: Spread | None
    ack: Spread | None
    behind: Spread | None
    cpu_s: float
    closed: dict[str, int]

    def rows(self) -> list[tuple[str, str]]:
        """For `report.table`."""
        return [("what", "figure"), *((name, _text(getattr(self, name))) for name in self.__struct_fields__)]


def _text(value: object) -> str:
    if isinstance(value, Spread):
        return f"p50 {value.p50} ms  p90 {value.p90}  p99 {value.p99}  max {value.longest}  (n {value.count})"
    return str(value)


async def _watch(url: str, viewer: LoadViewer, marks: Marks | None, tally: Tally) -> RawSocket:
    holder: list[RawSocket] = []

    def heard(payload: bytes) -> None:
        frame = decode(payload)
        if frame.type == "update":
            if frame.position is not None and marks is not None:
                tally.seen(marks.when(int(frame.position.fix_at.timestamp() * 1000 + 0.5)))
            holder[0].send(client_frame(b'{"type":"seen","offset":%d}' % frame.offset))

    socket = await open_raw(url, "/ws/live", heard, {"Cookie": viewer.cookie, "Origin": Site(url).origin})
    holder.append(socket)
    socket.send(client_frame(msgspec.json.encode({"type": "watch", "appointment": viewer.appointment})))
    return socket


async def run_load(plan: LoadPlan) -> LoadReport:
    """Connects everyone, warms up, counts for ``seconds``, and reports. Raises OSError if someone cannot connect."""
    tally = Tally()
    phones = [PhoneUnderLoad(i, phone, Marks(), tally) for i, phone in enumerate(plan.phones)]
    by_appointment = {phone.plan.appointment: phone.marks for phone in phones if phone.plan.appointment}
    await _in_crowds([phone.connect(plan.url) for phone in phones])
    viewers: list[RawSocket] = await _in_crowds(
        [_watch(plan.url, viewer, by_appointment.get(viewer.appointment), tally) for viewer in plan.viewers]
    )
    await _drive(phones, plan.rate, plan.warm_s, tally)
    tally.counting, before, cpu = True, tally.sent, _cpu_s()
    began = time.monotonic()
    await _drive(phones, plan.rate, plan.seconds, tally)
    took, cpu = time.monotonic() - began, _cpu_s() - cpu
    sent = tally.sent - before
    await asyncio.sleep(1.0)
    sockets = [phone.socket for phone in phones if phone.socket is not None] + viewers
    closed = Counter(str(socket.closed.result()) for socket in sockets if socket.closed.done())
    for socket in sockets:
        socket.close()
    return LoadReport(
        phones=len(phones),
        viewers=len(viewers),
        pings_per_s=round(sent / took, 1),
        sent=tally.sent,
        acked=tally.acks,
        refused=dict(tally.refused),
        updates=tally.updates,
        latency=Spread.of(tally.latencies_s),
        ack=Spread.of(tally.acks_s),
        behind=Spread.of(tally.behind_s),
        cpu_s=round(cpu, 2),
        closed=dict(closed),
    )


async def _drive(phones: Sequence[PhoneUnderLoad], rate: float, seconds: float, tally: Tally) -> None:
    """Pings at an even pace over all phones; being late is noted, never skipped."""
    per_s = rate * len(phones)
    begin, done, whole = time.monotonic(), 0, int(per_s * seconds)
    while done < whole:
        now = time.monotonic()
        due = min(whole, int((now - begin) * per_s) + 1)
        if tally.counting and due > done:
            tally.behind_s.append(now - begin - done / per_s)
        for number in range(done, due):
            phones[number % len(phones)].ping()
        done = due
        await asyncio.sleep(TICK_S)


async def _in_crowds[T](openings: Sequence[asyncio.Future[T] | object], most: int = 50) -> list[T]:
    """Awaits many openings, so many at once: a listener's queue is finite."""
    out: list[T] = []
    for i in range(0, len(openings), most):
        out += await asyncio.gather(*openings[i : i + most])  # type: ignore[arg-type]
    return out


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
