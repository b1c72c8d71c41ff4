"""Surveys as rows: one for each completed visit that somebody rated."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import select, update

from tracker.records.database import Transaction
from tracker.records.schema import appointments, service_types, surveys


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a visit. ``answered_by`` is `Actor.signed`; once ``read_at`` is set it stands as it is."""

    appointment_id: str
    stars: int
    comment: str | None
    answered_by: str
    answered_at: datetime
    changed_at: datetime
    read_at: datetime | None = None
    read_by: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A survey beside what it is about, as staff list them."""

    survey: Survey
    booking_id: str
    service: str
    technician_id: str | None


_SURVEY = [surveys.c[name] for name in Survey.__struct_fields__]
_ABOUT = [appointments.c.booking_id, appointments.c.technician_id, service_types.c.name.label("service")]


async def of_appointment(tx: Transaction, appointment: str) -> Survey | None:
    """What was said of a visit."""
    return await tx.one(select(*_SURVEY).where(surveys.c.appointment_id == appointment), Survey)


async def of_appointments(tx: Transaction, ids: Collection[str]) -> dict[str, Survey]:
    """What was said of some visits, by appointment."""
    found = await tx.all(select(*_SURVEY).where(surveys.c.appointment_id.in_(ids)), Survey)
    return {one.appointment_id: one for one in found}


async def keep(tx: Transaction, survey: Survey) -> None:
    """Keep an answer; one that is there is changed. The appointment's row must be locked."""
    values = msgspec.structs.asdict(survey)
    new = {name: values[name] for name in ("stars", "comment", "answered_by", "changed_at")}
    await tx.change(tx.insert(surveys).values(values).on_conflict_do_update(index_elements=["appointment_id"], set_=new))


async def mark_read(tx: Transaction, appointment: str, who: str, now: datetime) -> bool:
    """From now on it stands; False if it was read before. The appointment's row must be locked."""
    unread = (surveys.c.appointment_id == appointment) & surveys.c.read_at.is_(None)
    return await tx.change(update(surveys).where(unread).values(read_at=now, read_by=who)) == 1


async def between(tx: Transaction, start: datetime, end: datetime) -> list[Result]:
    """The surveys first answered with start ≤ moment < end, the newest first."""
    within = (surveys.c.answered_at >= start) & (surveys.c.answered_at < end)
    joined = select(*_SURVEY, *_ABOUT).join_from(surveys, appointments).join(service_types)
    rows = await tx.rows(joined.where(within).order_by(surveys.c.answered_at.desc(), surveys.c.appointment_id))
    return [
        Result(
            survey=Survey(**{name: row[name] for name in Survey.__struct_fields__}),
            **{name: row[name] for name in ("booking_id", "service", "technician_id")},
        )
        for row in rows
    ]
