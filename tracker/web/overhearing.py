"""Pings that are taken where their bytes come in: one frame of a phone on its way to Redis, those that follow after it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from tracker.actions.trip.tracking import Phone, Receipt, Receiver
from tracker.domain.dealt import Dealt
from tracker.domain.wire import own
from tracker.errors import LiveUnavailable
from tracker.web.acks import Acks
from tracker.web.handset import Handset

MOST_HELD = 32
"""Frames that wait for the one before them; more take the long way, and everything behind them."""


class Overheard:
    """One phone's. Only one frame is under way: what Redis remembers as dealt with must never name a ping it has not got.

    The others wait here: through the parser, a queue and the endpoint's task a frame costs twice as much, and that when there is
    most to do. ``told`` hears what became of each frame, ``lost`` why one could not be kept.
    """

    def __init__(self, receiver: Receiver, clock: Callable[[], datetime], handset: Handset, acks: Acks) -> None:
        self._receiver, self._clock, self._handset, self._acks = receiver, clock, handset, acks
        self.phone = Phone("", "")
        self.told: Callable[[Receipt], None]
        self.lost: Callable[[Exception], None]
        self.landed = asyncio.Event()
        """Set while no frame is under way or waits."""
        self.landed.set()
        self.count = 0
        self._held: list[tuple[own.Pings, datetime]] = []

    def take(self, frame: own.Pings) -> bool:
        """Take pings, after those before; False if that cannot be done here."""
        heard = frame, self._clock()
        if self.landed.is_set():
            return self._send(*heard)
        if len(self._held) >= MOST_HELD:
            return False
        self._held.append(heard)
        return True

    def _send(self, frame: own.Pings, heard_at: datetime) -> bool:
        pings, dealt = self._acks.unpack(frame, heard_at)
        try:
            self._receiver.take(self.phone, pings, dealt.text(), partial(self._land, frame, dealt))
        except LiveUnavailable:
            return False
        self.landed.clear()
        self.count += len(pings)
        return True

    def _land(self, frame: own.Pings, dealt: Dealt, outcome: Receipt | Exception) -> None:
        if isinstance(outcome, Exception):
            return self._abandon(outcome)
        try:
            self._handset.answer(self._acks.ack(frame, dealt, outcome))
            self.told(outcome)
            if not self._held:
                self.landed.set()
            elif not (self._handset.open and self._send(*self._held.pop(0))):
                self._abandon(LiveUnavailable())
        except Exception as error:  # a step, or the end, may wait for `landed`
            self._abandon(error)
            raise

    def _abandon(self, error: Exception) -> None:
        self._held.clear()  # not acknowledged: the phone has them
        self.landed.set()
        self.lost(error)
