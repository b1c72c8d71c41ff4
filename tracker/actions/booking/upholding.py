"""Promised time in the background: holds that have ended, cells that have passed, appointments put there by hand."""

import asyncio

import structlog

from tracker.actions.booking.holding import sweep_holds
from tracker.actions.booking.promising import adopt
from tracker.actions.house import House
from tracker.actions.loops import every
from tracker.records import appointments, promises, technicians
from tracker.records.database import Transaction

HOLDS_S = 5.0
CELLS_S = 600.0
ADOPT_S = 3600.0

log = structlog.get_logger()


async def end_holds(house: House, stop: asyncio.Event) -> None:
    """Remove holds that have ended, so that the travel they had pushed aside is mended soon. Until then nobody minds them."""
    await every("end_holds", HOLDS_S, stop, lambda: sweep_holds(house))


async def sweep_cells(house: House, stop: asyncio.Event) -> None:
    """Forget cells that have passed."""
    await every("sweep_cells", CELLS_S, stop, lambda: sweep_cells_once(house))


async def sweep_cells_once(house: House) -> int:
    """How many cells went."""
    async with house.db.transaction() as tx:
        return await promises.sweep(tx, house.clock())


async def adopt_all(house: House, stop: asyncio.Event) -> None:
    """Promise the time of appointments that have no cell: those of before, and those that a program put there."""
    await every("adopt", ADOPT_S, stop, lambda: adopt_once(house))


async def adopt_once(house: House) -> int:
    """How many were adopted; those whose time others have are left as they are and logged."""
    adopted = 0
    while True:
        async with house.db.reading() as tx:
            found = await promises.without_cells(tx, house.clock())
        got = [await house.db.retrying(lambda tx, visit=visit: _adopt_one(tx, visit)) for visit in found]  # type: ignore[misc]
        adopted += sum(got)
        if not any(got):
            if found:
                log.warning("appointments_without_time", count=len(found))
            return adopted


async def _adopt_one(tx: Transaction, visit: str) -> bool:
    """Whether the appointment has any cell now."""
    seen = await appointments.by_id(tx, visit)
    if seen is None or seen.technician_id is None:
        return False
    await technicians.locked(tx, seen.technician_id)
    found = await appointments.locked(tx, visit)
    if found is None or found.technician_id != seen.technician_id:
        return False
    await adopt(tx, found)
    return bool(await promises.cells_of(tx, promises.Owner(visit)))
