"""Whether the customer of an appointment is kept informed (N2): staff say so for each; the setting only presets it."""

from tracker.actions.house import House
from tracker.actions.letters.informing import plan_reminders
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.domain.letter_kinds import Kind
from tracker.errors import NobodyToInform, NotFound, VersionMismatch
from tracker.records import appointments, audit, customers, outgoing
from tracker.records.appointments import Appointment
from tracker.records.customers import can_be_informed
from tracker.records.database import Transaction


async def keep_informed(house: House, actor: Actor, appointment: str, on: bool, *, version: int | None = None) -> Appointment:
    """Send letters about an appointment from now on, or none; reminders are planned or called off with it.

    Staff only. Errors: `NotAllowed`, `NotFound`, `VersionMismatch`, `NobodyToInform`. What was written before goes out.
    """
    only_staff(actor)

    async def change(tx: Transaction) -> None:
        now, visit = house.clock(), await appointments.locked(tx, appointment)
        if visit is None:
            raise NotFound
        if version is not None and version != visit.version:
            raise VersionMismatch
        if visit.keep_informed is on:
            return
        contact = await customers.contact(tx, visit.contact_id) if on and visit.contact_id else None
        if on and not can_be_informed(contact):
            raise NobodyToInform
        await appointments.change(tx, visit, keep_informed=on)
        if not on:
            await outgoing.call_off(tx, visit.id, Kind.REMINDER)
        elif visit.state is State.SCHEDULED:
            await plan_reminders(tx, house.settings.now, visit.id, visit.arrival_at, now)
        before, after = {"keep_informed": visit.keep_informed}, {"keep_informed": on}
        await audit.write(tx, now, actor.signed, "appointment.informed", visit.id, before=before, after=after)

    await house.db.retrying(change)
    async with house.db.reading() as tx:
        after = await appointments.by_id(tx, appointment)
    if after is None:
        raise NotFound
    return after
