"""What every open socket needs from time to time: a beat when it is quiet, an end when its time is over."""

from collections.abc import Iterable
from datetime import datetime

from tracker.live import frames
from tracker.live.viewers import Socket

BEAT_S = 12.0
"""A viewer that was sent nothing for this long gets a beat at the next tick: at least every 20 s."""
STUCK_S = 60.0
"""A socket that took nothing for this long is closed: nobody reads there."""


def tend(sockets: Iterable[Socket], clock: datetime, now: float) -> dict[int, list[Socket]]:
    """Beats, and whatever waits and may be sent. By close code: sessions that ran out, sockets where nobody reads.

    ``clock`` is the time of day, ``now`` monotonic seconds.
    """
    beat = frames.beat(clock)
    overdue: dict[int, list[Socket]] = {4401: [], 1008: []}
    for socket in sockets:
        if socket.expires <= clock:
            overdue[4401].append(socket)
        elif socket.owing(now) or now - socket.wrote > STUCK_S:
            overdue[1008].append(socket)
        elif now - socket.wrote >= BEAT_S and socket.door.ready():
            socket.door.write(beat)
            socket.wrote = now
        socket.pump(now)
    return overdue
