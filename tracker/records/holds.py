"""Holds: a chosen time kept for a person who is filling in the form, one a session."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update

from tracker.domain.geo import Point
from tracker.records.database import Transaction
from tracker.records.schema import holds, promised_cells


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A technician's time from ``arrival_at − travel_s`` to ``ends_at``, kept until ``expires_at``."""

    id: str
    session_id: str
    technician_id: str
    account_id: str
    service_type_id: str
    arrival_at: datetime
    ends_at: datetime
    lat: float
    lon: float
    travel_s: int
    travel_m: int
    travel_source: str
    chosen: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    extended: bool = False

    @property
    def place(self) -> Point:
        """Where the work would be."""
        return Point(self.lat, self.lon)


_HOLD = [holds.c[name] for name in Hold.__struct_fields__]


async def of_session(tx: Transaction, session: str) -> Hold | None:
    """The session's hold, expired or not."""
    return await tx.one(select(*_HOLD).where(holds.c.session_id == session), Hold)


async def others_of(tx: Transaction, account: str, session: str, now: datetime) -> int:
    """How many times other sessions hold for an account now."""
    living = (holds.c.account_id == account) & (holds.c.session_id != session) & (holds.c.expires_at > now)
    return int(await tx.value(select(func.count()).select_from(holds).where(living)) or 0)


async def expired(tx: Transaction, now: datetime, technician: str | None = None) -> list[Hold]:
    """Holds that have ended (of one technician), the oldest first."""
    which = holds.c.expires_at <= now
    if technician is not None:
        which &= holds.c.technician_id == technician
    return await tx.all(select(*_HOLD).where(which).order_by(holds.c.expires_at), Hold)


async def add(tx: Transaction, hold: Hold) -> None:
    """A new hold, without its cells yet."""
    await tx.change(holds.insert().values(msgspec.structs.asdict(hold)))


async def extend(tx: Transaction, hold: Hold, expires_at: datetime) -> None:
    """Keep it longer, once."""
    await tx.change(update(holds).where(holds.c.id == hold.id).values(expires_at=expires_at, extended=True))


async def remove(tx: Transaction, hold: str) -> None:
    """Away with it and the cells it still has."""
    await tx.change(delete(promised_cells).where(promised_cells.c.hold_id == hold))
    await tx.change(delete(holds).where(holds.c.id == hold))
