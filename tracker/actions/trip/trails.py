"""Points on their way from Redis into the records, and out of them again when their days are over."""

import asyncio
from datetime import timedelta

import msgspec
import structlog

from tracker.actions.house import House
from tracker.actions.loops import every
from tracker.live.gate import moment
from tracker.live.streams import Entry, Stream
from tracker.records.points import TrackPoint, insert_points, purge_before

DRAIN_S = 1.0
PURGE_S = 600.0
MOST_PER_BUCKET, MOST_ROWS = 200, 2_000
HARD_LIMIT_DAYS = 60
"""Whatever the setting says, no raw point gets older (P5)."""

log = structlog.get_logger()


async def drain(house: House, stop: asyncio.Event) -> None:
    """Move points into SQL every second until told to stop."""
    stream = Stream(house.positions.client, "trail")

    async def turn() -> None:
        while await drain_once(house, stream) and not stop.is_set():
            pass

    await every("drain_trail", DRAIN_S, stop, turn)


async def drain_once(house: House, stream: Stream) -> int:
    """Move what is there, at most some thousand points; how many entries went.

    Nothing is dropped from Redis before the commit. Killed in between, the same points come again, and the records' own
    keys (device, boot, seq; or device, fix time, place) let each in once.
    """
    entries, marks = await stream.read(MOST_PER_BUCKET)
    rows = [row for entry in entries for row in points_of(entry)]
    for start in range(0, len(rows), MOST_ROWS):
        async with house.db.transaction() as tx:
            await insert_points(tx, rows[start : start + MOST_ROWS])
    if marks:
        await stream.trim(marks)
    return len(entries)


def points_of(entry: Entry) -> list[TrackPoint]:
    """The points of one entry of the trail. One that cannot be read is left out: it must not hold up all others."""
    try:
        technician, device, leg = (entry[name].decode() for name in (b"t", b"d", b"l"))
        since, received_at = int(entry[b"s"]), moment(int(entry[b"r"]))
        lines = [msgspec.json.decode(line) for line in entry[b"p"].splitlines()]
        return [
            TrackPoint(
                technician_id=technician,
                device_id=device,
                fix_at=moment(at),
                received_at=received_at,
                lat=lat,
                lon=lon,
                boot=boot,
                seq=seq,
                acc=acc,
                speed=speed,
                course=course,
                battery=battery,
                leg_id=leg if leg and at > since else None,
            )
            for at, lat, lon, acc, speed, course, battery, boot, seq in lines
        ]
    except (KeyError, ValueError, TypeError) as error:
        log.error("unreadable_trail", reason=type(error).__name__)
        return []


async def purge(house: House, stop: asyncio.Event) -> None:
    """Remove points that are too old, every ten minutes until told to stop."""

    async def turn() -> None:
        while await purge_once(house) and not stop.is_set():
            pass

    await every("purge_points", PURGE_S, stop, turn)


async def purge_once(house: House) -> int:
    """Remove a part of what is too old; how many points went (0: none are left)."""
    days = min(house.settings.now.points_days, HARD_LIMIT_DAYS)
    async with house.db.transaction() as tx:
        return await purge_before(tx, house.clock() - timedelta(days=days))
