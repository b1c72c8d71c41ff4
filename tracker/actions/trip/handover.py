"""Giving an appointment to another technician; one that is under way is closed first and begins anew."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tracker.actions.booking.promising import Promising
from tracker.actions.house import House
from tracker.actions.letters import informing
from tracker.actions.trip.gates import open_gate, regate
from tracker.actions.trip.legs import drop_leg
from tracker.actions.trip.telling import tell
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.errors import NotAllowed, NotFound, StepNotPossible, VersionMismatch
from tracker.live.control import Ask
from tracker.records import appointments, audit, events, promises, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.promises import Owner
from tracker.records.technicians import Technician
from tracker.records.violations import Retry


async def hand_over(
    house: House, actor: Actor, appointment: str, technician: str | None, *, version: int | None = None
) -> Appointment:
    """Assign another technician (None: nobody); the appointment as it stands afterwards. Staff only.

    Traveling turns back to scheduled: what was seen of the old technician is closed before the commit, the new one shares
    nothing before starting. Errors: `NotAllowed`, `NotFound` (also for a technician that is not there),
    `StepNotPossible` (work has begun or is over), `VersionMismatch`, `LiveUnavailable`.
    """
    if not actor.staff:
        raise NotAllowed
    change = _Change(house, actor, appointment, technician, version)
    await change.know()
    try:
        await house.db.retrying(change.make)
    except BaseException:
        for closed in change.closed:
            await regate(house, closed)
        raise
    for closed in change.closed:
        await open_gate(house, closed)
    await tell(house, appointment)
    await house.control.ask(Ask.LOOK_AGAIN, appointment)  # its viewers listen in the old technician's bucket
    async with house.db.reading() as tx:
        after = await appointments.by_id(tx, appointment)
    if after is None:
        raise NotFound
    return after


@dataclass
class _Change:
    house: House
    actor: Actor
    appointment: str
    technician: str | None
    version: int | None
    closed: set[str] = field(default_factory=set)
    promising: Promising = field(init=False)

    def __post_init__(self) -> None:
        self.promising = Promising(self.house)

    async def know(self) -> None:
        """Read both technicians' days before the transaction."""
        async with self.house.db.reading() as tx:
            found = await appointments.by_id(tx, self.appointment)
        if found is not None:
            await self.promising.know(found, [found.technician_id, self.technician])

    async def make(self, tx: Transaction) -> None:
        seen = await appointments.by_id(tx, self.appointment)
        concerned = {one for one in (seen.technician_id if seen else None, self.technician) if one is not None}
        locked = {one: await technicians.locked(tx, one) for one in sorted(concerned)}  # in id order: nobody deadlocks
        visit = await appointments.locked(tx, self.appointment)
        if visit is None or seen is None or None in locked.values():
            raise NotFound
        if visit.technician_id != seen.technician_id:
            raise Retry
        self._check(visit, locked)
        if visit.technician_id == self.technician:
            return
        now, values = self.house.clock(), dict[str, Any](technician_id=self.technician, unkept=None)
        old = locked.get(visit.technician_id) if visit.technician_id is not None else None
        if visit.state is State.TRAVELING and old is not None:
            self.closed.add(old.id)
            await drop_leg(tx, self.house, old, visit, now, "handed_over")
            planned = visit.arrival_at + timedelta(minutes=visit.duration_min)
            await informing.taken_back(tx, visit, now)
            values |= {"state": State.SCHEDULED, "leg_id": None, "traveling_at": None, "ends_at": planned}
        kind = "reassigned" if visit.state is State.SCHEDULED else State.SCHEDULED.value  # only states are told to viewers
        await events.add(tx, visit.id, kind, now, self.actor.signed, {"from": visit.state.value, "step": "hand_over"})
        await self._promise(tx, visit, values, now)
        before, after = {"technician": visit.technician_id}, {"technician": self.technician}
        await audit.write(tx, now, self.actor.signed, "appointment.technician", visit.id, before=before, after=after)

    async def _promise(self, tx: Transaction, visit: Appointment, values: dict[str, Any], now: datetime) -> None:
        """The row is changed; the old technician's time is given back, and the new one's taken."""
        await promises.free(tx, Owner(visit.id))
        if self.technician is not None:
            values |= await self.promising.given_to(tx, visit, self.technician, now)
        await appointments.change(tx, visit, **values)
        await self.promising.given_back(tx, visit, now, freed=True)
        after = await appointments.by_id(tx, visit.id)
        if after is not None:
            await self.promising.follow(tx, after, now)

    def _check(self, visit: Appointment, locked: dict[str, Technician | None]) -> None:
        if self.version is not None and self.version != visit.version:
            raise VersionMismatch
        if visit.state not in (State.SCHEDULED, State.TRAVELING):
            raise StepNotPossible(state=visit.state.value)
        new = locked.get(self.technician) if self.technician is not None else None
        if new is not None and not new.active:
            raise NotFound
