"""The plan by which a time is promised, as it is in the transaction that promises it: a technician's week and the closed days."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Date, Float, Integer, String, bindparam, cast, literal, null, select, union_all

from tracker.domain.cells import epoch_s, moment
from tracker.domain.duty import WeekHours
from tracker.domain.geo import Point
from tracker.domain.shifts import Span
from tracker.records.crew import Week
from tracker.records.prepared import Prepared, Values
from tracker.records.promises import REACH
from tracker.records.schema import (
    Instant,
    absences,
    closed_days,
    settings,
    technician_breaks,
    technician_hours,
    technicians,
)
from tracker.records.settings import holidays_of

ROUND = timedelta(days=3)
"""So far round a stretch closed days may say something of it, whatever the zone."""


class Plan(NamedTuple):
    """A technician's week, the company's own closed days round a stretch, and the region of the public holidays."""

    week: Week
    closed: frozenset[date]
    region: str


def asked(technician: str, start: int, end: int) -> tuple[Prepared, Values]:
    """The question for the plan of a technician round a stretch (seconds since the epoch): all of it in one statement."""
    days = {"first": (moment(start) - ROUND).date(), "last": (moment(end) + ROUND).date()}
    return _PLAN, {"technician": technician, "since": moment(start) - REACH, "until": moment(end) + REACH, **days}


def answered(rows: Sequence[tuple[Any, ...]]) -> Plan | None:
    """What was answered; None: the technician is not in use."""
    of: dict[str, list[tuple[Any, ...]]] = {}
    for kind, *row in rows:
        of.setdefault(kind, []).append(tuple(row))
    if "person" not in of:
        return None
    _, _, _, lat, lon, _, _, zone = of["person"][0]
    week = Week(
        zone=zone,
        home=None if lat is None or lon is None else Point(lat, lon),
        hours=tuple(sorted(WeekHours(*row[:3]) for row in of.get("hours", ()))),
        breaks=tuple(sorted(WeekHours(*row[:3]) for row in of.get("breaks", ()))),
        away=tuple(Span(epoch_s(row[5]), epoch_s(row[6])) for row in of.get("away", ())),
    )
    closed = frozenset(date.fromisoformat(row[7]) for row in of.get("closed", ()))
    return Plan(week, closed, next((holidays_of(json.loads(row[7])) for row in of.get("holidays", ())), ""))


def _plan() -> Prepared:
    technician: Any = bindparam("technician")
    since, until = bindparam("since", type_=Instant), bindparam("until", type_=Instant)
    t, away = technicians.c, absences.c
    no_hours = [cast(null(), Integer)] * 3
    nowhere = [cast(null(), Float)] * 2
    never = [cast(null(), Instant)] * 2
    no_word = cast(null(), String)
    weekly = [
        select(literal(kind), table.c.weekday, table.c.starts, table.c.ends, *nowhere, *never, no_word).where(
            table.c.technician_id == technician
        )
        for kind, table in (("hours", technician_hours), ("breaks", technician_breaks))
    ]
    meanwhile = (away.technician_id == technician) & (away.ends_at > since) & (away.starts_at < until)
    closed = closed_days.c.day.between(bindparam("first", type_=Date), bindparam("last", type_=Date))
    return Prepared(
        union_all(
            *weekly,
            select(literal("person"), *no_hours, t.home_lat, t.home_lon, *never, t.zone).where(t.id == technician, t.active),
            select(literal("away"), *no_hours, *nowhere, away.starts_at, away.ends_at, no_word).where(meanwhile),
            select(literal("closed"), *no_hours, *nowhere, *never, cast(closed_days.c.day, String)).where(closed),
            select(literal("holidays"), *no_hours, *nowhere, *never, cast(settings.c.value, String)).where(
                settings.c.key == "holidays"
            ),
        )
    )


_PLAN = _plan()
