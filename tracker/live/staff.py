"""The board's feed: every technician's newest position for staff, at most once a second, to each viewer only what changed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import structlog

from tracker.live import frames, keys
from tracker.live.mailbox import OWING_S, UNSEEN
from tracker.live.subscription import Subscription
from tracker.live.viewers import Door

EVERY_S = 1.0

type Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east crosses the date line."""

type Snapshot = Callable[["BoardWatch"], Awaitable[None]]
"""Reads all technicians and sends them: at first, and again after the subscription was lost."""

log = structlog.get_logger()


class Changed(msgspec.Struct):
    """One technician as published on a staff channel; ``position`` null: gone from the map."""

    technician: str
    appointment: str | None = None
    position: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct):
    technicians: list[Changed]


class _Place(msgspec.Struct):
    lat: float
    lon: float


_read = msgspec.json.Decoder(_Message).decode
_place = msgspec.json.Decoder(_Place).decode
_write = msgspec.json.Encoder().encode


class BoardWatch:
    """One board socket: its box, and the newest of each technician that changed and was not sent yet."""

    __slots__ = ("box", "door", "expires", "inside", "offset", "pending", "session", "snapshot", "unseen", "wrote")

    def __init__(self, door: Door, session: str, expires: datetime, box: Box | None, snapshot: Snapshot) -> None:
        self.door, self.session, self.expires, self.box, self.snapshot = door, session, expires, box, snapshot
        self.pending: dict[str, Changed] = {}
        self.inside: set[str] = set()  # whom this viewer sees: one who leaves the box is told once more
        self.unseen: list[tuple[int, float]] = []
        self.offset = 0
        self.wrote = 0.0

    def put(self, changed: Changed) -> None:
        """The newest of each technician counts."""
        who, within = changed.technician, in_box(self.box, changed.position)
        if within or who in self.inside:
            self.pending[who] = changed
        (self.inside.add if within else self.inside.discard)(who)

    def seen(self, offset: int) -> None:
        """The viewer has seen updates up to this one."""
        self.unseen = [one for one in self.unseen if one[0] > offset]

    def owing(self, now: float) -> bool:
        """True if nobody reads there."""
        return bool(self.unseen) and now - self.unseen[0][1] >= OWING_S

    def pump(self, now: float) -> None:
        """Nothing between two turns of the feed."""

    def send(self, clock: datetime, now: float) -> None:
        """One update with what changed, if this viewer may have one."""
        if not self.pending or len(self.unseen) >= UNSEEN or not self.door.ready():
            return
        self.offset += 1
        body: dict[str, Any] = {"type": "update", "now": frames.moment(clock).decode(), "offset": self.offset}
        self.door.write(frames.text_frame(_write(body | {"technicians": list(self.pending.values())})))
        self.pending.clear()
        self.unseen.append((self.offset, now))
        self.wrote = now


class Board:
    """One feed a process, listening only while somebody looks at a board."""

    def __init__(self, subscription: Subscription, clock: Callable[[], datetime]) -> None:
        self._subscription, self._clock = subscription, clock
        self._viewers: set[BoardWatch] = set()
        self._changed: dict[str, Changed] = {}
        self._turning: asyncio.Task[None] | None = None
        self._lost = False
        subscription.on_lost.append(self._lose)

    async def join(self, viewer: BoardWatch) -> None:
        """Hear all buckets, then send the snapshot; what changes after that reaches the viewer."""
        self._viewers.add(viewer)
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._turn_for_ever())
        await asyncio.gather(*(self._subscription.add(keys.staff_channel(n), self._heard) for n in range(keys.BUCKETS)))
        await viewer.snapshot(viewer)

    def begin(self, viewer: BoardWatch, technicians: list[dict[str, Any]]) -> None:
        """Send a snapshot."""
        wire = frames.text_frame(
            _write({"type": "snapshot", "now": frames.moment(self._clock()).decode(), "technicians": technicians})
        )
        if viewer.door.ready():
            viewer.door.write(wire)
            viewer.wrote = asyncio.get_running_loop().time()

    async def leave(self, viewer: BoardWatch) -> None:
        """Look no more."""
        self._viewers.discard(viewer)
        if not self._viewers:
            await self.stop()
            for number in range(keys.BUCKETS):
                await self._subscription.drop(keys.staff_channel(number), self._heard)

    async def stop(self) -> None:
        """End the feed."""
        if self._turning is not None:
            self._turning.cancel()
            await asyncio.gather(self._turning, return_exceptions=True)
            self._turning = None

    def _lose(self) -> None:
        self._lost = bool(self._viewers)

    def _heard(self, data: bytes) -> None:
        try:
            said = _read(data)
        except msgspec.DecodeError:
            log.warning("staff_message_unreadable")
            return
        for changed in said.technicians:
            self._changed[changed.technician] = changed

    async def _turn_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                if self._lost and self._subscription.connected.is_set():
                    self._lost = False
                    await asyncio.gather(*(viewer.snapshot(viewer) for viewer in list(self._viewers)))
                self.turn(asyncio.get_running_loop().time())
            except Exception:
                log.exception("board_turn_failed")

    def turn(self, now: float) -> None:
        """Hand out what changed since the last turn."""
        changed, self._changed = self._changed, {}
        clock = self._clock()
        for viewer in self._viewers:
            for one in changed.values():
                viewer.put(one)
            viewer.send(clock, now)


def in_box(box: Box | None, position: msgspec.Raw) -> bool:
    """True if a position (JSON; null: none) lies inside."""
    if bytes(position) == b"null":
        return False
    if box is None:
        return True
    west, south, east, north = box
    place = _place(position)
    across = west <= place.lon <= east if west <= east else place.lon >= west or place.lon <= east
    return across and south <= place.lat <= north
