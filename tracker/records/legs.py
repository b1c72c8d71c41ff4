"""Legs: each stretch of being on the way to one appointment; a technician has at most one open."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import select, update

from tracker.domain.geo import Point
from tracker.records.database import Transaction
from tracker.records.schema import legs


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch. No fix older than ``started_at`` is ever shown; at ``hides_at`` the leg ends by itself."""

    id: str
    appointment_id: str
    technician_id: str
    started_at: datetime
    hides_at: datetime
    device_id: str | None = None
    origin_lat: float | None = None
    origin_lon: float | None = None
    planned_s: int | None = None
    ended_at: datetime | None = None
    arriving_at: datetime | None = None  # noticed by position (T5); None again if it drove on
    end_reason: str | None = None

    @property
    def origin(self) -> Point | None:
        """Where it began, if known: the cloak stands round it."""
        return None if self.origin_lat is None or self.origin_lon is None else Point(self.origin_lat, self.origin_lon)


_LEG = [legs.c[name] for name in Leg.__struct_fields__]


async def add(tx: Transaction, leg: Leg) -> None:
    """Begin a leg; a second open one raises ConstraintViolated("uq_legs_one_open")."""
    await tx.change(legs.insert().values(msgspec.structs.asdict(leg)))


async def by_id(tx: Transaction, leg: str) -> Leg | None:
    """One leg, open or ended."""
    return await tx.one(select(*_LEG).where(legs.c.id == leg), Leg)


async def of_ids(tx: Transaction, ids: Iterable[str]) -> list[Leg]:
    """Those of them that there are, open or ended."""
    return await tx.all(select(*_LEG).where(legs.c.id.in_(list(ids))), Leg)


async def open_of(tx: Transaction, technician: str) -> Leg | None:
    """The technician's open leg."""
    return await tx.one(select(*_LEG).where(legs.c.technician_id == technician, legs.c.ended_at.is_(None)), Leg)


async def of_appointment(tx: Transaction, appointment: str) -> list[Leg]:
    """All legs of an appointment, the first first."""
    return await tx.all(select(*_LEG).where(legs.c.appointment_id == appointment).order_by(legs.c.started_at), Leg)


async def end(tx: Transaction, leg: str, now: datetime, reason: str) -> bool:
    """End a leg; False if it had ended before."""
    which = (legs.c.id == leg) & legs.c.ended_at.is_(None)
    return await tx.change(update(legs).where(which).values(ended_at=now, end_reason=reason)) == 1


async def notice(tx: Transaction, leg: str, now: datetime) -> bool:
    """Its technician is arriving; False if that was noticed before, or the leg has ended."""
    which = (legs.c.id == leg) & legs.c.ended_at.is_(None) & legs.c.arriving_at.is_(None)
    return await tx.change(update(legs).where(which).values(arriving_at=now)) == 1


async def take_back(tx: Transaction, leg: str) -> bool:
    """Its technician drove on; False if nothing had been noticed."""
    which = (legs.c.id == leg) & legs.c.ended_at.is_(None) & legs.c.arriving_at.is_not(None)
    return await tx.change(update(legs).where(which).values(arriving_at=None)) == 1


async def last_end(tx: Transaction, technician: str) -> datetime | None:
    """When the technician's last leg ended."""
    query = select(legs.c.ended_at).where(legs.c.technician_id == technician, legs.c.ended_at.is_not(None))
    row = await tx.row(query.order_by(legs.c.ended_at.desc()).limit(1))
    return row["ended_at"] if row else None


async def all_open(tx: Transaction) -> list[Leg]:
    """Every open leg."""
    return await tx.all(select(*_LEG).where(legs.c.ended_at.is_(None)).order_by(legs.c.started_at), Leg)


async def overdue(tx: Transaction, now: datetime) -> list[Leg]:
    """Open legs that must end by themselves now."""
    return await tx.all(select(*_LEG).where(legs.c.ended_at.is_(None), legs.c.hides_at <= now), Leg)
