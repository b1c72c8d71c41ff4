"""Technicians' phones at the door: whose token it is, which gate stands, what a browser's device is called."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.domain.accounts import Actor
from tracker.errors import NotAllowed
from tracker.records import technicians
from tracker.records.technicians import Device

KNOWN_S = 2.0
"""How long an answer about a token is believed: a revoked token is refused at most so much later."""
MOST_KNOWN = 20_000


@dataclass(slots=True)
class _Known:
    device: Device | None
    until: float


class Tokens:
    """Device tokens looked up in SQL, remembered for two seconds: a phone's batches cost one look, a flood of one token too."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def device(self, token: str) -> Device | None:
        """The phone a token belongs to; None for one never given or revoked."""
        key, now = accounts.hashed(token), asyncio.get_running_loop().time()
        known = self._known.get(key)
        if known is None or known.until <= now:
            async with self._house.db.reading() as tx:
                device = await technicians.device_by_token(tx, key)
            known = self._known[key] = _Known(device, now + KNOWN_S)
            self._known.move_to_end(key)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return known.device


async def browser_of(house: House, actor: Actor, name: str) -> str:
    """The device that stands for a signed-in technician's browser. `NotAllowed` for anybody else."""
    if actor.technician is None or actor.session is None:
        raise NotAllowed
    technician, named = actor.technician, name.strip() or "Browser"
    async with house.db.transaction() as tx:
        return await technicians.browser_of(tx, technician, named, house.clock())


async def still(house: House, actor: Actor) -> bool:
    """True if what a phone or browser showed at its hello is still good: token not revoked, session not ended, same
    person, who is in use."""
    if actor.session is not None:
        known = await accounts.again(house, actor)
        if known is None or known[0].technician != actor.technician:
            return False
    async with house.db.reading() as tx:
        device = await technicians.device(tx, actor.device) if actor.device else None
        works = device is not None and await technicians.in_use(tx, device.technician_id)
    return works and device is not None and device.revoked_at is None
