"""The pings of one phone on one socket: put right by its clock, each dealt with once, acknowledged when Redis has them."""

from datetime import datetime

from tracker.actions.trip.tracking import Phone, Receipt
from tracker.domain.clocks import Clock, corrected, heard_sent
from tracker.domain.dealt import Dealt
from tracker.domain.pings import Ping
from tracker.domain.wire import own
from tracker.live.positions import Positions


class Acks:
    """What is known of the phone's clock, and which of its pings need not be sent again."""

    __slots__ = ("_clock", "_dealt")

    def __init__(self) -> None:
        self._clock, self._dealt = Clock(), Dealt(0)

    async def begin(self, positions: Positions, phone: Phone, hello: own.Hello) -> int:
        """Go on where this boot of the phone was; the highest seq up to which everything has been dealt with."""
        text = await positions.dealt(phone.technician, phone.device, hello.boot)
        self._dealt = Dealt.read(text) if text else Dealt(0)
        self._dealt.advance(hello.first - 1)
        if text != self._dealt.text():
            await positions.adopt(phone.technician, phone.device, hello.boot, self._dealt.text())
        return self._dealt.upto

    def unpack(self, frame: own.Pings, now: datetime) -> tuple[list[Ping], Dealt]:
        """The pings not dealt with yet, and what will have been when these are kept."""
        if frame.sent is not None:
            self._clock = heard_sent(self._clock, own.utc(frame.sent), now)
        dealt, pings = self._dealt.copy(), []
        for said in frame.pings:
            if said.seq not in dealt:  # else it was acknowledged before, and is again
                dealt.add(said.seq)
                pings.append(own.as_ping(said, corrected(own.utc(said.at), self._clock, now)))
        return pings, dealt

    def ack(self, frame: own.Pings, dealt: Dealt, receipt: Receipt) -> str:
        """They are kept: the words for the phone."""
        self._dealt = dealt
        also = list(dict.fromkeys(said.seq for said in frame.pings if said.seq > dealt.upto))
        refused = [(ping.seq or 0, rule) for ping, rule in receipt.refused]
        return own.ack(dealt.upto, also, refused)

    def on_our_clock(self, at: datetime, now: datetime) -> datetime:
        """When something was done at the phone."""
        return corrected(own.utc(at), self._clock, now)
