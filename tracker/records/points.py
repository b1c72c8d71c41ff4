"""The track: raw points as the phones sent them, kept for days and then purged."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, select

from tracker.records.database import Transaction
from tracker.records.schema import points


class TrackPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One stored fix, in SI units. ``boot`` and ``seq`` are None for stock apps: fix time and place tell those apart."""

    technician_id: str
    device_id: str
    fix_at: datetime
    received_at: datetime
    lat: float
    lon: float
    boot: str | None = None
    seq: int | None = None
    acc: float | None = None
    speed: float | None = None
    course: float | None = None
    battery: float | None = None
    leg_id: str | None = None


_POINT = [points.c[name] for name in TrackPoint.__struct_fields__]


async def insert_points(tx: Transaction, rows: Sequence[TrackPoint]) -> None:
    """Keep a batch; a point that is there already (device, boot, seq, or device, fix time, place) changes nothing."""
    if rows:
        await tx.change(tx.insert(points).on_conflict_do_nothing(), [msgspec.structs.asdict(row) for row in rows])


async def of_technician(tx: Transaction, technician: str, start: datetime, end: datetime) -> list[TrackPoint]:
    """A technician's points with start ≤ fix time < end, in order of fix time."""
    within = (points.c.technician_id == technician) & (points.c.fix_at >= start) & (points.c.fix_at < end)
    return await tx.all(select(*_POINT).where(within).order_by(points.c.fix_at, points.c.id), TrackPoint)


async def of_leg(tx: Transaction, leg: str) -> list[TrackPoint]:
    """The points of one leg, in order of fix time."""
    return await tx.all(select(*_POINT).where(points.c.leg_id == leg).order_by(points.c.fix_at, points.c.id), TrackPoint)


async def purge_before(tx: Transaction, moment: datetime, most: int = 10_000) -> int:
    """Remove points whose fix is older than a moment, at most ``most`` a call (no long write lock); how many went."""
    old = select(points.c.id).where(points.c.fix_at < moment).order_by(points.c.fix_at).limit(most)
    return await tx.change(delete(points).where(points.c.id.in_(old)))


async def forget(tx: Transaction, technician: str) -> int:
    """Remove every point of a technician (deleting a person removes their points everywhere); how many."""
    return await tx.change(delete(points).where(points.c.technician_id == technician))
