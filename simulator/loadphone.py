"""One phone under load: it writes its own pings as bytes, and knows when each went out."""

import asyncio
import time
from collections import Counter, deque
from datetime import UTC, datetime
from itertools import count

import msgspec

from simulator.rawsocket import RawSocket, client_frame, open_raw
from tracker.domain.geo import Point, moved

SPEED_MPS = 10.0
BEAT_OF_LOAD_M = 1500.0
"""A phone drives so far to and fro: nothing a filter could dislike."""


class LoadPhone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One phone: its token, where it drives, and the appointment to start travelling to (if it is not under way already)."""

    token: str
    place: tuple[float, float]
    appointment: str | None = None
    start: bool = False


class _Place(msgspec.Struct):
    fix_at: datetime


class Frame(msgspec.Struct):
    """What load needs to know of any frame of either socket."""

    type: str
    offset: int = 0
    position: _Place | None = None
    seq: int = 0
    acked: int = 0
    refused: list[dict[str, object]] = []
    state: str = ""
    message: str = ""


decode = msgspec.json.Decoder(Frame).decode


class Marks:
    """When the newest pings of one technician went out: fix time (ms) → monotonic seconds."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float]] = deque(maxlen=256)

    def sent(self, at_ms: int, now: float) -> None:
        """A fix of that time goes out now."""
        self._recent.append((at_ms, now))

    def when(self, at_ms: int) -> float | None:
        """The moment the fix nearest to this time was sent (within 20 ms: the server may correct a clock a little)."""
        for known_ms, sent in reversed(self._recent):
            if abs(known_ms - at_ms) <= 20:
                return sent
            if known_ms < at_ms - 20:
                return None
        return None


class Tally:
    """Sums of the counted part of a run."""

    def __init__(self) -> None:
        self.counting = False
        self.sent = self.updates = self.acks = 0
        self.refused: Counter[str] = Counter()
        self.latencies_s: list[float] = []
        self.acks_s: list[float] = []
        self.behind_s: list[float] = []

    def acked(self, seconds: float) -> None:
        """A ping was acked so long after it was sent."""
        self.acks += 1
        if self.counting:
            self.acks_s.append(seconds)

    def seen(self, sent: float | None) -> None:
        """A viewer has an update with the fix sent at that moment (None: an unknown one)."""
        self.updates += 1
        if self.counting and sent is not None:
            self.latencies_s.append(time.monotonic() - sent)


class PhoneUnderLoad:
    """One phone's socket; it encodes its own pings as bytes."""

    def __init__(self, number: int, plan: LoadPhone, marks: Marks, tally: Tally) -> None:
        self.number, self.plan, self.marks, self.tally = number, plan, marks, tally
        self.socket: RawSocket | None = None
        self.begun = asyncio.get_running_loop().create_future()
        self._seq = count(1)
        self._sent: dict[int, float] = {}
        start, end = Point(*plan.place), moved(Point(*plan.place), 37.0 * number % 360, BEAT_OF_LOAD_M)
        self._from, self._delta = start, (end.lat - start.lat, end.lon - start.lon)

    async def connect(self, url: str) -> None:
        """Says hello and waits for the welcome (and, if asked, until the travel has started)."""
        self.socket = await open_raw(url, "/ws/technician", self.heard)
        hello = {
            "type": "hello",
            "token": self.plan.token,
            "boot": f"load-{self.number}-{time.time_ns():x}",
            "first": 1,
            "device": "load",
        }
        self.socket.send(client_frame(msgspec.json.encode(hello)))
        done, _ = await asyncio.wait([self.begun, self.socket.closed], timeout=30, return_when=asyncio.FIRST_COMPLETED)
        if self.begun not in done:
            raise ConnectionError(
                f"phone {self.number} was not welcomed: {self.socket.closed if self.socket.closed.done() else 'silence'}"
            )

    def heard(self, payload: bytes) -> None:
        """Takes one frame of the server."""
        frame = decode(payload)
        match frame.type:
            case "ack":
                self._acked(frame)
            case "welcome" if self.plan.start and self.plan.appointment:
                self._start_travel()
            case "welcome" | "stepped" if not self.begun.done():
                self.begun.set_result(None)
            case "error" if not self.begun.done():
                self.begun.set_exception(ConnectionError(frame.message))

    def _start_travel(self) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        step = {
            "type": "step",
            "id": f"load-{self.number}",
            "appointment": self.plan.appointment,
            "step": "start_travel",
            "from": "scheduled",
        }
        if self.socket is not None:
            self.socket.send(client_frame(msgspec.json.encode(step | {"at": at})))

    def _acked(self, frame: Frame) -> None:
        now = time.monotonic()
        for seq in [seq for seq in self._sent if seq <= frame.seq]:
            self.tally.acked(now - self._sent.pop(seq))
        for refused in frame.refused:
            self.tally.refused[str(refused["rule"])] += 1

    def ping(self) -> None:
        """Sends one ping of this moment."""
        seq, wall = next(self._seq), time.time()
        along = (wall * SPEED_MPS + 97.0 * self.number) % (2 * BEAT_OF_LOAD_M) / BEAT_OF_LOAD_M
        share = along if along <= 1 else 2 - along
        at = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")[:-6]
        lat, lon = self._from.lat + self._delta[0] * share, self._from.lon + self._delta[1] * share
        body = (
            f'{{"type":"pings","sent":"{at}Z","pings":[{{"seq":{seq},"at":"{at}Z","lat":{lat:.7f},"lon":{lon:.7f},'
            f'"acc":6.0,"speed":10.0,"course":181.0,"battery":0.71}}]}}'
        )
        now = time.monotonic()
        self._sent[seq] = now
        self.marks.sent(int(wall * 1000), now)
        self.tally.sent += 1
        if self.socket is not None:
            self.socket.send(client_frame(body.encode()))
