"""Delays before anybody has set off (E5): predicted from each technician's day so far, told once, taken back if it mends."""

import asyncio
from collections import defaultdict
from datetime import timedelta

import structlog

from tracker.actions.house import House
from tracker.actions.letters import informing
from tracker.actions.loops import every
from tracker.domain.predicting import MOST_TOLD, Expected, late, mended, predict, worse
from tracker.live.control import Ask
from tracker.records import appointments, delays
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.delays import Delay

LOOK_S = 30.0
BACK, AHEAD = timedelta(hours=14), timedelta(hours=8)
"""What of a technician's visits is looked at: the shift so far, and what is promised soon enough to be worth a word."""

log = structlog.get_logger()


async def watch_delays(house: House, stop: asyncio.Event) -> None:
    """Look at everybody's day every half minute until told to stop."""
    await every("delays", LOOK_S, stop, lambda: look_once(house))


async def look_once(house: House) -> int:
    """How many customers were told of a delay."""
    settings, now = house.settings.now, house.clock()
    if not settings.delay_min or not settings.technician_tracking:
        return 0
    async with house.db.reading() as tx:
        found = await appointments.between(tx, now - BACK, now + AHEAD)
        known = await delays.standing(tx, found)
    told = 0
    for visit, expected in _predictions(found, house):
        before = known.get(visit.id)
        if before is not None and mended(expected, visit.arrival_at, settings.delay_min):
            await _mend(house, visit)
        elif late(expected, visit.arrival_at, settings.delay_min) and (
            before is None or worse(expected, before.at, settings.delay_min)
        ):
            told += await _tell(house, visit, expected)
    return told


def _predictions(found: list[Appointment], house: House) -> list[tuple[Appointment, Expected]]:
    now, days = house.clock(), defaultdict[str, list[Appointment]](list)
    for visit in found:
        if visit.technician_id is not None:
            days[visit.technician_id].append(visit)
    told = {id_: expected for day in days.values() for id_, expected in predict(day, now).items()}
    return [(visit, told[visit.id]) for visit in found if visit.id in told]


async def _tell(house: House, visit: Appointment, expected: Expected) -> bool:
    """The delay and its letter in one transaction, if nobody told it meanwhile and the promise is still the same."""

    async def write(tx: Transaction) -> bool:
        now = house.clock().replace(microsecond=0)
        if visit.technician_id is None or not await _same(tx, visit):
            return False
        before = await delays.of_appointment(tx, visit.id)
        if before is not None and before.promised != visit.arrival_at:
            before = None  # of a promise that is no more
        if before is not None and not _more_to_say(house, before, visit, expected):
            return False
        delay = Delay(
            appointment_id=visit.id,
            technician_id=visit.technician_id,
            promised=visit.arrival_at,
            low=expected.low,
            at=expected.at,
            high=expected.high,
            told_at=now,
            told=before.told + 1 if before else 1,
        )
        await delays.keep(tx, delay)
        await informing.delayed(tx, visit, expected, delay.told, now)
        return True

    told = await house.db.retrying(write)
    if told:
        log.info("delay_told", appointment=visit.id)
        await house.control.tell(Ask.LOOK_AGAIN, visit.id)
    return told


def _more_to_say(house: House, before: Delay, visit: Appointment, expected: Expected) -> bool:
    """Whether somebody who was told before is written to again; one that mended and is as late as was told is not."""
    if before.told >= MOST_TOLD:
        return False
    if before.technician_id != visit.technician_id or before.over_at is not None:
        return expected.at > before.high
    return worse(expected, before.at, house.settings.now.delay_min)


async def _mend(house: House, visit: Appointment) -> None:
    async def write(tx: Transaction) -> bool:
        return await _same(tx, visit) and await delays.end(tx, visit.id, house.clock())

    if await house.db.retrying(write):
        await house.control.tell(Ask.LOOK_AGAIN, visit.id)


async def _same(tx: Transaction, visit: Appointment) -> bool:
    """Its row locked: nothing was changed since it was looked at."""
    found = await appointments.locked(tx, visit.id)
    return found is not None and found.version == visit.version
