"""What waits for one viewer: every change of state, and of the positions only the newest."""

from collections.abc import Iterable

from tracker.live.frames import Frame

UNSEEN = 2
"""Updates a viewer may have unseen. More, and megabytes of kernel buffer replay the past to a reader that stalled."""
OWING_S = 60.0
"""A viewer that owes ``seen`` this long is closed (1008)."""


class Mailbox:
    """A pure decision: what may be sent next. Offsets leave it strictly rising.

    Until a viewer has ``joined`` (it got its snapshot), everything is held; the snapshot then says what is still news.
    """

    __slots__ = ("epoch", "joined", "newest", "offset", "states", "unseen")

    def __init__(self) -> None:
        self.joined = False
        self.epoch: str | None = None
        self.offset = 0  # of the last frame that left
        self.states: list[Frame] = []  # lists, not deques: empty ones would be most of an idle viewer
        self.newest: Frame | None = None
        self.unseen: list[tuple[int, float]] = []

    def put(self, frame: Frame) -> None:
        """A state event is never skipped; an update replaces the one that waits.

        A change of state overtakes a waiting update, which is then dropped: sent later its offset would run backwards,
        and a position from before the change is nobody's business after it.
        """
        if frame.is_update:
            self.newest = frame
        else:
            self.states.append(frame)
            self.newest = None

    def passes(self, frame: Frame, now: float) -> bool:
        """What `put` and then `take` come to for an update with nothing in its way, nearly always; False: nothing was done."""
        if not (self.joined and frame.is_update) or self.states or len(self.unseen) >= UNSEEN:
            return False
        self.newest = None
        self.unseen.append((frame.offset, now))
        self.offset = frame.offset
        return True

    @property
    def waiting(self) -> bool:
        """True if there is something to send, now or when it may."""
        return self.newest is not None or bool(self.states)

    def take(self, now: float) -> Frame | None:
        """The next frame that may leave, or None. ``now``: monotonic seconds."""
        if not self.joined:
            return None
        if self.states:
            frame = self.states.pop(0)
        elif self.newest is not None and len(self.unseen) < UNSEEN:
            frame, self.newest = self.newest, None
            self.unseen.append((frame.offset, now))
        else:
            return None
        self.offset = frame.offset
        return frame

    def seen(self, offset: int) -> None:
        """The viewer has seen every update up to this offset."""
        while self.unseen and self.unseen[0][0] <= offset:
            del self.unseen[0]

    def owing(self, now: float) -> bool:
        """True if the oldest unseen update is too old: nobody reads there."""
        return bool(self.unseen) and now - self.unseen[0][1] >= OWING_S

    def drop_position(self) -> None:
        """Forget the position that waits (the leg was closed)."""
        self.newest = None

    def hold(self) -> None:
        """Send nothing until the next snapshot."""
        self.joined = False

    def pending(self, epoch: str, missed: Iterable[Frame]) -> list[Frame]:
        """The state events this viewer has not been sent yet: those ``missed`` and those held, by offset."""
        after = self.offset if epoch == self.epoch else 0
        events = {frame.offset: frame for frame in (*missed, *self.states) if frame.epoch == epoch and frame.offset > after}
        return [events[offset] for offset in sorted(events)]

    def join(self, epoch: str, offset: int, shown: int, leg: str | None, pending: list[Frame]) -> None:
        """A snapshot was sent as ``offset``, with what was shown as of ``shown``; ``pending`` states follow it.

        An update that was held meanwhile is news only if it is newer, and of the leg that SQL named.
        """
        if epoch != self.epoch:
            self.unseen.clear()  # offsets of another epoch can never be seen
        self.joined, self.epoch, self.offset = True, epoch, offset
        self.states = list(pending)
        last = max(shown, pending[-1].offset if pending else 0)
        held = self.newest
        if held is not None and (held.epoch != epoch or held.offset <= last or leg is None or held.published.leg != leg):
            self.newest = None
