"""Who can be sent: technicians with all skills, for a place and an account, and what their days are made of."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Float, and_, bindparam, exists, func, literal, or_, select, union_all

from tracker.domain.cells import epoch_s
from tracker.domain.duty import WeekHours
from tracker.domain.geo import Point
from tracker.domain.shifts import Span
from tracker.records.database import Transaction
from tracker.records.prepared import Prepared
from tracker.records.schema import (
    absences,
    account_technicians,
    appointments,
    closed_days,
    service_type_skills,
    technician_breaks,
    technician_hours,
    technician_skills,
    technician_territories,
    technicians,
    territories,
)

METRES_PER_DEGREE = 111_000.0


class Needed(NamedTuple):
    """What a technician must have: the skills, one of these territories (or none at all), and the account's consent."""

    skills: tuple[str, ...]
    territories: tuple[str, ...]
    never: tuple[str, ...]
    only: tuple[str, ...]


class Person(NamedTuple):
    """A technician who qualifies, with the home base if it is known."""

    id: str
    home: Point | None
    zone: str


class Box(NamedTuple):
    """A rectangle of the globe in degrees; ``west`` > ``east`` where it crosses the date line."""

    south: float
    west: float
    north: float
    east: float

    def holds(self, lat: Any, lon: Any) -> Any:
        """The condition that two columns lie in it."""
        across = lon.between(self.west, self.east) if self.west <= self.east else or_(lon >= self.west, lon <= self.east)
        return and_(lat.between(self.south, self.north), across)


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """A technician's weekly hours and breaks, and the absences within some days."""

    zone: str
    home: Point | None
    hours: tuple[WeekHours, ...] = ()
    breaks: tuple[WeekHours, ...] = ()
    away: tuple[Span, ...] = ()


class Demands(NamedTuple):
    """What account, service and place ask of a technician; a territory with its version."""

    never: tuple[str, ...]
    only: tuple[str, ...]
    skills: tuple[str, ...]
    territories: tuple[tuple[str, int], ...]


async def demands(tx: Transaction, account: str, service: str, place: Point) -> Demands:
    """The account's rules, the service's skills, and the active territories whose box holds the place (the area may not)."""
    rows = await tx.tuples(_DEMANDS, {"account": account, "service": service, "lat": place.lat, "lon": place.lon})
    found = sorted(tuple(row) for row in rows)
    named = {kind: tuple(row[1] for row in found if row[0] == kind) for kind in ("never", "only", "skill")}
    near = tuple((row[1], row[2]) for row in found if row[0] == "territory")
    return Demands(named["never"], named["only"], named["skill"], near)


def _demands() -> Prepared:
    rule, skill, t = account_technicians.c, service_type_skills.c, territories.c
    lat, lon = bindparam("lat", type_=Float), bindparam("lon", type_=Float)
    inside = (t.south <= lat) & (t.north >= lat) & (t.west <= lon) & (t.east >= lon) & t.active
    none = literal(0)
    asked = union_all(
        select(rule.rule, rule.technician_id, none).where(rule.account_id == bindparam("account")),
        select(literal("skill"), skill.skill_id, none).where(skill.service_type_id == bindparam("service")),
        select(literal("territory"), t.id, t.version).where(inside),
    )
    return Prepared(asked)


_DEMANDS = _demands()


async def area_of(tx: Transaction, territory: str) -> dict[str, Any] | None:
    """A territory's area as GeoJSON."""
    area: dict[str, Any] | None = await tx.value(select(territories.c.area).where(territories.c.id == territory))
    return area


def _qualified(needed: Needed) -> Any:
    mine, t = technician_territories.c, technicians.c
    somewhere = exists().where(mine.technician_id == t.id)
    which = t.active & (~somewhere | exists().where(mine.technician_id == t.id, mine.territory_id.in_(needed.territories)))
    if needed.skills:
        skill = technician_skills.c
        has = select(func.count()).where(skill.technician_id == t.id, skill.skill_id.in_(needed.skills)).scalar_subquery()
        which &= has == len(needed.skills)
    if needed.never:
        which &= t.id.not_in(needed.never)
    if needed.only:
        which &= t.id.in_(needed.only)
    return which


