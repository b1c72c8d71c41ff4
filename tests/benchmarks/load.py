"""Phones and viewers for benchmarks: bytes over bare sockets, latencies on one clock, the same for the service and its floors."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic

import msgspec

from simulator.rawsocket import RawSocket, client_frame, open_raw
from tests.benchmarks.company import Company, Van
from tests.benchmarks.rig import Server

TICK_S = 0.001
CROWD = 25
QUEUED_S, LATE_S = 120.0, 10.0
"""How long what was sent may queue before a server that is asked more than it can do, and how late viewers may be then."""
_begun = time.time()


class Phone:
    """Drives its van's route by the clock and sends where it is; ``sent`` has the moment of each ping."""

    def __init__(self, van: Van) -> None:
        self.van = van
        self.sent: list[float] = []
        self.places: list[tuple[int, int]] = []
        """Of each ping as a short frame says it: 10⁻⁵ degrees north and east of the van's destination."""
        self.acks = self.refused = 0
        self.greeted = asyncio.get_running_loop().create_future()
        self.eager = False
        """Send the next ping as soon as one is acknowledged."""
        self._socket: RawSocket
        self._at = 0.0

    async def connect(self, server: Server, path: str) -> None:
        """Say hello; the service answers with a welcome, a floor says nothing."""
        self._socket = await open_raw(server.url, f"{path}?name={self.van.technician}", self.heard)
        hello = {"type": "hello", "token": self.van.token, "boot": f"b{time.time_ns():x}", "first": 1, "device": "bench"}
        self._socket.send(client_frame(msgspec.json.encode(hello)))
        if path == "/ws/technician":
            await asyncio.wait_for(self.greeted, 30)

    def heard(self, payload: bytes) -> None:
        """One frame of the server."""
        if payload.startswith(b'{"type":"ack"'):
            self.acks += 1
            if len(payload) > 60:  # also, refused
                self.refused += payload.count(b'"rule"')
            if self.eager:
                self.ping()
        elif payload.startswith(b'{"type":"welcome"'):
            self.greeted.set_result(None)

    def ping(self) -> None:
        """Where the van is now."""
        wall = self._at = max(time.time(), self._at + 0.0015)  # when late, two would be one fix
        lat, lon, course = self.van.at(wall - _begun)
        at = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")[:-6]
        end = self.van.line[-1]
        self.places.append((round((round(lat, 6) - end.lat) * 1e5), round((round(lon, 6) - end.lon) * 1e5)))
        self.sent.append(monotonic())
        self._socket.send(
            client_frame(
                b'{"type":"pings","sent":"%bZ","pings":[{"seq":%d,"at":"%bZ","lat":%.6f,"lon":%.6f,'
                b'"acc":6.0,"speed":8.0,"course":%.1f,"battery":0.71}]}'
                % (at.encode(), len(self.sent), at.encode(), lat, lon, course)
            )
        )

    def close(self) -> None:
        if hasattr(self, "_socket"):  # else it never came so far
            self._socket.close()


class Viewer:
    """Counts frames and their bytes; knows of each update which ping it shows, and so its age."""

    def __init__(self, phone: Phone | None) -> None:
        self.phone = phone
        self.frames = self.bytes = 0
        self.greeted = asyncio.get_running_loop().create_future()
        self.ages: list[float] = []
        self.newest = 0
        """The number of the newest ping shown."""
        self.offset = -1
        """How far the service has told it; -1: it watches a floor."""
        self._socket: RawSocket

    async def watch(self, server: Server, company: Company, number: int, van: Van) -> None:
        """Watch a visit of the service as our page does: short updates, each answered with ``seen``."""
        headers = {"Cookie": company.cookie(number), "Origin": server.url}
        self._socket = await open_raw(server.url, "/ws/live", self._heard_service, headers)
        said = {"type": "watch", "appointment": van.appointment, "short": True}
        self._socket.send(client_frame(msgspec.json.encode(said)))
        await asyncio.wait_for(self.greeted, 30)

    async def follow(self, server: Server, van: Van, path: str) -> None:
        """Be forwarded what a floor's phone says."""
        self._socket = await open_raw(server.url, f"{path}?name={van.technician}", self._heard_floor)
        await asyncio.wait_for(self.greeted, 30)

    async def listen(self, server: Server) -> None:
        """Be one of those whom a floor broadcasts to."""
        self._socket = await open_raw(server.url, "/", self._heard_broadcast)

    def _heard_service(self, payload: bytes) -> None:
        if payload[0] == 91:  # [
            offset, north, east = (int(number) for number in payload[1 : payload.index(b",", 20)].split(b",")[:3])
            self.offset = offset
            self._count(self._number_of((north, east)), payload)
            self._socket.send(client_frame(b'{"type":"seen","offset":%d}' % offset))
        elif payload.startswith(b'{"type":"snapshot"'):
            self.offset = int(msgspec.json.decode(payload)["offset"])
            if not self.greeted.done():
                self.newest = len(self.phone.sent) if self.phone else 0  # nothing is under way now
                self.greeted.set_result(None)

    def _number_of(self, place: tuple[int, int]) -> int:
        """The first ping from there since the one shown before (offsets would not do: a late ping moves no marker)."""
        assert self.phone is not None
        places = self.phone.places
        for number in range(self.newest, len(places)):
            if abs(places[number][0] - place[0]) <= 1 and abs(places[number][1] - place[1]) <= 1:
                return number + 1
        return self.newest  # said once more, because the phone was heard again

    def _heard_floor(self, payload: bytes) -> None:
        at = payload.find(b'"seq":')
        if at >= 0:
            self._count(int(payload[at + 6 : payload.index(b",", at)]), payload)
        elif not self.greeted.done():
            self.greeted.set_result(None)

    def _heard_broadcast(self, payload: bytes) -> None:
        self.frames += 1
        self.bytes += len(payload)

    def _count(self, number: int, payload: bytes) -> None:
        self.frames += 1
        self.bytes += len(payload)
        if self.phone is not None and number > self.newest:
            self.ages.append(monotonic() - self.phone.sent[number - 1])
        self.newest = number

    def close(self) -> None:
        if hasattr(self, "_socket"):  # else it never came so far
            self._socket.close()


