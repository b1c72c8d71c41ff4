"""Steps of an appointment: who may take them, what they change, and how a leg is opened and closed without a gap."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracker.actions.booking.keyed import Keyed
from tracker.actions.booking.promising import Promising, adopt_again
from tracker.actions.house import House
from tracker.actions.letters import informing
from tracker.actions.trip.gates import open_gate, regate
from tracker.actions.trip.legs import begin_leg, drop_leg, drop_other_leg
from tracker.actions.trip.telling import tell
from tracker.domain import changing, texts
from tracker.domain.accounts import Actor
from tracker.domain.appointments import MOVES, Role, State, Step, pressed
from tracker.errors import BadInput, NotAllowed, NotConfirmed, NotFound, StepNotPossible, VersionMismatch
from tracker.records import appointments, audit, events, technicians
from tracker.records.appointments import Appointment, StepTaken
from tracker.records.database import Transaction
from tracker.records.technicians import Technician
from tracker.records.violations import Retry

UNDO_S = 30
"""How long the technician may take a step back; staff may at any time."""

GIVING_UP = frozenset({Step.CANCEL, Step.NOT_DONE})
"""Steps that give promised time back: the next visit is reached from somewhere else then."""

MOST_REASON = 1000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A step that somebody wants to take.

    ``seen`` is the state the person saw, ``version`` the one an If-Match named; each is compared if given. ``pressed_at``
    is when the button was pressed (steps are kept while the phone is offline); a phone's ``step_id``, or the key of a
    ``request``, makes a repeated step harmless. ``switch``: they were asked and want to leave another visit for this one.
    """

    step: Step
    seen: State | None = None
    version: int | None = None
    pressed_at: datetime | None = None
    step_id: str | None = None
    request: Keyed | None = None
    switch: bool = False
    reason: str | None = None
    device: str | None = None


async def take_step(house: House, actor: Actor, appointment_id: str, wish: Wish) -> Appointment:
    """Take one step; the appointment as it stands afterwards.

    Order (docs/architecture.md): closing is done in Redis and answered by every process before the commit, opening
    after it, the state is told last. Errors: NotFound, NotAllowed, StepNotPossible, AlreadyTraveling, VersionMismatch,
    LiveUnavailable (a closing that Redis did not confirm is not taken).
    """
    async with house.db.reading() as tx:
        found = await appointments.by_id(tx, appointment_id)
    if found is None or not _may_reach(actor, found):
        raise NotFound
    attempt = _Attempt(house, actor, wish)
    if wish.step in GIVING_UP:
        await attempt.promising.know(found, [found.technician_id])
    try:
        done = await house.db.retrying(lambda tx: attempt.take(tx, appointment_id))
    except BaseException:
        if attempt.closed:
            await regate(house, attempt.closed)  # the closing did not happen: what it took from Redis comes back
        raise
    if attempt.reopened:
        await open_gate(house, attempt.reopened)
    for changed in attempt.changed:
        await tell(house, changed)
    return done


