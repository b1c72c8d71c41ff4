"""Rows that have had their day: ended sessions, password resets, and answers kept for requests that are sent again."""

import asyncio
from datetime import timedelta

from tracker.actions.house import House
from tracker.actions.loops import every
from tracker.records import audit, outbox, resets, sessions

TIDY_S = 3600.0
SESSIONS_KEPT = timedelta(days=30)
"""Ended and expired sessions stay so long: the audit log names them."""
ANSWERS_KEPT = timedelta(days=2)
"""A request sent again after that is a new one."""
RESETS_KEPT = timedelta(days=1)
"""Password resets stay so long after they expired; most were asked for by nobody."""


async def tidy(house: House, stop: asyncio.Event) -> None:
    """Remove such rows every hour until told to stop."""
    await every("tidy", TIDY_S, stop, lambda: tidy_once(house))


async def tidy_once(house: House) -> tuple[int, int]:
    """How many sessions and answers went."""
    now = house.clock()
    async with house.db.transaction() as tx:
        gone = await sessions.purge_before(tx, now - SESSIONS_KEPT)
        await resets.purge_before(tx, now - RESETS_KEPT)
        await outbox.purge_nobodys(tx, now - RESETS_KEPT)
        return gone, await audit.purge_answers(tx, now - ANSWERS_KEPT)
