"""Visits that need a dispatcher: what is promised by whom, and why it cannot be kept."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from sqlalchemy import func, select, update

from tracker.domain.appointments import State
from tracker.domain.geo import Point
from tracker.records import appointments as appointment_records
from tracker.records.appointments import Appointment
from tracker.records.crew import Person
from tracker.records.database import Transaction
from tracker.records.promises import REACH
from tracker.records.schema import appointments, legs, technicians


class Promised(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled visit: whose, and from when until when they work there."""

    id: str
    technician_id: str
    arrival_at: datetime
    ends_at: datetime


_PROMISED = [appointments.c[name] for name in Promised.__struct_fields__]
TOGETHER = 500
"""Ids in one statement."""


def midnight(day: date) -> datetime:
    """Of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


def _to_come(start: datetime, end: datetime | None) -> Any:
    a = appointments.c
    which = (a.state == State.SCHEDULED) & (a.ends_at > start) & a.technician_id.is_not(None)
    return which if end is None else which & a.arrival_at.between(start - REACH, end)


async def with_promises(tx: Transaction, start: datetime, end: datetime | None) -> list[str]:
    """Technicians with visits to come between two moments."""
    query = select(appointments.c.technician_id).where(_to_come(start, end)).distinct()
    return [row[0] for row in await tx.tuples(query)]


async def last(tx: Transaction, now: datetime) -> datetime | None:
    """When the last visit to come ends."""
    moment: datetime | None = await tx.value(select(func.max(appointments.c.ends_at)).where(_to_come(now, None)))
    return moment


async def lock(tx: Transaction, who: Collection[str] | None) -> None:
    """Lock technicians' rows until the transaction ends, in id order; None: everybody's."""
    every = select(technicians.c.id).order_by(technicians.c.id).with_for_update()
    if who is None:
        await tx.tuples(every)
        return
    ids = sorted(who)
    for first in range(0, len(ids), TOGETHER):
        await tx.tuples(every.where(technicians.c.id.in_(ids[first : first + TOGETHER])))


async def promised(tx: Transaction, who: Collection[str], start: datetime, end: datetime | None) -> list[Promised]:
    """The visits to come of some technicians, by arrival."""
    found: list[Promised] = []
    ids = sorted(who)
    for first in range(0, len(ids), TOGETHER):
        some = appointments.c.technician_id.in_(ids[first : first + TOGETHER])
        found += await tx.all(select(*_PROMISED).where(some, _to_come(start, end)), Promised)
    return sorted(found, key=lambda one: (one.arrival_at, one.id))


async def people(tx: Transaction, who: Collection[str]) -> dict[Person, bool]:
    """Some technicians, and whether each is active."""
    t, found, ids = technicians.c, dict[Person, bool](), sorted(who)
    for first in range(0, len(ids), TOGETHER):
        columns = t.id, t.home_lat, t.home_lon, t.zone, t.active
        for id, lat, lon, zone, active in await tx.tuples(select(*columns).where(t.id.in_(ids[first : first + TOGETHER]))):
            found[Person(id, Point(lat, lon) if lat is not None and lon is not None else None, zone)] = active
    return found


async def mark(tx: Transaction, appointment: str, reason: str | None) -> None:
    """Say (or unsay) that a visit's technician cannot be there."""
    await tx.change(update(appointments).where(appointments.c.id == appointment).values(unkept=reason))


async def waiting(tx: Transaction, since: datetime, most: int) -> list[Appointment]:
    """Scheduled visits that are not over and need a dispatcher, and those on their way whose map has closed, by arrival."""
    a, ended = appointments.c, legs.c.ended_at.is_not(None) | (legs.c.hides_at <= since)
    promised = (a.state == State.SCHEDULED) & (a.unkept.is_not(None) | a.flag.is_not(None) | a.technician_id.is_(None))
    closed = (a.state == State.TRAVELING) & a.leg_id.in_(select(legs.c.id).where(ended))
    return await appointment_records.some(tx, (promised & (a.ends_at > since)) | closed, most)
