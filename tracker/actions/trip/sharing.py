"""Sharing of a technician's place: paused and resumed by the technician, ended before the answer is sent."""

from dataclasses import dataclass

from tracker.actions.house import House
from tracker.actions.trip.gates import open_gate, regate
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.texts import one_line
from tracker.errors import BadInput, NotAllowed, NotFound
from tracker.live.control import Ask
from tracker.records import appointments, audit, technicians
from tracker.records.database import Transaction

MOST_REASON = 200
"""Characters of a reason; customers never see it."""


async def set_sharing(house: House, actor: Actor, technician: str, on: bool, reason: str | None = None) -> bool:
    """Pause or resume; True if that changed anything. Only the technician may.

    While paused no ping is stored (P3): the gate is closed before the commit, as at the end of a leg.
    """
    if actor.role is not Role.TECHNICIAN or actor.technician != technician:
        raise NotAllowed
    if reason is not None and len(reason) > MOST_REASON:
        raise BadInput(f"The reason may have at most {MOST_REASON} characters.")
    switch = _Switch(house, actor, technician, on, reason)
    try:
        changed = await house.db.retrying(switch.turn)
    except BaseException:
        if switch.closed:
            await regate(house, technician)
        raise
    if changed:
        await open_gate(house, technician)
        if switch.visit:
            await house.control.tell(Ask.LOOK_AGAIN, switch.visit)
    return changed


@dataclass
class _Switch:
    house: House
    actor: Actor
    technician: str
    on: bool
    reason: str | None
    closed: bool = False
    visit: str | None = None

    async def turn(self, tx: Transaction) -> bool:
        found = await technicians.locked(tx, self.technician)
        if found is None:
            raise NotFound
        if found.sharing == self.on:
            return False
        now = self.house.clock()
        traveling = await appointments.traveling_of(tx, found.id)
        self.visit = traveling.id if traveling else None
        said = None if self.on else one_line(self.reason or "") or None
        await technicians.change(tx, found.id, sharing=self.on, sharing_reason=said, sharing_since=now)
        gen = await technicians.next_gate(tx, found)
        old, new = {"on": found.sharing}, {"on": self.on}
        await audit.write(tx, now, self.actor.signed, "sharing", found.id, before=old, after=new)
        if not self.on:
            self.closed = True
            await self.house.positions.close(found.id, self.visit, gen, forget=True)
        return True
