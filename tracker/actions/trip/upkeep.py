"""What keeps Redis true to the records: gates renewed before their lease ends, and nobody on the map who is off duty."""

import asyncio

import structlog

from tracker.actions.house import House
from tracker.actions.loops import every
from tracker.actions.trip.gates import gate_of, gates_of_all, regate
from tracker.live.gate import Gate
from tracker.live.sweep import sweep

RENEW_S = 5.0
SWEEP_S = 15.0

log = structlog.get_logger()


class Renewal:
    """Renews all gates. One that is fenced off twice running was left shut by a process that died before its commit."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._fenced: set[str] = set()

    async def turn(self) -> int:
        """Renew every gate; how many had to be opened anew."""
        gates = await gates_of_all(self._house)
        fences = await self._house.positions.renew(gates)
        refused = {gate.technician: fence for gate, fence in zip(gates, fences, strict=True) if fence}
        stuck = refused.keys() & self._fenced
        self._fenced = set(refused) - stuck
        for technician in stuck:
            log.warning("gate_opened_anew")
            await regate(self._house, technician, refused[technician])
        return len(stuck)


async def renew(house: House, stop: asyncio.Event) -> None:
    """Renew all gates every five seconds (their lease is fifteen) until told to stop."""
    renewal = Renewal(house)
    await every("renew_gates", RENEW_S, stop, renewal.turn)


async def sweep_map(house: House, stop: asyncio.Event) -> None:
    """Take from the map who is off duty, paused or silent, every fifteen seconds until told to stop."""
    await every("sweep_map", SWEEP_S, stop, lambda: sweep(house.positions.client, house.clock()))


async def gate_now(house: House, technician: str) -> Gate | None:
    """The gate as it stands, else as SQL says it; None for somebody who is no technician (any more)."""
    return await house.positions.gate(technician) or await gate_of(house, technician)


async def reopen(house: House, technician: str) -> bool:
    """Build a gate that Redis has lost from SQL and set it. False: fenced off, a closing is under way."""
    gate = await gate_of(house, technician)
    # a technician that is gone has no duty: what the phone still sends is acknowledged and not stored
    return await house.positions.set_gate(gate or Gate(technician, gen=0))
