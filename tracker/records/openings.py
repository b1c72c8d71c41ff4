"""Who works at some hours, and what lies in the way of more work: rows of many technicians, without their whole diaries."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Float, bindparam, func, select, union_all

from tracker.domain.appointments import State
from tracker.domain.cells import epoch_s, moment
from tracker.domain.duty import WeekHours
from tracker.domain.shifts import Span
from tracker.records.database import Transaction
from tracker.records.prepared import Prepared
from tracker.records.promises import REACH
from tracker.records.schema import Instant, absences, appointments, holds, technician_hours

ROUNDED_S = 1
"""Differences of moments are not exact on SQLite."""


async def working(tx: Transaction, patterns: Collection[WeekHours]) -> dict[str, list[WeekHours]]:
    """Technicians with any of these weekly hours (who may not be active), and which of them."""
    if not patterns:
        return {}
    h = technician_hours.c
    starts, ends = [one.starts for one in patterns], [one.ends for one in patterns]
    bounds = h.starts.between(min(starts), max(starts)) & h.ends.between(min(ends), max(ends))
    which = h.weekday.in_({one.weekday for one in patterns}) & bounds
    found: dict[str, list[WeekHours]] = {}
    for technician, *row in await tx.tuples(select(h.technician_id, h.weekday, h.starts, h.ends).where(which)):
        if (hours := WeekHours(*row)) in patterns:
            found.setdefault(technician, []).append(hours)
    return found


async def taken(
    tx: Transaction, technicians: Collection[str], start: int, end: int, now: datetime, but: Iterable[str] = ()
) -> dict[str, list[Span]]:
    """Work to come, living holds and absences of these technicians that lie upon a stretch (seconds since the epoch).

    ``but``: ids of appointments and holds that are to count as not there.
    """
    found: dict[str, list[Span]] = {}
    values = {"technicians": list(technicians), "since": moment(start) - REACH, "start": moment(start), "end": moment(end)}
    for id, technician, starts_at, ends_at in await tx.tuples(_TAKEN, values | {"now": now}):
        if id not in but:
            found.setdefault(technician, []).append(Span(epoch_s(starts_at), epoch_s(ends_at)))
    return found


async def full(
    tx: Transaction, technicians: Collection[str], start: int, end: int, lasts_s: int, but: Iterable[str] = ()
) -> set[str]:
    """Those of these technicians whose visits leave no gap of so many seconds between two moments, whatever the travel.

    The database finds that out: of a company that is booked out thousands of rows need not be read. A bound: holds and
    absences are not looked at, and of two visits upon each other only the one that begins later.
    """
    values = {"technicians": list(technicians), "since": moment(start) - REACH, "start": moment(start), "end": moment(end)}
    rows = await tx.tuples(_FULL[tx.sqlite], values | {"but": list(but), "least": lasts_s - ROUNDED_S})
    return {technician for (technician,) in rows}


def _busy() -> Any:
    """What lies upon a stretch: id, technician, from when until when."""
    technicians: Any = bindparam("technicians", expanding=True)
    since, start, end, now = (bindparam(name, type_=Instant) for name in ("since", "start", "end", "now"))
    a, h, away = appointments.c, holds.c, absences.c
    visits = a.technician_id.in_(technicians) & a.arrival_at.between(since, end) & (a.ends_at > start)
    held = h.technician_id.in_(technicians) & (h.arrival_at < end) & (h.ends_at > start) & (h.expires_at > now)
    absent = away.technician_id.in_(technicians) & (away.starts_at < end) & (away.ends_at > start)
    return union_all(
        select(a.id, a.technician_id, a.arrival_at, a.ends_at).where(visits, a.state == State.SCHEDULED),
        select(h.id, h.technician_id, h.arrival_at, h.ends_at).where(held),
        select(away.id, away.technician_id, away.starts_at, away.ends_at).where(absent),
    )


def _full(seconds: Callable[[Any, Any], Any]) -> Prepared:
    """``seconds``: how this database says what lies between two moments."""
    technicians: Any = bindparam("technicians", expanding=True)
    since, start, end = (bindparam(name, type_=Instant) for name in ("since", "start", "end"))
    a, least = appointments.c, bindparam("least", type_=Float)
    visits = a.technician_id.in_(technicians) & a.arrival_at.between(since, end) & (a.ends_at > start)
    visits &= (a.state == State.SCHEDULED) & a.id.not_in(bindparam("but", expanding=True))
    earlier = func.lag(a.ends_at, type_=Instant).over(partition_by=a.technician_id, order_by=a.arrival_at)
    gap = seconds(a.arrival_at, func.coalesce(earlier, start, type_=Instant)).label("gap")
    gaps = select(a.technician_id, gap, a.ends_at).where(visits).subquery().c
    none = (func.max(gaps.gap) < least) & (seconds(end, func.max(gaps.ends_at, type_=Instant)) < least)
    return Prepared(select(gaps.technician_id).group_by(gaps.technician_id).having(none), lists=("technicians", "but"))


_TAKEN = Prepared(_busy(), lists=("technicians",))
_FULL = {
    True: _full(lambda later, earlier: (func.julianday(later) - func.julianday(earlier)) * 86400.0),
    False: _full(lambda later, earlier: func.extract("epoch", later - earlier)),
}
"""On SQLite, and not."""
