"""Appointments: read by whoever may, locked and changed by one step at a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select, update

from tracker.domain.appointments import State, Step
from tracker.domain.geo import Point
from tracker.records.database import Transaction, new_id
from tracker.records.prepared import Prepared
from tracker.records.schema import appointments, service_types, steps_taken


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """Work order and booking in one. ``arrival_at`` and ``ends_at`` are the promise; ``version`` rises with each change."""

    id: str
    booking_id: str
    account_id: str
    service_type_id: str
    state: State
    arrival_at: datetime
    ends_at: datetime
    duration_min: int
    address: str
    lat: float
    lon: float
    zone: str
    source: str
    created_at: datetime
    version: int = 1
    contact_id: str | None = None
    technician_id: str | None = None
    details: str | None = None
    leg_id: str | None = None
    traveling_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    canceled_by: str | None = None
    cancel_reason: str | None = None
    outcome: str | None = None
    asset_id: str | None = None
    booked_by: str | None = None  # the person or token that booked
    keep_informed: bool = True
    travel_s: int | None = None  # promised travel to it, and where that is known from
    travel_m: int | None = None
    travel_source: str | None = None
    chosen: dict[str, Any] | None = None  # why this technician (B6)
    flag: str | None = None  # needs a dispatcher: why
    unkept: str | None = None  # … because a change of the plan took its technician away
    sequence: int = 0  # of its calendar entry
    service: str = ""  # the service type's name, joined

    @property
    def place(self) -> Point:
        """Where the work is."""
        return Point(self.lat, self.lon)

    @property
    def since(self) -> datetime:
        """When it came into its present state."""
        moments = {
            State.TRAVELING: self.traveling_at,
            State.IN_PROGRESS: self.started_at,
            State.COMPLETED: self.completed_at,
            State.CANCELED: self.canceled_at,
        }
        return moments.get(self.state) or self.created_at


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer a technician's step got, kept under the phone's own id of the step."""

    technician_id: str
    step_id: str
    appointment_id: str
    step: Step
    state: State
    pressed_at: datetime
    taken_at: datetime


_COLUMNS = [appointments.c[name] for name in Appointment.__struct_fields__ if name != "service"]
_ADDED = Prepared(appointments.insert(), columns=[column.name for column in _COLUMNS])
_STEP = [steps_taken.c[name] for name in StepTaken.__struct_fields__]


async def by_id(tx: Transaction, appointment: str) -> Appointment | None:
    """One appointment."""
    rows = await _found(tx, appointments.c.id == appointment)
    return rows[0] if rows else None


async def of_ids(tx: Transaction, ids: Iterable[str]) -> list[Appointment]:
    """Those of them that there are."""
    return await _found(tx, appointments.c.id.in_(list(ids)))


async def locked(tx: Transaction, appointment: str) -> Appointment | None:
    """One appointment with its row locked until the transaction ends. Lock the technician first (`technicians.locked`)."""
    await tx.rows(select(appointments.c.id).where(appointments.c.id == appointment).with_for_update())
    return await by_id(tx, appointment)


async def of_accounts(
    tx: Transaction, accounts: frozenset[str], start: datetime | None = None, end: datetime | None = None
) -> list[Appointment]:
    """The appointments of some accounts, by arrival: all, or those with start ≤ promised arrival < end."""
    which = appointments.c.account_id.in_(accounts)
    if start is not None and end is not None:
        return await _found(tx, which & (appointments.c.arrival_at >= start) & (appointments.c.arrival_at < end))
    return await _found(tx, which)


async def of_technician(tx: Transaction, technician: str, start: datetime, end: datetime) -> list[Appointment]:
    """A technician's appointments with start ≤ promised arrival < end, and whatever is under way; by arrival."""
    under_way = appointments.c.state.in_([State.TRAVELING, State.IN_PROGRESS])
    within = (appointments.c.arrival_at >= start) & (appointments.c.arrival_at < end)
    return await _found(tx, (appointments.c.technician_id == technician) & (within | under_way))


async def between(tx: Transaction, start: datetime, end: datetime) -> list[Appointment]:
    """Everybody's appointments with start ≤ promised arrival < end, and whatever is under way; by arrival."""
    under_way = appointments.c.state.in_([State.TRAVELING, State.IN_PROGRESS])
    return await _found(tx, ((appointments.c.arrival_at >= start) & (appointments.c.arrival_at < end)) | under_way)


async def traveling_of(tx: Transaction, technician: str) -> Appointment | None:
    """The appointment a technician is on the way to: at most one, held by the database."""
    rows = await _found(tx, (appointments.c.technician_id == technician) & (appointments.c.state == State.TRAVELING))
    return rows[0] if rows else None


async def visited(tx: Transaction, technician: str, start: datetime) -> list[Appointment]:
    """Where a technician's work began since ``start``, the latest first: places a trip may begin from."""
    query = (appointments.c.technician_id == technician) & (appointments.c.started_at >= start)
    return sorted(await _found(tx, query), key=lambda visit: visit.since, reverse=True)


async def add(tx: Transaction, appointment: Appointment) -> None:
    """A new appointment."""
    values = msgspec.structs.asdict(appointment)
    del values["service"]
    await tx.later(_ADDED, values)


async def change(tx: Transaction, appointment: Appointment, **values: Any) -> int:
    """Set columns and raise the version; the new version. The row must be locked."""
    version = appointment.version + 1
    await tx.change(update(appointments).where(appointments.c.id == appointment.id).values(version=version, **values))
    return version


async def add_service_type(tx: Transaction, name: str, duration_min: int) -> str:
    """A kind of work; its id."""
    service = new_id()
    await tx.change(service_types.insert().values(id=service, name=name, duration_min=duration_min))
    return service


async def step_taken(tx: Transaction, technician: str, step_id: str) -> StepTaken | None:
    """What this step of the phone was answered, if it came before."""
    which = (steps_taken.c.technician_id == technician) & (steps_taken.c.step_id == step_id)
    return await tx.one(select(*_STEP).where(which), StepTaken)


async def keep_step(tx: Transaction, taken: StepTaken) -> None:
    """Remember a step's answer."""
    await tx.change(steps_taken.insert().values(msgspec.structs.asdict(taken)))


async def some(tx: Transaction, which: Any, most: int) -> list[Appointment]:
    """The first of those that fit a condition, by arrival."""
    return await tx.all(_by_arrival(which).limit(most), Appointment)


async def _found(tx: Transaction, which: Any) -> list[Appointment]:
    return await tx.all(_by_arrival(which), Appointment)


def _by_arrival(which: Any) -> Any:
    joined = select(*_COLUMNS, service_types.c.name.label("service")).join_from(appointments, service_types)
    return joined.where(which).order_by(appointments.c.arrival_at, appointments.c.id)
