"""Visits that need a dispatcher, of every day: why, and who was to come."""

from dataclasses import dataclass

from tracker.actions.house import House
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.domain.attention import Reason
from tracker.records import attention, customers, technicians
from tracker.records.appointments import Appointment
from tracker.records.technicians import Technician

MOST = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A visit that cannot stay as it is, the gravest reason, for whom and who was to come."""

    appointment: Appointment
    reason: Reason
    customer: str
    technician: Technician | None


def reason_of(appointment: Appointment) -> Reason | None:
    """Why a visit out of `attention.waiting` needs a dispatcher, the gravest first; None if it does not."""
    if appointment.state is State.TRAVELING:
        return Reason.MAP_CLOSED
    if appointment.technician_id is None:
        return Reason.UNASSIGNED
    said = appointment.unkept or appointment.flag
    return Reason(said) if said else None


async def waiting(house: House, actor: Actor) -> list[Waiting]:
    """All of them that are not over, by arrival, `MOST` at most; `NotAllowed` for others than staff."""
    only_staff(actor)
    async with house.db.reading() as tx:
        found = await attention.waiting(tx, house.clock(), MOST)
        names = await customers.names_of(tx, {one.account_id for one in found})
        who = {one.id: one for one in await technicians.everybody(tx, active=False)} if found else {}
    return [
        Waiting(one, reason, names.get(one.account_id, ""), who.get(one.technician_id or ""))
        for one in found
        if (reason := reason_of(one))
    ]
