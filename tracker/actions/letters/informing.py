"""The letters that a visit's bookings, moves and steps cause, written in their transaction (N1, N3, N5)."""

from datetime import datetime, timedelta

from tracker.domain.appointments import State, Step
from tracker.domain.letter_kinds import Kind
from tracker.domain.predicting import Expected
from tracker.records import outbox, outgoing
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.outbox import Wanted
from tracker.records.settings import Settings

UNDONE_WITHIN = timedelta(seconds=30)
"""Letters of steps that can be undone wait so long; when they are sent it is looked whether the step still stands."""


async def stepped(tx: Transaction, before: Appointment, after: Appointment, step: Step, now: datetime) -> None:
    """The letter of a step, if there is one for it. ``after`` is the appointment as it stands now."""
    match step:
        case Step.UNDO:
            await taken_back(tx, before, now)
        case Step.START_TRAVEL:
            await _of_version(tx, Kind.TRAVELING, after, now)
        case Step.COMPLETE:
            await _of_version(tx, Kind.COMPLETED, after, now)
        case Step.CANCEL:
            await outbox.add_for(tx, Kind.CANCELED, after.id, now, payload={"arrival_at": after.arrival_at.isoformat()})
        case Step.NOT_DONE:
            await outbox.add_for(tx, Kind.NOT_DONE, after.id, now)


async def taken_back(tx: Transaction, before: Appointment, now: datetime) -> None:
    """A step was undone, or its leg left: where its letter has gone out, another one puts that right. ``before``: until now.

    A letter that still waits is dropped when it is its turn. Of one in a worker's hands it is known only when the lease is over
    whether it went: the other waits so long, and is dropped if it did not. One that was handed in by a worker that died before it
    noted the answer may have gone, and is put right.
    """
    kind = UNDOABLE.get(before.state)
    found = await outbox.latest(tx, 1, Wanted(appointment=before.id, kind=kind)) if kind else []
    if not found or found[0].payload != _told(before):
        return
    [letter] = found
    known = await outgoing.known_at(tx, letter, now)
    if known is None:
        return
    due = max(now + UNDONE_WITHIN, known)  # nothing is said of it if the step is taken anew by then
    about = {"letter": letter.id, "was": before.state.value}
    await outbox.add_for(tx, Kind.TAKEN_BACK, before.id, now, payload=about, due_at=due, mark=f".{letter.id[:8]}", sequence=0)


def _told(visit: Appointment) -> dict[str, str | None]:
    """What the letter of a step that can be undone is about."""
    return {"leg": visit.leg_id} if visit.state is State.TRAVELING else {"completed_at": visit.since.isoformat()}


UNDOABLE = {State.TRAVELING: Kind.TRAVELING, State.COMPLETED: Kind.COMPLETED}


async def delayed(tx: Transaction, visit: Appointment, expected: Expected, number: int, now: datetime) -> None:
    """It will be later than promised; ``number``: for the how manieth time that is said of this promise."""
    told = {"low": expected.low.isoformat(), "high": expected.high.isoformat(), "arrival_at": visit.arrival_at.isoformat()}
    mark = f".{round(visit.arrival_at.timestamp())}.{number}"
    await outbox.add_for(tx, Kind.DELAY, visit.id, now, payload=told, mark=mark)


async def arriving(tx: Transaction, appointment: str, leg: str, now: datetime) -> None:
    """The technician was noticed at the address: once for each leg, also if it drove on and came again."""
    await outbox.add_for(tx, Kind.ARRIVING, appointment, now, payload={"leg": leg}, mark=f".{leg}")


async def _of_version(tx: Transaction, kind: Kind, after: Appointment, now: datetime) -> None:
    """Steps that are undone and taken again have letters of their own: the version tells them apart."""
    await outbox.add_for(tx, kind, after.id, now, payload=_told(after), due_at=now + UNDONE_WITHIN, sequence=after.version)


async def plan_reminders(tx: Transaction, settings: Settings, appointment: str, arrival_at: datetime, now: datetime) -> None:
    """Plan the reminders of a time that was just booked or moved to; those of the time before are called off.

    One whose moment has passed already is not sent late: whoever books so shortly before knows it.
    """
    await outgoing.call_off(tx, appointment, Kind.REMINDER)
    payload = {"arrival_at": arrival_at.isoformat()}
    for hours in sorted(set(settings.reminders_h)):
        due = arrival_at - timedelta(hours=hours)
        if due > now:
            await outbox.add_for(tx, Kind.REMINDER, appointment, now, payload=payload, due_at=due, mark=f".{hours}h")
