"""Who is watching what in this process: one subscription, a channel for each watched visit, a mailbox for each viewer."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import structlog

from tracker.live import frames
from tracker.live.closings import Closings
from tracker.live.control import Ask, Control
from tracker.live.frames import Frame
from tracker.live.looking import Look, Looks, Missed
from tracker.live.naps import Naps
from tracker.live.sessions import Living, Sessions, everybody
from tracker.live.staff import Board
from tracker.live.subscription import Subscription
from tracker.live.tending import tend
from tracker.live.viewers import Channel, Socket, Watch, close_all

TICK_S = 5.0

log = structlog.get_logger()


class Hub:
    """Fans out what is published. Everything that decides runs inside the one reader, so its order is Redis' order.

    A gap in the offsets, a new epoch, a leg not looked at yet, a new route, a lost subscription all mean the same: the
    viewers concerned are held, one look is taken for all of them, and each gets a snapshot, then the states it missed.
    """

    def __init__(self, subscription: Subscription, control: Control, clock: Callable[[], datetime]) -> None:
        self.subscription, self.control, self._clock = subscription, control, clock
        self.board = Board(subscription, clock)
        self._looks: Looks
        self._living: Living = everybody  # a worker listens without viewers: nobody starts its hub
        self.channels: dict[str, Channel] = {}
        self.sessions = Sessions()
        self.naps = Naps()
        self._closings = Closings()
        self._tasks: set[asyncio.Task[Any]] = set()
        subscription.on_back.append(self._back)
        control.on(Ask.FLUSH, self.flush)
        control.on(Ask.END_SESSION, self.end_session)
        control.on(Ask.LOOK_AGAIN, self.look_again)

    async def start(self, look: Look, missed: Missed, living: Living = everybody) -> None:
        """Listen. For ``look`` and ``missed`` see `live/looking`; ``living``: which of some sessions have not ended."""
        self._living = living
        self._looks = Looks(self.subscription, self._clock, self.sessions.judged_first(look), missed, self._wake)
        self.naps.start()
        self.subscription.start()
        await self.control.listen()
        self._spawn(self._tick_for_ever())

    async def stop(self) -> None:
        """Close every socket (1012: come again after a moment) and end."""
        await close_all(self.sessions.everyone(), 1012)
        for task in [*self._tasks, *(channel.looking for channel in self.channels.values() if channel.looking)]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.naps.stop()
        await self.board.stop()
        await self.control.stop()
        await self.subscription.stop()

    # -- coming and going ----------------------------------------------------------------------------------------------

    def expect(self, socket: Socket) -> None:
        """A socket of this session is open. Say so *before* the session is looked up for the last time: then an end of the
        session either is seen by that, or finds the socket here."""
        socket.wrote = _now()
        self.sessions.expect(socket)

    def join(self, viewer: Watch, technician: str | None) -> None:
        """Begin to watch: a snapshot comes as soon as the channel is confirmed and the visit was looked at."""
        if (channel := self.channels.get(viewer.appointment)) is None:
            channel = self.channels[viewer.appointment] = Channel(viewer.appointment, technician)
        viewer.wake = self._wake
        channel.admit(viewer)
        self._want(channel)

    def forget(self, socket: Socket) -> None:
        """The socket is gone."""
        self.sessions.forget(socket)

    def leave(self, viewer: Watch) -> None:
        """Watch no more."""
        if (channel := self.channels.get(viewer.appointment)) is None:
            return
        channel.viewers.pop(viewer, None)
        if not channel.viewers:
            del self.channels[channel.appointment]
            if channel.looking is not None:
                channel.looking.cancel()
            self._spawn(self._looks.forget(channel))

    def seen(self, viewer: Watch, offset: int) -> None:
        """The viewer saw an update: it may have the next."""
        viewer.seen(offset)
        if viewer.waiting:
            viewer.go_on()

    # -- what Redis says -----------------------------------------------------------------------------------------------

    def _heard(self, channel: Channel, data: bytes) -> None:
        self._wake()
        try:
            said = frames.read(data)
        except msgspec.DecodeError:
            log.warning("frame_unreadable")
            return
        if said.ep == channel.epoch and said.o <= channel.offset:
            return
        whole = channel.epoch is None or (said.ep == channel.epoch and said.o == channel.offset + 1)
        channel.epoch, channel.offset = said.ep, said.o
        if not whole or said.k == "route":
            self._doubt(channel)  # before the frame itself goes into the mailboxes
        if said.k == "closed":
            channel.close()
        elif said.k != "route":
            self._fan_out(channel, Frame(said, self._clock(), _now()))

    def _fan_out(self, channel: Channel, frame: Frame) -> None:
        leg, now = frame.published.leg, frame.heard
        if not frame.is_update:
            channel.ask_again()  # whatever this state is, positions after it need a look
        elif leg != channel.leg or not channel.shows:
            if (wait_s := channel.denied_for(leg, now)) > 0:
                return self._look_later(channel, leg, wait_s)
            # out of the cloak, or of a leg not looked at yet: SQL has the word first (once for any number of updates, and
            # however fast they come: a look under way counts if it saw that leg)
            channel.pause()
            if channel.awaited != leg:
                channel.awaited = leg
                self._want(channel)
        channel.give(frame, now)

    def _look_later(self, channel: Channel, leg: str | None, wait_s: float) -> None:
        """Nobody may have an update of this leg, by what the records said; they are asked once more in a while."""
        if channel.awaited != leg:
            channel.awaited = leg
            asyncio.get_running_loop().call_later(wait_s, self._doubt, channel)

    def _doubt(self, channel: Channel) -> None:
        """Nothing more for its viewers before they get a new snapshot."""
        channel.hold()
        self._want(channel)

    def _want(self, channel: Channel) -> None:
        self._looks.want(channel, lambda heard: partial(self._heard, heard))

    def _wake(self) -> None:
        """After a nap everybody is held for a new look: a closing may have given up waiting for this process."""
        if self.naps.noticed():
            log.warning("process_slept")
            self.look_at_all_again()

    def closed(self, appointment: str) -> tuple[int, int]:
        """Changes whenever a closing, or a nap in which one may have been missed, lies between two calls."""
        self._wake()
        return self._closings.count(appointment), self.naps.count

    def _back(self) -> None:
        """The subscription was lost and is here again: what was published meanwhile was not heard, ends of sessions neither."""
        self._spawn(self.sessions.judge(self._living))  # looks wait for it
        for channel in self.channels.values():
            channel.confirmed = channel.name is not None
            channel.epoch = None
            self._doubt(channel)

    # -- what processes ask of each other --------------------------------------------------------------------------------

    async def flush(self, appointment: str) -> None:
        """No position of this visit waits any more, and no look begun before may show one.

        All but the settling of slow doors is done before the first await, so before anything later is heard.
        """
        self._closings.note(appointment)
        waiting = [self._closings.settled(appointment)]
        if (channel := self.channels.get(appointment)) is not None:
            channel.close()
            waiting += [viewer.door.settled() for viewer in channel.viewers]
        await asyncio.gather(*waiting)

    def reading(self, what: str) -> AbstractContextManager[None]:
        """Inside, an answer that may carry a position is made and sent; a closing waits for it, or breaks it off.

        ``what``: an appointment, or ``session`` and its id for the end of that.
        """
        return self._closings.reading(what)

    async def end_session(self, session: str) -> None:
        """Close every socket of a session; what is being answered to it is sent by then, or broken off."""
        await asyncio.gather(self.sessions.end(session), self._closings.settled(f"session {session}"))

    async def look_again(self, appointment: str) -> None:
        """Something changed that the channel does not tell (another technician): look, and send what is so now."""
        if (channel := self.channels.get(appointment)) is not None:
            self._doubt(channel)

    def look_at_all_again(self) -> None:
        """What may be shown at all has changed: nothing more for anybody before a new look."""
        for channel in self.channels.values():
            channel.close()
            self._doubt(channel)

    # -- time ----------------------------------------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self.tick()
            except Exception:
                log.exception("hub_tick_failed")

    async def tick(self) -> None:
        """Beats; sessions that ran out; sockets where nobody reads; looks that are still owed."""
        self._wake()
        now, clock = _now(), self._clock()
        overdue = tend(self.sessions.everyone(), clock, now)
        for channel in self.channels.values():
            self._mend(channel)
        for code, sockets in overdue.items():
            await close_all(sockets, code)

    def _mend(self, channel: Channel) -> None:
        if channel.parted:
            channel.parted += 1
        if channel.parted > 2:  # closed, and no state came: reassigned, or its process died between the two
            channel.hold()
        if not all(viewer.joined for viewer in channel.viewers):
            self._want(channel)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _now() -> float:
    return asyncio.get_running_loop().time()
