"""Tells viewers what happened, after it was committed: each event once, in order, by whoever comes first."""

from datetime import datetime

from tracker.actions.house import House
from tracker.domain.appointments import State
from tracker.errors import LiveUnavailable
from tracker.records import appointments, events
from tracker.records.database import Transaction

STATES = frozenset(state.value for state in State)
ENDED = frozenset({State.COMPLETED, State.CANCELED})


async def tell(house: House, appointment: str) -> bool:
    """Publish the appointment's untold events. False if Redis is away: they stay untold, the worker tries again.

    The appointment stays locked meanwhile: two tellers (the step's own process and the worker) cannot cross.
    """

    async def publish(tx: Transaction) -> None:
        await appointments.locked(tx, appointment)
        untold = await events.untold_of(tx, appointment)
        for event in untold:
            if event.kind in STATES and event.technician_id:
                state = State(event.kind)
                ended = state in ENDED
                await house.positions.publish_state(event.technician_id, appointment, state, event.at, ended=ended)
        if untold:
            await events.mark_told(tx, [event.id for event in untold], house.clock())

    try:
        await house.db.retrying(publish)
    except LiveUnavailable:
        return False
    return True


async def tell_what_is_left(house: House, before: datetime) -> int:
    """One turn of the worker: the events older than ``before`` that their own process did not tell; how many visits."""
    async with house.db.reading() as tx:
        waiting = await events.with_untold(tx, before)
    for appointment in waiting:
        if not await tell(house, appointment):
            break
    return len(waiting)
