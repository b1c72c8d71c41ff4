"""What viewers were told, from Redis into the records: so that a trip can be replayed with what the customer saw when (D6)."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import structlog

from tracker.actions.house import House
from tracker.actions.loops import every
from tracker.actions.trip.trails import HARD_LIMIT_DAYS, PURGE_S
from tracker.live import frames
from tracker.live.streams import Entry, Stream
from tracker.records import events
from tracker.records.events import Told

DRAIN_S = 2.0
MOST_PER_BUCKET, MOST_ROWS = 200, 500

log = structlog.get_logger()


async def drain(house: House, stop: asyncio.Event) -> None:
    """Move what was told into SQL until told to stop."""
    stream = Stream(house.positions.client, "told")

    async def turn() -> None:
        while await drain_once(house, stream) and not stop.is_set():
            pass

    await every("drain_told", DRAIN_S, stop, turn)


async def drain_once(house: House, stream: Stream) -> int:
    """Move what is there; how many entries went. Dropped from Redis only after the commit; twice changes nothing."""
    entries, marks = await stream.read(MOST_PER_BUCKET)
    rows = [row for row in map(told_of, entries) if row is not None]
    for start in range(0, len(rows), MOST_ROWS):
        async with house.db.transaction() as tx:
            await events.insert_told(tx, rows[start : start + MOST_ROWS])
    if marks:
        await stream.trim(marks)
    return len(entries)


def told_of(entry: Entry) -> Told | None:
    """One entry of the stream. One that cannot be read is left out: it must not hold up all others."""
    try:
        said = frames.read(entry[b"w"])
        position, eta = _value(said.p), _value(said.e)
        told = {"state": said.s, "position": position, "eta": eta, "ended": said.ended or None}
        at = said.at if said.at is not None else str((position or {})["contact_at"])
        return Told(
            appointment_id=entry[b"a"].decode(),
            epoch=said.ep,
            offset=said.o,
            at=datetime.fromisoformat(at),
            what={name: value for name, value in told.items() if value is not None},
        )
    except (KeyError, ValueError, TypeError, msgspec.DecodeError) as error:
        log.error("unreadable_told", reason=type(error).__name__)
        return None


def _value(raw: msgspec.Raw) -> dict[str, object] | None:
    return msgspec.json.decode(raw, type=dict[str, object] | None) if bytes(raw) else None


async def purge(house: House, stop: asyncio.Event) -> None:
    """Remove what is too old, every ten minutes until told to stop: shown positions live no longer than raw points (P5)."""

    async def turn() -> None:
        days = min(house.settings.now.points_days, HARD_LIMIT_DAYS)
        async with house.db.transaction() as tx:
            await events.purge_told(tx, house.clock() - timedelta(days=days))

    await every("purge_told", PURGE_S, stop, turn)
