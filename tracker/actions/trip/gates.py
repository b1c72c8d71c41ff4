"""The gate as SQL says it: built in the opening transaction, by the worker's renewal, and when a ping finds none."""

import contextlib
from datetime import datetime, timedelta

from tracker.actions.house import House
from tracker.domain.duty import Stretch, WeekHours, duty_at
from tracker.domain.visibility import EVERYWHERE, Cloak, cloak_zone
from tracker.errors import LiveUnavailable
from tracker.live.control import Ask
from tracker.live.gate import Gate
from tracker.records import legs, technicians
from tracker.records.database import Transaction
from tracker.records.legs import Leg
from tracker.records.technicians import Hours, Technician

GONE_FOR = timedelta(hours=1)
"""So long a revoked phone is named by the gate: a batch that was on its way by then has arrived or is lost."""


async def gate_of(house: House, technician: str) -> Gate | None:
    """The gate of a technician as SQL says it now; None if there is no such technician."""
    async with house.db.reading() as tx:
        found = await technicians.by_id(tx, technician)
        return await gate_within(house, tx, found, house.clock()) if found else None


async def gates_of_all(house: House) -> list[Gate]:
    """The gates of all active technicians, by four questions however many they are: what the worker renews."""
    async with house.db.reading() as tx:
        everybody = await technicians.everybody(tx)
        hours = await technicians.hours_of_all(tx)
        begun = {leg.technician_id: leg for leg in await legs.all_open(tx)}
        gone = await technicians.revoked_since(tx, house.clock() - GONE_FOR)
    now, nobody = house.clock(), frozenset[str]()
    return [_gate(house, each, begun.get(each.id), hours.get(each.id, []), gone.get(each.id, nobody), now) for each in everybody]


async def gate_within(house: House, tx: Transaction, technician: Technician, now: datetime) -> Gate:
    """The gate as this transaction sees it."""
    leg = await legs.open_of(tx, technician.id)
    gone = await technicians.revoked_since(tx, now - GONE_FOR, technician.id)
    week = await technicians.hours_of(tx, technician.id)
    return _gate(house, technician, leg, week, gone.get(technician.id, frozenset()), now)


def _gate(house: House, technician: Technician, leg: Leg | None, week: list[Hours], gone: frozenset[str], now: datetime) -> Gate:
    """A started leg counts as duty until it ends (P3)."""
    if leg is not None and (now >= leg.hides_at or not technician.active):
        leg = None  # it has ended by itself; the worker writes that down
    hours = [WeekHours(each.weekday, each.starts, each.ends) for each in week]
    duty = duty_at(hours, technician.zone, now) if technician.active else None
    settings = house.settings.now
    return Gate(
        technician=technician.id,
        gen=technician.gate_version,
        duty_end=_duty_end(duty, leg),
        sharing=technician.sharing,
        device=(leg.device_id if leg else None) or technician.device_id,
        leg=leg.id if leg else None,
        appointment=leg.appointment_id if leg else None,
        since=leg.started_at if leg else None,
        cloak=_cloak(house, leg) if leg else None,
        interval_s=settings.interval_traveling_s if leg else settings.interval_duty_s,
        not_before=_not_before(duty, leg, technician),
        gone=gone,
    )


def _cloak(house: House, leg: Leg) -> Cloak | None:
    """What hides the leg's places from viewers: the zone round its origin, or all there is where there is no live map."""
    if not house.settings.now.technician_tracking:
        return EVERYWHERE
    return cloak_zone(leg.origin, house.secret) if leg.origin else None


async def open_gate(house: House, technician: str) -> None:
    """Set the gate after a commit, and tell the phone. With Redis away nothing is lost: the worker's renewal sets it."""
    gate = await gate_of(house, technician)
    if gate is not None:
        await _set(house, gate)


async def regate(house: House, technician: str, at_least: int = 0) -> Gate | None:
    """Raise the fence and set the gate anew, whatever a rolled-back or dead closing left in Redis.

    ``at_least``: the fence that refused a renewal. The technician's lock makes this wait for a closing that is under way,
    so the gate that is set is never older than what was committed.
    """

    async def raise_fence(tx: Transaction) -> Gate | None:
        locked = await technicians.locked(tx, technician)
        if locked is None:
            return None
        await technicians.next_gate(tx, locked, at_least)
        raised = await technicians.by_id(tx, technician)
        return await gate_within(house, tx, raised, house.clock()) if raised else None

    gate = await house.db.retrying(raise_fence)
    if gate is not None:
        await _set(house, gate)
    return gate


async def _set(house: House, gate: Gate) -> None:
    """Whatever changed the gate, a phone that is connected hears of it now and not with its next ping."""
    with contextlib.suppress(LiveUnavailable):
        await house.positions.set_gate(gate)
    await house.control.tell(Ask.POLICY, gate.technician)


def _duty_end(duty: Stretch | None, leg: Leg | None) -> datetime | None:
    ends = [duty.end] if duty else []
    if leg:
        ends.append(leg.hides_at)
    return max(ends, default=None)


def _not_before(duty: Stretch | None, leg: Leg | None, technician: Technician) -> datetime | None:
    """Start of duty (or of a leg begun outside it), or the end of the last pause: what is older was never shared."""
    starts = ([duty.start] if duty else []) + ([leg.started_at] if leg else [])
    if not starts:
        return None
    resumed = technician.sharing_since if technician.sharing else None
    return max(min(starts), resumed) if resumed else min(starts)
