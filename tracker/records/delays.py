"""Delays that customers were told of: one row for each visit, so that several workers tell each of them once (E5)."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import select, update

from tracker.domain.appointments import State
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.schema import delays


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """What was told: arrival between ``low`` and ``high``, likely ``at``, instead of ``promised``. ``told``: how often."""

    appointment_id: str
    technician_id: str
    promised: datetime
    low: datetime
    at: datetime
    high: datetime
    told_at: datetime
    told: int = 1
    over_at: datetime | None = None  # since then the promise will be kept after all


_DELAY = [delays.c[name] for name in Delay.__struct_fields__]


async def of_appointment(tx: Transaction, appointment: str) -> Delay | None:
    """What was told last, also about a promise that is no more."""
    return await tx.one(select(*_DELAY).where(delays.c.appointment_id == appointment), Delay)


async def standing(tx: Transaction, visits: Iterable[Appointment]) -> dict[str, Delay]:
    """What was told of those that are scheduled and late, by appointment: of this promise and this technician only."""
    planned = {one.id: (one.arrival_at, one.technician_id) for one in visits if one.state is State.SCHEDULED}
    if not planned:
        return {}
    which = delays.c.appointment_id.in_(planned) & delays.c.over_at.is_(None)
    found = await tx.all(select(*_DELAY).where(which), Delay)
    return {one.appointment_id: one for one in found if planned[one.appointment_id] == (one.promised, one.technician_id)}


async def keep(tx: Transaction, delay: Delay) -> None:
    """What is told now. The appointment's row must be locked."""
    values = msgspec.structs.asdict(delay)
    new = {name: value for name, value in values.items() if name != "appointment_id"}
    await tx.change(tx.insert(delays).values(values).on_conflict_do_update(index_elements=["appointment_id"], set_=new))


async def end(tx: Transaction, appointment: str, now: datetime) -> bool:
    """It is late no more; False if that was so before."""
    which = (delays.c.appointment_id == appointment) & delays.c.over_at.is_(None)
    return await tx.change(update(delays).where(which).values(over_at=now)) == 1
