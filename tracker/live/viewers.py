"""One viewer of a visit, its way out, and what is common to all viewers of the same visit in this process."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from tracker.domain.geo import Point
from tracker.domain.visibility import Watcher
from tracker.live import frames
from tracker.live.mailbox import Mailbox
from tracker.live.subscription import Handler

DENIED_S = 1.0
"""Updates that must not be shown make us look again after this, not each of them, unless something else is heard."""


_answers = frames.Answers()


class Door(Protocol):
    """The way out to one viewer's socket. It takes a frame at once or is not ready; it never keeps one waiting."""

    def ready(self) -> bool:
        """True if the next frame would leave at once."""
        ...

    def write(self, wire: bytes) -> None:
        """Send a whole WebSocket frame."""
        ...

    def when_ready(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once a door that is not ready now may be (never, if it is closed)."""
        ...

    async def settled(self) -> None:
        """Return when nothing given to ``write`` can still be held back; close the socket rather than wait long."""
        ...

    async def close(self, code: int) -> None:
        """Close the socket."""
        ...


class Seen(Protocol):
    """A visit as Redis and, last, SQL say it (`actions/trip/watching`)."""

    @property
    def epoch(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def technician(self) -> str | None: ...
    @property
    def leg(self) -> str | None:
        """The leg whose positions may be shown now; None: of no leg."""
        ...

    @property
    def shows(self) -> bool:
        """True if it carries a position."""
        ...

    def allows(self, who: Watcher) -> bool:
        """True if this person may (still) watch it: with another technician the one before may no longer."""
        ...

    def snapshot(self, now: datetime, offset: int, *, recovered: bool) -> bytes:
        """The JSON text of a snapshot."""
        ...


class Socket(Protocol):
    """What the hub's clock needs to know of any socket, a visit's or the board's."""

    door: Door
    session: str
    expires: datetime
    wrote: float

    def owing(self, now: float) -> bool:
        """True if nobody reads there."""
        ...

    def pump(self, now: float) -> None:
        """Send what may be sent."""
        ...


class Watch(Mailbox):
    """One socket and its mailbox: whose it is, what it watches, what waits for it.

    One object, and the door is the protocol itself: each further one would be touched for every viewer at every update.
    """

    __slots__ = ("appointment", "count", "door", "expires", "resume", "session", "short", "wake", "who", "wrote")

    def __init__(self, door: Door, appointment: str, who: Watcher, session: str, expires: datetime) -> None:
        super().__init__()
        self.door, self.appointment, self.who, self.session, self.expires = door, appointment, who, session, expires
        self.wake: Callable[[], None] = _awake
        """Called before anything is sent that had waited; the hub's, once it knows this viewer."""
        self.count = 0  # frames heard
        self.resume: tuple[str, int] | None = None  # epoch and offset of an earlier socket
        self.short: Point | None = None
        self.wrote = 0.0

    def hear(self, text: bytes) -> bool:
        """A ``seen`` that answers an update; there are no more of them than of updates. False: the text says something else."""
        if not self.seen(_answers.seen(text)):
            return False
        self.count += 1
        if self.newest is not None or self.states:
            self.go_on()
        return True

    def go_on(self) -> None:
        """Send what waited, if it may be sent now. (Seldom: and where nothing waits nothing need be doubted.)"""
        self.wake()
        self.pump(asyncio.get_running_loop().time())

    def pump(self, now: float) -> None:
        """Send what may be sent now (monotonic seconds)."""
        while self.waiting and self.door.ready():
            frame = self.take(now)
            if frame is None:
                return
            self.door.write(frame.wire(self.short, now))
            self.wrote = now

    def welcome(self, seen: Seen, missed: list[frames.Frame] | None, clock: datetime, now: float) -> bool:
        """A snapshot, then the states this viewer had not been told; offsets rise through both. False: the door is not ready.

        ``missed`` None: what it missed is not known (``recovered`` false); the snapshot alone says how things stand.
        """
        if not self.door.ready():
            return False  # stays held
        if self.resume is not None and self.resume[0] == seen.epoch:
            self.epoch, self.offset = self.resume
        self.resume = None
        pending = self.pending(seen.epoch, missed or ())
        offset = min([seen.offset, *(frame.offset - 1 for frame in pending[:1])])
        self.door.write(frames.text_frame(seen.snapshot(clock, offset, recovered=missed is not None)))
        self.wrote = now
        self.join(seen.epoch, offset, seen.offset, seen.leg, pending)
        self.pump(now)
        return True


class Channel:
    """One watched visit in this process: its viewers, and how far it was heard."""

    __slots__ = (
        *("again", "appointment", "awaited", "confirmed", "denied", "epoch", "handler", "hint", "leg", "looked_at"),
        *("looking", "name", "offset", "parted", "shows", "spoiled", "technician", "viewers"),
    )

    def __init__(self, appointment: str, hint: str | None) -> None:
        self.appointment = appointment
        self.hint = hint  # its technician as the door knew it
        self.technician: str | None = None
        self.name: str | None = None  # the channel in Redis
        self.handler: Handler | None = None
        self.confirmed = False
        self.viewers: dict[Watch, None] = {}  # walked through more than anything else: closer together than a set is
        self.epoch: str | None = None
        self.offset = 0
        self.leg: str | None = None  # as the last look said: updates of another leg wait for the next look
        self.shows = False  # a position (and so a route) was in the last look
        self.looked_at = 0.0  # when the last look came, in monotonic seconds
        self.parted = 0  # ticks since its leg was closed without a word on what came of it
        self.awaited: str | None = None  # the leg for which a look is under way
        self.denied: str | None = None  # the leg whose update made us look, in vain
        self.looking: asyncio.Task[None] | None = None
        self.again = False  # another look is wanted after the one under way …
        self.spoiled = 0  # … whose result, if this was raised since, must not be told

    def admit(self, viewer: Watch) -> None:
        """One more viewer. The place is the same for all, and one object: looked up for every frame, it stays in reach."""
        viewer.short = next((other.short for other in self.viewers if other.short == viewer.short), viewer.short)
        self.viewers[viewer] = None

    def give(self, frame: frames.Frame, now: float) -> None:
        """A frame for every viewer: into its mailbox, and out what may be sent; for an update with nothing in its way in one go.

        One loop over what is nearly always so: with a thousand viewers each object more in it costs as much as the loop.
        """
        place, wire, at_once, offset = None, b"", frame.is_update, frame.offset
        for viewer in self.viewers:
            if at_once and viewer.free and viewer.door.ready():
                if not wire or viewer.short is not place:
                    place = viewer.short
                    wire = frame.wire(place, now)
                viewer.sent(offset, now)
                viewer.door.write(wire)
                viewer.wrote = now
            else:
                viewer.put(frame)
                viewer.pump(now)

    def denied_for(self, leg: str | None, now: float) -> float:
        """Seconds for which the records need not be asked again whether this leg may be shown: they have just said no."""
        return self.looked_at + DENIED_S - now if leg is not None and leg == self.denied else 0.0

    def ask_again(self) -> None:
        """What the last look said of its leg may be over."""
        self.leg, self.shows, self.parted = None, False, 0
        if self.denied is not None:
            self.denied = self.awaited = None

    def looked(self, leg: str | None, now: float, *, shows: bool) -> None:
        """A look came to its end: positions of this leg may be shown, and ``shows`` one was there."""
        self.denied = None if shows and self.awaited == leg else self.awaited
        self.leg, self.shows, self.parted, self.awaited, self.looked_at = leg, shows, 0, None, now

    def hold(self) -> None:
        """Nothing more for its viewers before a new look; one under way does not count."""
        self.spoiled += 1
        self.pause()

    def pause(self) -> None:
        """Nothing more for its viewers before a look, be it one that is under way."""
        for viewer in self.viewers:
            viewer.hold()

    def close(self) -> None:
        """Its leg was closed: no position waits any more, and no look begun before may show one."""
        self.spoiled += 1
        self.ask_again()
        self.parted = 1
        for viewer in self.viewers:
            viewer.drop_position()


def _awake() -> None:
    """Nobody doubts that this process was awake."""


async def close_all(sockets: Iterable[Socket], code: int) -> None:
    """Close many sockets side by side."""
    await asyncio.gather(*(socket.door.close(code) for socket in list(sockets)), return_exceptions=True)