async def qualified(
    tx: Transaction, needed: Needed, *, box: Box | None = None, ids: Collection[str] | None = None
) -> list[Person]:
    """Active technicians who may be sent: with their home in a box, or among some ids; else all of them."""
    t = technicians.c
    which = _qualified(needed)
    if box is not None:
        which &= box.holds(t.home_lat, t.home_lon)
    if ids is not None:
        which &= t.id.in_(list(ids))
    rows = await tx.tuples(select(t.id, t.home_lat, t.home_lon, t.zone).where(which))
    return [_person(*row) for row in rows]


async def visiting(tx: Transaction, box: Box, since: datetime, until: datetime) -> set[str]:
    """Technicians with an appointment in a box whose promised arrival lies between two moments."""
    a = appointments.c
    which = a.arrival_at.between(since, until) & box.holds(a.lat, a.lon) & a.technician_id.is_not(None)
    return {row[0] for row in await tx.tuples(select(a.technician_id).where(which).distinct())}


async def how_many(tx: Transaction) -> int:
    """Active technicians."""
    return int(await tx.value(select(func.count()).select_from(technicians).where(technicians.c.active)))


async def patterns(tx: Transaction) -> tuple[frozenset[WeekHours], frozenset[str]]:
    """Every stretch of weekly hours that anybody works, and every zone anybody works in: a bound for searches."""
    columns = [technician_hours.c[name] for name in WeekHours._fields]
    hours = frozenset(WeekHours(*row) for row in await tx.tuples(select(*columns).distinct()))
    zones = await tx.tuples(select(technicians.c.zone).where(technicians.c.active).distinct())
    return hours, frozenset(row[0] for row in zones)


async def weeks(tx: Transaction, people: Collection[Person], since: datetime) -> dict[str, Week]:
    """Hours, breaks and the absences that end after a moment of these technicians."""
    ids = [person.id for person in people]
    weekly = await _weekly(tx, ids)
    away: dict[str, list[Span]] = {}
    a = absences.c
    which = a.technician_id.in_(ids) & (a.ends_at > since)
    for technician, starts_at, ends_at in await tx.tuples(select(a.technician_id, a.starts_at, a.ends_at).where(which)):
        away.setdefault(technician, []).append(Span(epoch_s(starts_at), epoch_s(ends_at)))
    return {
        person.id: Week(
            zone=person.zone,
            home=person.home,
            hours=tuple(weekly.get((person.id, "hours"), ())),
            breaks=tuple(weekly.get((person.id, "breaks"), ())),
            away=tuple(away.get(person.id, ())),
        )
        for person in people
    }


async def _weekly(tx: Transaction, ids: list[str]) -> dict[tuple[str, str], list[WeekHours]]:
    """By technician and kind (``hours``, ``breaks``)."""
    columns = ("technician_id", *WeekHours._fields)
    parts = [
        select(literal(kind), *(table.c[name] for name in columns)).where(table.c.technician_id.in_(ids))
        for kind, table in (("hours", technician_hours), ("breaks", technician_breaks))
    ]
    found: dict[tuple[str, str], list[WeekHours]] = {}
    for kind, technician, *row in await tx.tuples(union_all(*parts)):
        found.setdefault((technician, kind), []).append(WeekHours(*row))
    return {key: sorted(rows) for key, rows in found.items()}


async def closed(tx: Transaction, first: date, last: date) -> frozenset[date]:
    """The company's own closed days within some days."""
    return frozenset(row[0] for row in await tx.tuples(select(closed_days.c.day).where(closed_days.c.day.between(first, last))))


async def person(tx: Transaction, technician: str) -> Person | None:
    """A technician, qualified or not: what staff may override."""
    t = technicians.c
    rows = await tx.tuples(select(t.id, t.home_lat, t.home_lon, t.zone).where(t.id == technician))
    return next((_person(*row) for row in rows), None)


def _person(technician: str, lat: float | None, lon: float | None, zone: str) -> Person:
    return Person(technician, None if lat is None or lon is None else Point(lat, lon), zone)