def _may_reach(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor may know of the appointment at all: everybody else gets the same NotFound."""
    if actor.staff:
        return True
    if actor.role is Role.TECHNICIAN:
        return actor.technician is not None and actor.technician == appointment.technician_id
    return actor.role is Role.CUSTOMER and appointment.account_id in actor.accounts


class _Attempt:
    """One try inside one transaction; it notes what must be put right when the transaction does not come through."""

    def __init__(self, house: House, actor: Actor, wish: Wish) -> None:
        self.house, self.actor, self.wish = house, actor, wish
        self.promising = Promising(house)
        self.closed: str | None = None
        self.reopened: str | None = None
        self.changed: list[str] = []

    async def take(self, tx: Transaction, appointment_id: str) -> Appointment:
        self.reopened, self.changed = None, []
        now = self.house.clock()
        before, technician = await self._lock(tx, appointment_id)
        if await self._taken_before(tx, before):
            return before
        to = self._checked(before, now)
        values = await self._moved(tx, before, technician, to, now)
        await appointments.change(tx, before, state=to, **values)
        self.changed.append(before.id)
        after = await appointments.by_id(tx, appointment_id)
        assert after is not None  # noqa: S101 - its row is locked
        await self.promising.stepped(tx, before, after, now)
        await self._write_down(tx, before, to, now)
        await informing.stepped(tx, before, after, self.wish.step, now)
        return after

    async def _lock(self, tx: Transaction, appointment_id: str) -> tuple[Appointment, Technician | None]:
        """Technician first, then the appointment: the order everybody keeps."""
        seen = await appointments.by_id(tx, appointment_id)
        technician = await technicians.locked(tx, seen.technician_id) if seen and seen.technician_id else None
        locked = await appointments.locked(tx, appointment_id)
        if locked is None or not _may_reach(self.actor, locked):
            raise NotFound
        if seen is None or locked.technician_id != seen.technician_id:
            raise Retry  # handed over in between
        return locked, technician

    async def _taken_before(self, tx: Transaction, before: Appointment) -> bool:
        if self.wish.request is not None and await self.wish.request.answered(tx) is not None:
            return True
        if self.wish.step_id is None or before.technician_id is None:
            return False
        taken = await appointments.step_taken(tx, before.technician_id, self.wish.step_id)
        if taken is None:
            return False
        if (taken.appointment_id, taken.step) != (before.id, self.wish.step):
            raise BadInput("This step's id was used before for another step.")
        return True

    def _checked(self, before: Appointment, now: datetime) -> State:
        """Where the step leads; raises what stands against it."""
        wish = self.wish
        if wish.version is not None and wish.version != before.version:
            raise VersionMismatch
        move = MOVES.get((before.state, wish.step))
        if move is None or (wish.seen is not None and wish.seen is not before.state):
            raise StepNotPossible(self._words(before, now), state=before.state.value)
        if self.actor.role not in move.roles:
            raise NotAllowed
        if self.actor.role is Role.CUSTOMER:
            self._check_customer(before, now)
        self._check_particulars(before, now)
        return move.to

    def _check_particulars(self, before: Appointment, now: datetime) -> None:
        wish = self.wish
        waited = (pressed(wish.pressed_at, before.since, now) - before.since).total_seconds()
        if wish.step is Step.UNDO and not self.actor.staff and waited > UNDO_S:
            raise StepNotPossible("A step can be undone for 30 seconds only. Ask dispatch.", state=before.state.value)
        if wish.step in (Step.CANCEL, Step.NOT_DONE) and not 0 < len(texts.several_lines(wish.reason or "")) <= MOST_REASON:
            raise BadInput("Add a few words about why (at most 1000 characters).")
        if before.technician_id is None and wish.step is not Step.CANCEL:
            raise StepNotPossible("Nobody is assigned to this appointment yet.", state=before.state.value)

    def _words(self, before: Appointment, now: datetime) -> str | None:
        """Why a customer cannot cancel any more (A5); for others the state says enough."""
        asked = self.actor.role is Role.CUSTOMER and self.wish.step is Step.CANCEL
        return changing.cancel_refusal(before.state, before.arrival_at, self.house.settings.now, now) if asked else None

    def _check_customer(self, before: Appointment, now: datetime) -> None:
        """What the settings forbid customers; on the way they must say that they know it (A6, A7)."""
        refusal = changing.cancel_refusal(before.state, before.arrival_at, self.house.settings.now, now)
        if refusal is not None:
            raise NotAllowed(refusal)
        if before.state is State.TRAVELING and self.wish.seen is not State.TRAVELING:
            raise NotConfirmed(state=before.state.value)

    async def _moved(
        self, tx: Transaction, before: Appointment, technician: Technician | None, to: State, now: datetime
    ) -> dict[str, Any]:
        """The columns that change; the old leg is closed and the new one begun on the way."""
        values: dict[str, Any] = {}
        if before.state is State.TRAVELING and technician is not None:
            self.closed = technician.id
            technician = await drop_leg(tx, self.house, technician, before, now, self.wish.step.value)
            values["leg_id"] = None
        if technician is not None and (to is State.TRAVELING or before.state is State.SCHEDULED):
            technician = await self._leave_other(tx, before, technician, to, now)
        if to is State.TRAVELING and technician is not None:
            values |= await self._open(tx, before, technician, now)
        elif technician is not None and before.state is State.TRAVELING:
            self.reopened = technician.id  # a gate without a leg: on duty, seen by staff only
        return values | self._times(before, to, now)

    async def _leave_other(
        self, tx: Transaction, before: Appointment, technician: Technician, to: State, now: datetime
    ) -> Technician:
        """Whoever starts for one visit, or is at work there, is on the way to no other."""
        other = await appointments.traveling_of(tx, technician.id) if to is not State.CANCELED else None
        if other is None or other.id == before.id:
            return technician
        self.closed = self.reopened = technician.id
        self.changed.append(other.id)
        raised = await drop_other_leg(tx, self.house, technician, other, now, self.actor, switch=self.wish.switch)
        await adopt_again(tx, other.id)
        return raised

    async def _open(self, tx: Transaction, before: Appointment, technician: Technician, now: datetime) -> dict[str, Any]:
        leg = await begin_leg(tx, self.house, technician, before, now, self.wish.pressed_at, self.wish.device)
        self.reopened = technician.id
        end = now + timedelta(seconds=leg.planned_s or 0, minutes=before.duration_min)
        return {"leg_id": leg.id, "traveling_at": leg.started_at, "ends_at": end, "started_at": None}

    def _times(self, before: Appointment, to: State, now: datetime) -> dict[str, Any]:
        since = pressed(self.wish.pressed_at, before.since, now)
        match to:
            case State.SCHEDULED:
                return {"traveling_at": None, "ends_at": before.arrival_at + timedelta(minutes=before.duration_min)}
            case State.IN_PROGRESS if before.state is State.COMPLETED:
                return {"completed_at": None}
            case State.IN_PROGRESS:
                return {"started_at": since, "ends_at": now + timedelta(minutes=before.duration_min)}
            case State.COMPLETED:
                return {"completed_at": since, "flag": None}
            case State.CANCELED:
                reason = texts.several_lines(self.wish.reason or "")
                kind = "outcome" if self.wish.step is Step.NOT_DONE else "cancel_reason"
                sequence = before.sequence + 1  # of the calendar entry that is called off
                return {"canceled_at": now, "canceled_by": self.actor.signed, "flag": None, "sequence": sequence, kind: reason}
        return {}

    async def _write_down(self, tx: Transaction, before: Appointment, to: State, now: datetime) -> None:
        payload = {"from": before.state.value, "step": self.wish.step.value}
        await events.add(tx, before.id, to.value, now, self.actor.signed, payload)
        if self.wish.request is not None:
            await self.wish.request.keep_or_look(tx, before.id, now)
        if self.actor.staff:
            old, new = {"state": before.state.value}, {"state": to.value}
            await audit.write(tx, now, self.actor.signed, f"step.{self.wish.step}", before.id, before=old, after=new)
        if self.wish.step_id is not None and before.technician_id is not None:
            taken = StepTaken(
                technician_id=before.technician_id,
                step_id=self.wish.step_id,
                appointment_id=before.id,
                step=self.wish.step,
                state=to,
                pressed_at=pressed(self.wish.pressed_at, before.since, now),
                taken_at=now,
            )
            await appointments.keep_step(tx, taken)
