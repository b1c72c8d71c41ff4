"""Looks: what a visit is just now, read once for all its viewers of this process, whenever its channel alone cannot say."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import structlog

from tracker.errors import LiveUnavailable, Refusal
from tracker.live import frames, keys
from tracker.live.frames import Frame
from tracker.live.subscription import Handler, Subscription
from tracker.live.viewers import Channel, Seen, Watch, close_all

AT_ONCE = 64
"""After an outage every watched visit is looked at anew; so many at a time. What is wanted together is read together
(`actions/trip/looks`), so that SQL is not stormed: some are read while the next gather."""
AGAIN_S = (0.05, 0.25, 1.0)
"""Pauses before a look that failed is tried again."""

type Look = Callable[[str, str | None], Awaitable[Seen]]
"""(appointment, technician believed) → Redis first, SQL last; without Redis what SQL says. Refuses what is not there."""
type Missed = Callable[[str, str, str, int], Awaitable[list[dict[str, Any]] | None]]
"""`Positions.events_after`."""

log = structlog.get_logger()


class Looks:
    """Subscribe, then read Redis, then SQL: in this order nothing can happen between what was read and what will be heard."""

    def __init__(
        self, subscription: Subscription, clock: Callable[[], datetime], look: Look, missed: Missed, wake: Callable[[], None]
    ) -> None:
        self._subscription, self._clock, self._look, self._missed, self._wake = subscription, clock, look, missed, wake
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def want(self, channel: Channel, hear: Callable[[Channel], Handler]) -> None:
        """Look at a visit, or, if that is being done, once more when it is done."""
        channel.again = True
        if channel.looking is None or channel.looking.done():
            channel.looking = asyncio.create_task(self._until_fresh(channel, hear))

    async def _until_fresh(self, channel: Channel, hear: Callable[[Channel], Handler]) -> None:
        failures = 0
        while channel.again and channel.viewers:
            channel.again = False
            try:
                async with self._at_once:
                    fresh = await self._once(channel, hear)
            except Refusal as refusal:
                if refusal.status < 500:
                    return await close_all(channel.viewers, 4403)
                fresh = self._failed(refusal.code)
            except Exception as error:
                fresh = self._failed(type(error).__name__)
            if not fresh:
                channel.again = True
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1
        channel.awaited = None

    def _failed(self, reason: str) -> bool:
        log.warning("look_failed", reason=reason)
        return False

    async def _once(self, channel: Channel, hear: Callable[[Channel], Handler]) -> bool:
        """One look; False if it must be repeated."""
        await self._follow(channel, channel.hint, hear)
        spoiled, awaited = channel.spoiled, channel.awaited
        waiting = [viewer for viewer in channel.viewers if not viewer.joined]
        seen = await self._look(channel.appointment, channel.technician)
        if seen.technician != channel.technician:
            channel.hint = seen.technician  # reassigned: hear the other bucket, then look again
            return False
        since: dict[int, list[Frame] | None] = {}  # most of them heard the same last: Redis is asked once for those
        missed = [(viewer, await self._missed_by(viewer, seen, since)) for viewer in waiting]
        self._wake()  # a nap since the beginning spoils it as well
        if channel.spoiled != spoiled or channel.awaited not in (awaited, seen.leg):
            return False  # closed, or another leg began: what was read may be over
        # no await from here on: nothing can be closed between this check and the last write
        now = asyncio.get_running_loop().time()
        channel.looked(seen.leg, now, shows=seen.shows)
        if channel.epoch != seen.epoch or channel.offset < seen.offset:
            channel.epoch, channel.offset = seen.epoch, seen.offset
        strangers = []
        for viewer, events in missed:
            if not seen.allows(viewer.who):
                strangers.append(viewer)
            elif viewer in channel.viewers and not viewer.welcome(seen, events, self._clock(), now):
                viewer.door.when_ready(partial(self.want, channel, hear))
        await close_all(strangers, 4403)
        return True

    async def _follow(self, channel: Channel, technician: str | None, hear: Callable[[Channel], Handler]) -> None:
        """Hear the visit under its technician's bucket."""
        if channel.confirmed and technician == channel.technician:
            return
        if technician != channel.technician:
            await self.forget(channel)
        channel.technician = technician
        channel.epoch = None
        if technician is None:
            channel.confirmed = True
            return
        channel.name, channel.handler = keys.visit_channel(technician, channel.appointment), hear(channel)
        channel.confirmed = await self._subscription.add(channel.name, channel.handler)
        if not channel.confirmed and self._subscription.connected.is_set():
            raise LiveUnavailable

    async def forget(self, channel: Channel) -> None:
        """Hear the visit no longer."""
        name, handler, channel.name, channel.handler = channel.name, channel.handler, None, None
        channel.confirmed = False
        if name is not None and handler is not None:
            await self._subscription.drop(name, handler)

    async def _missed_by(self, viewer: Watch, seen: Seen, since: dict[int, list[Frame] | None]) -> list[Frame] | None:
        """The states a viewer has not been told; None if that cannot be known."""
        epoch, offset = viewer.resume or (viewer.epoch, viewer.offset)
        if epoch != seen.epoch or not seen.epoch or seen.technician is None:
            return None
        if offset == seen.offset:
            return []
        if offset not in since:
            events = await self._missed(seen.technician, viewer.appointment, seen.epoch, offset)
            now, moment = asyncio.get_running_loop().time(), self._clock()
            found = [Frame(msgspec.convert(event, frames.Published), moment, now) for event in events or ()]
            since[offset] = None if events is None else found
        return since[offset]
