"""Technicians as staff plan with them: who they are, their week, skills and territories, and when they are away."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, or_, select, update

from tracker.domain.appointments import State
from tracker.domain.duty import WeekHours
from tracker.records import pairs
from tracker.records.database import Transaction
from tracker.records.schema import absences, appointments, technician_breaks, technician_hours, technicians

_SKILLS = ("technician_skills", "technician_id", "skill_id")
_TERRITORIES = ("technician_territories", "technician_id", "territory_id")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A technician with all that staff say of them. Without a territory they serve everywhere."""

    id: str
    name: str
    zone: str
    title: str | None = None
    vehicle: str | None = None
    plate: str | None = None
    phone: str | None = None
    home_lat: float | None = None
    home_lon: float | None = None
    active: bool = True
    skills: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    hours: tuple[WeekHours, ...] = ()
    breaks: tuple[WeekHours, ...] = ()


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which a technician does not work."""

    id: str
    technician_id: str
    starts_at: datetime
    ends_at: datetime
    reason: str | None = None


_COLUMNS = [technicians.c[name] for name in Member.__struct_fields__ if name in technicians.c]
_ABSENCE = [absences.c[name] for name in Absence.__struct_fields__]


async def find(tx: Transaction, text: str = "", most: int = 100, after: str = "") -> list[Member]:
    """Technicians, active or not, by name; those with ``text`` in it, behind the one with the id ``after``."""
    t, name = technicians.c, func.lower(technicians.c.name)
    query = select(*_COLUMNS).order_by(name, t.id).limit(most)
    if text:
        query = query.where(name.contains(text.lower(), autoescape=True))
    if after:
        last = select(name).where(t.id == after).scalar_subquery()
        query = query.where(or_(name > last, (name == last) & (t.id > after)))
    return await _whole(tx, await tx.rows(query))


async def by_id(tx: Transaction, technician: str, *, lock: bool = False) -> Member | None:
    """One technician; ``lock``: the row until the transaction ends."""
    query = select(*_COLUMNS).where(technicians.c.id == technician)
    found = await _whole(tx, await tx.rows(query.with_for_update() if lock else query))
    return found[0] if found else None


async def _whole(tx: Transaction, rows: Sequence[Any]) -> list[Member]:
    ids = [row["id"] for row in rows]
    skilled, serving = await pairs.of(tx, *_SKILLS, ids), await pairs.of(tx, *_TERRITORIES, ids)
    hours, breaks = await _weekly(tx, technician_hours, ids), await _weekly(tx, technician_breaks, ids)
    return [
        Member(
            **row,
            skills=skilled.get(row["id"], ()),
            territories=serving.get(row["id"], ()),
            hours=tuple(hours.get(row["id"], ())),
            breaks=tuple(breaks.get(row["id"], ())),
        )
        for row in rows
    ]


async def _weekly(tx: Transaction, table: Any, ids: list[str]) -> dict[str, list[WeekHours]]:
    columns = [table.c[name] for name in ("technician_id", *WeekHours._fields)]
    found: dict[str, list[WeekHours]] = {}
    for technician, *row in await tx.tuples(select(*columns).where(columns[0].in_(ids)).order_by(*columns)):
        found.setdefault(technician, []).append(WeekHours(*row))
    return found


async def add(tx: Transaction, member: Member) -> None:
    """A new technician."""
    await tx.change(technicians.insert().values(_values(member)))
    await _belongings(tx, member)


async def replace(tx: Transaction, member: Member) -> None:
    """The technician is this from now on."""
    await tx.change(update(technicians).where(technicians.c.id == member.id).values(_values(member)))
    await _belongings(tx, member)


async def _belongings(tx: Transaction, member: Member) -> None:
    await pairs.replace(tx, *_SKILLS, member.id, member.skills)
    await pairs.replace(tx, *_TERRITORIES, member.id, member.territories)
    for table, weekly in ((technician_hours, member.hours), (technician_breaks, member.breaks)):
        await _set_weekly(tx, table, member.id, weekly)


async def _set_weekly(tx: Transaction, table: Any, technician: str, weekly: Iterable[WeekHours]) -> None:
    await tx.change(delete(table).where(table.c.technician_id == technician))
    rows = [{"technician_id": technician, **each._asdict()} for each in weekly]
    if rows:
        await tx.change(table.insert(), rows)


def _values(member: Member) -> dict[str, Any]:
    return {column.name: getattr(member, column.name) for column in _COLUMNS}


# -- what is promised, and when they are away --------------------------------------------------------------------------


async def under_way(tx: Transaction, technician: str) -> bool:
    """Whether a visit of theirs is on the way or being worked on."""
    a = appointments.c
    which = (a.technician_id == technician) & a.state.in_([State.TRAVELING, State.IN_PROGRESS])
    return await tx.value(select(a.id).where(which).limit(1)) is not None


async def promised(tx: Transaction, technician: str, start: datetime, end: datetime | None = None) -> list[str]:
    """The scheduled visits of theirs that end after ``start`` and begin before ``end``, by arrival."""
    a = appointments.c
    which = (a.technician_id == technician) & (a.state == State.SCHEDULED) & (a.ends_at > start)
    which &= a.arrival_at < end if end is not None else True
    return [row[0] for row in await tx.tuples(select(a.id).where(which).order_by(a.arrival_at))]


async def absences_of(tx: Transaction, technician: str, since: datetime) -> list[Absence]:
    """Their absences that end after a moment, by start."""
    which = (absences.c.technician_id == technician) & (absences.c.ends_at > since)
    return await tx.all(select(*_ABSENCE).where(which).order_by(absences.c.starts_at, absences.c.id), Absence)


async def away_then(tx: Transaction, technician: str, start: datetime, end: datetime) -> Absence | None:
    """The first of their absences that lies upon a stretch, if any does."""
    which = (absences.c.technician_id == technician) & (absences.c.ends_at > start) & (absences.c.starts_at < end)
    return await tx.one(select(*_ABSENCE).where(which).order_by(absences.c.starts_at).limit(1), Absence)


async def absence(tx: Transaction, absence: str) -> Absence | None:
    """One absence."""
    return await tx.one(select(*_ABSENCE).where(absences.c.id == absence), Absence)


async def add_absence(tx: Transaction, absence: Absence) -> None:
    """They are away then."""
    await tx.change(absences.insert().values(msgspec.structs.asdict(absence)))


async def remove_absence(tx: Transaction, absence: str) -> bool:
    """They are there after all; False if that was said before."""
    return await tx.change(delete(absences).where(absences.c.id == absence)) == 1
