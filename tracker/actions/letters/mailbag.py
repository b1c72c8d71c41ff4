"""How it stands with the letters: never silent when they cannot be sent (O6, N6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.actions.house import House
from tracker.records import outbox

PATIENCE = timedelta(minutes=5)
"""A letter that was due for longer and is not sent is a fault."""


@dataclass(frozen=True, slots=True)
class Mailbag:
    """Letters that are due and not sent, since when, and how many were given up. ``ok`` False: somebody must look."""

    waiting: int
    oldest: datetime | None
    failed: int
    ok: bool


async def mailbag(house: House) -> Mailbag:
    """The letters' state now; it says nothing of whose they are."""
    now = house.clock()
    async with house.db.reading() as tx:
        waiting, oldest, failed = await outbox.state(tx, now)
    return Mailbag(waiting, oldest, failed, ok=not failed and (oldest is None or now - oldest < PATIENCE))
