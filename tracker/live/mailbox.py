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

    # Plain numbers, and nothing that must be looked into: an update touches every viewer's, and each object more is another
    # walk through memory that nobody has touched since the last one.
    __slots__ = ("epoch", "joined", "newer", "newer_at", "newest", "offset", "older", "older_at", "states")

    def __init__(self) -> None:
        self.joined = False
        self.epoch: str | None = None
        self.offset = 0  # of the last frame that left
        self.states: tuple[Frame, ...] = ()
        self.newest: Frame | None = None
        self.older = self.newer = 0
        """Offsets of the updates that were sent and not seen yet (0: none), `UNSEEN` at most; and when each was sent."""
        self.older_at = self.newer_at = 0.0

    def put(self, frame: Frame) -> None:
        """A state event is never skipped; an update replaces the one that waits.

        A change of state overtakes a waiting update, which is then dropped: sent later its offset would run backwards,
        and a position from before the change is nobody's business after it.
        """
        if frame.is_update:
            self.newest = frame
        else:
            self.states = (*self.states, frame)
            self.newest = None

    @property
    def free(self) -> bool:
        """True if an update has nothing in its way here: then `sent` is all that `put` and `take` would come to."""
        return self.joined and not self.newer and not self.states

    def sent(self, offset: int, now: float) -> None:
        """An update leaves."""
        self.newest, self.offset = None, offset
        if self.older:
            self.newer, self.newer_at = offset, now
        else:
            self.older, self.older_at = offset, now

    @property
    def waiting(self) -> bool:
        """True if there is something to send, now or when it may."""
        return self.newest is not None or bool(self.states)

    def take(self, now: float) -> Frame | None:
        """The next frame that may leave, or None. ``now``: monotonic seconds."""
        if not self.joined:
            return None
        if self.states:
            frame, *rest = self.states
            self.states, self.offset = tuple(rest), frame.offset
        elif self.newest is not None and not self.newer:
            frame = self.newest
            self.sent(frame.offset, now)
        else:
            return None
        return frame

    def seen(self, offset: int) -> bool:
        """The viewer has seen every update up to this offset. False: it owed none of them."""
        if not 0 < self.older <= offset:
            return False
        self.older, self.older_at, self.newer = self.newer, self.newer_at, 0
        if 0 < self.older <= offset:
            self.older = 0
        return True

    def owing(self, now: float) -> bool:
        """True if the oldest unseen update is too old: nobody reads there."""
        return self.older > 0 and now - self.older_at >= OWING_S

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
            self.older = self.newer = 0  # offsets of another epoch can never be seen
        self.joined, self.epoch, self.offset = True, epoch, offset
        self.states = tuple(pending)
        last = max(shown, pending[-1].offset if pending else 0)
        held = self.newest
        if held is not None and (held.epoch != epoch or held.offset <= last or leg is None or held.published.leg != leg):
            self.newest = None
