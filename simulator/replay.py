"""Plays a track's events on a phone: in real time, or as a backlog that ends now."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import datetime

from simulator.faults import Cut, Deed, Event, Faults, FindNetwork, LoseNetwork, Repeat, Say, SetClock, clock_error, spoilt
from simulator.phones.base import Phone, utc_now
from simulator.tracks import Track, as_backlog, shifted, with_motion


def prepared(track: Track, *, now: datetime, backlog: bool) -> Track:
    """The track with speeds and courses, moved to begin now, or (a backlog) to end now."""
    moving = with_motion(track)
    return as_backlog(moving, now) if backlog else shifted(moving, now)


def do(deed: Deed, phone: Phone) -> None:
    """Lets one event happen to a phone."""
    match deed:
        case Say(fixes):
            phone.say(*fixes)
        case LoseNetwork():
            phone.lose_network()
        case FindNetwork():
            phone.find_network()
        case Cut():
            phone.cut()
        case Repeat():
            phone.repeat()
        case SetClock():
            phone.clock_error = clock_error(deed)


async def play(events: Sequence[Event], phone: Phone) -> None:
    """Real time: each event when it is due, however long the track is. Returns after the last one, or when the phone gave up."""
    start = time.monotonic()
    for event in events:
        await asyncio.sleep(max(0.0, start + event.at_s - time.monotonic()))
        if phone.dead is not None:
            return
        do(event.deed, phone)


async def play_backlog(events: Sequence[Event], phone: Phone) -> None:
    """Everything was recorded without network, which now comes back; torn connections happen while it is being sent."""
    phone.lose_network()
    for event in events:
        if isinstance(event.deed, Say | SetClock):
            do(event.deed, phone)
    phone.find_network()
    cuts = sum(isinstance(event.deed, Cut) for event in events)
    repeats = sum(isinstance(event.deed, Repeat) for event in events)
    for i in range(max(cuts, repeats)):
        if phone.held:
            await phone.progress(2.0)
        if i < repeats:
            phone.repeat()
        if i < cuts:
            phone.cut()


async def replay(track: Track, phone: Phone, *, faults: Faults, seed: int, backlog: bool, patience_s: float = 60.0) -> bool:
    """The whole of it: prepares the track, plays it, waits for the last ack; True if the phone holds nothing any more."""
    ready = prepared(track, now=utc_now(), backlog=backlog)
    events = spoilt(ready, faults, random.Random(f"{seed}/{phone.target.device}"))
    await (play_backlog if backlog else play)(events, phone)
    return await phone.settled(patience_s)
