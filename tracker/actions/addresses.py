"""An address by typing (O9): what somebody may have meant, slowed down per person; they confirm it, or set a pin."""

from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.errors import TooManyRequests
from tracker.roads.finding import Candidate

SHORTEST, LONGEST = 3, 200
WINDOW_S, ASKED = 60, 60
"""Questions a minute for one person."""


async def find(house: House, actor: Actor, text: str) -> list[Candidate]:
    """Places for what was typed, the best first; nothing for less than three letters. `TooManyRequests`."""
    plain = " ".join(text.split())[:LONGEST]
    if len(plain) < SHORTEST:
        return []
    if not await house.limits.within("addresses", actor.signed, ASKED, WINDOW_S, house.clock()):
        raise TooManyRequests(retry_after_s=WINDOW_S)
    return await house.finder.find(plain)
