"""What happened to appointments, written with its cause and told afterwards; and what viewers were told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update

from tracker.records.database import Transaction
from tracker.records.prepared import Prepared
from tracker.records.schema import appointments, events, told


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. ``told_at`` None: a process has yet to publish it."""

    id: int
    appointment_id: str
    kind: str
    at: datetime
    actor: str
    payload: dict[str, Any]
    technician_id: str | None = None
    told_at: datetime | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the viewers of one visit were told at one offset: state, shown position, arrival range."""

    appointment_id: str
    epoch: str
    offset: int
    at: datetime
    what: dict[str, Any]


_ADDED = Prepared(events.insert().inline(), columns=("appointment_id", "kind", "at", "actor", "payload", "told_at"))


async def add(
    tx: Transaction,
    appointment: str,
    kind: str,
    at: datetime,
    actor: str,
    payload: Mapping[str, Any],
    *,
    told_at: datetime | None = None,
) -> None:
    """Write an event. ``told_at``: there is nobody to tell it to."""
    values = {"appointment_id": appointment, "kind": kind, "at": at, "actor": actor, "payload": dict(payload), "told_at": told_at}
    await tx.later(_ADDED, values)


async def of_appointment(tx: Transaction, appointment: str) -> list[Event]:
    """The appointment's story, in order."""
    return await _events(tx, events.c.appointment_id == appointment, 1_000)


async def last_at(tx: Transaction, appointment: str) -> datetime | None:
    """When something last happened to the appointment."""
    query = select(events.c.at).where(events.c.appointment_id == appointment).order_by(events.c.id.desc()).limit(1)
    row = await tx.row(query)
    return row["at"] if row else None


async def untold_of(tx: Transaction, appointment: str) -> list[Event]:
    """The appointment's events that nobody told yet, in order. Ask with the appointment locked: the lock orders the tellers."""
    return await _events(tx, events.c.told_at.is_(None) & (events.c.appointment_id == appointment), 1_000)


async def with_untold(tx: Transaction, before: datetime, most: int = 100) -> list[str]:
    """Appointments with events older than ``before`` that nobody told: their process died between commit and publish."""
    old = events.c.told_at.is_(None) & (events.c.at < before)
    query = select(events.c.appointment_id).where(old).group_by(events.c.appointment_id).order_by(func.min(events.c.id))
    return [row["appointment_id"] for row in await tx.rows(query.limit(most))]


async def mark_told(tx: Transaction, ids: Iterable[int], now: datetime) -> None:
    """These events were published."""
    await tx.change(update(events).where(events.c.id.in_(list(ids)), events.c.told_at.is_(None)).values(told_at=now))


async def insert_told(tx: Transaction, rows: Sequence[Told]) -> None:
    """Keep what viewers were told; an (appointment, epoch, offset) that is there already changes nothing."""
    if rows:
        await tx.change(tx.insert(told).on_conflict_do_nothing(), [msgspec.structs.asdict(row) for row in rows])


async def told_of(tx: Transaction, appointment: str) -> list[Told]:
    """All that the viewers of an appointment were told, in order of time."""
    columns = [told.c[name] for name in Told.__struct_fields__]
    return await tx.all(select(*columns).where(told.c.appointment_id == appointment).order_by(told.c.at, told.c.offset), Told)


async def purge_told(tx: Transaction, moment: datetime) -> int:
    """Remove what viewers were told before a moment; how many rows. The events themselves stay: they carry no position."""
    return await tx.change(delete(told).where(told.c.at < moment))


async def _events(tx: Transaction, which: Any, most: int) -> list[Event]:
    columns = [events.c[name] for name in Event.__struct_fields__ if name != "technician_id"]
    joined = select(*columns, appointments.c.technician_id).join_from(events, appointments)
    return await tx.all(joined.where(which).order_by(events.c.id).limit(most), Event)
