"""A process that was stopped in its tracks (a hung machine, SIGSTOP, a long garbage collection) must know it when it wakes."""

import asyncio
import time

EVERY_S = 0.25
LONGEST_S = 1.0
"""A closing waits 1.5 s for every process (`control.WAIT_S`): who was away for longer may have missed one, so it must doubt
whatever it was about to send."""


class Naps:
    """Counts them. Asked before anything is sent that a closing could have forbidden meanwhile: timers alone would be too
    late, as a loop that wakes may serve its sockets before its timers."""

    def __init__(self) -> None:
        self.count = 0
        self._awake: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Keep an eye on the clock from now on."""
        self._beat()

    def stop(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
        self._awake = None

    def noticed(self) -> bool:
        """True once after each nap."""
        now = time.monotonic()  # the loop's own clock may be that of before the nap
        slept = self._awake is not None and now - self._awake > LONGEST_S
        if slept:
            self.count, self._awake = self.count + 1, now
        return slept

    def _beat(self) -> None:
        if self._awake is None or not time.monotonic() - self._awake > LONGEST_S:
            self._awake = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._beat)