@asynccontextmanager
async def phones(server: Server, path: str, vans: Sequence[Van]) -> AsyncIterator[list[Phone]]:
    """Connected phones, one a van."""
    made = [Phone(van) for van in vans]
    try:
        await in_crowds([phone.connect(server, path) for phone in made])
        yield made
    finally:
        for phone in made:
            phone.close()


@asynccontextmanager
async def watchers(server: Server, company: Company, watched: Sequence[Phone], first: int = 0) -> AsyncIterator[list[Viewer]]:
    """Viewers of the service, each of the visit of one phone; ``first``: how many there are already."""
    made = [Viewer(phone) for phone in watched]
    try:
        await in_crowds([viewer.watch(server, company, first + i, watched[i].van) for i, viewer in enumerate(made)])
        yield made
    finally:
        for one in made:
            one.close()


@asynccontextmanager
async def followers(server: Server, watched: Sequence[Phone], path: str) -> AsyncIterator[list[Viewer]]:
    """Viewers of a floor, each of one phone."""
    made = [Viewer(phone) for phone in watched]
    try:
        await in_crowds([one.follow(server, phone.van, path) for one, phone in zip(made, watched, strict=True)])
        yield made
    finally:
        for one in made:
            one.close()


async def in_crowds(openings: Sequence[object]) -> None:
    """Await many openings, some at a time: a listener's queue is finite."""
    for i in range(0, len(openings), CROWD):
        await asyncio.gather(*openings[i : i + CROWD])  # type: ignore[arg-type]


async def steadily(senders: Sequence[Phone], per_s: float, seconds: float) -> int:
    """Pings at an even pace over all phones; whoever is late catches up. How many."""
    begin, done, whole = monotonic(), 0, max(1, int(per_s * seconds))
    while done < whole:
        due = min(whole, int((monotonic() - begin) * per_s) + 1)
        for number in range(done, due):
            senders[number % len(senders)].ping()
        done = due
        await asyncio.sleep(TICK_S)
    return whole


async def eagerly(senders: Sequence[Phone], seconds: float) -> int:
    """Every phone sends as soon as it is answered; how many were acknowledged in that time."""
    before = sum(phone.acks for phone in senders)
    for phone in senders:
        phone.eager = True
        phone.ping()
    await asyncio.sleep(seconds)
    acks = sum(phone.acks for phone in senders) - before
    for phone in senders:
        phone.eager = False
    await settled(senders)
    return acks


type Offsets = Callable[[Sequence[Van]], Awaitable[list[int]]]
"""How far the service has spoken of the visits of these vans (`Company.offsets`)."""


async def settled(senders: Sequence[Phone], viewers: Sequence[Viewer] = (), offsets: Offsets | None = None) -> None:
    """Wait until every ping is acknowledged and every viewer has what its server said last."""
    await _until(lambda: sum(len(phone.sent) - phone.acks for phone in senders), "pings not acknowledged", QUEUED_S)
    watched = [viewer.phone for viewer in viewers if viewer.phone is not None]
    if offsets is not None:
        goals = await offsets([phone.van for phone in watched])
        await _until(lambda: sum(viewer.offset < goal for viewer, goal in zip(viewers, goals, strict=True)), "viewers behind")
    else:
        await _until(
            lambda: sum(viewer.newest < len(phone.sent) for viewer, phone in zip(viewers, watched, strict=True)), "behind"
        )


async def _until(missing: Callable[[], int], what: str, longest_s: float = LATE_S) -> None:
    deadline = monotonic() + longest_s
    while count := missing():
        assert monotonic() < deadline, f"unfinished: {count} {what}"
        await asyncio.sleep(0.01)
