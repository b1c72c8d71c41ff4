"""Legs: begun where the technician is known to be, ended before anybody is told."""

from datetime import datetime, timedelta

from tracker.actions.house import House
from tracker.actions.letters import informing
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.domain.crow import travel_s
from tracker.domain.geo import Point, distance_m
from tracker.errors import AlreadyTraveling, LiveUnavailable
from tracker.records import anchors, appointments, events, legs, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction, new_id
from tracker.records.legs import Leg
from tracker.records.technicians import Technician

LEAST_HIDES = timedelta(hours=2)
"""A leg ends by itself after this, or after three times the planned travel (P1)."""

FRESH = timedelta(minutes=5)
"""A position younger than this says where a trip begins better than the day's plan."""

ELSEWHERE_M = 300.0
"""Farther than this from the place the plan names, the technician is not there."""

SHIFT = timedelta(hours=16)
"""How far back a visit may lie to be "the previous customer"."""


async def begin_leg(
    tx: Transaction,
    house: House,
    technician: Technician,
    visit: Appointment,
    now: datetime,
    pressed_at: datetime | None,
    device: str | None,
) -> Leg:
    """Write the new leg and raise the fence. The technician's row must be locked, no other leg open.

    A button pressed offline shows what was measured since it was pressed, but nothing from before something else ended:
    another leg of the technician, a state of the visit, somebody else's assignment (P1).
    """
    place = await _where(tx, house, technician, visit, now)
    origin = await anchors.anchor_of(tx, place, now) if place else None
    planned_s = round(travel_s(place, visit.place)) if place else None
    started = now
    if pressed_at is not None:
        others = [await legs.last_end(tx, technician.id), await events.last_at(tx, visit.id)]
        started = min(now, max(pressed_at, visit.created_at, now - LEAST_HIDES, *(at for at in others if at)))
    leg = Leg(
        id=new_id(),
        appointment_id=visit.id,
        technician_id=technician.id,
        device_id=device,
        started_at=started,
        hides_at=now + max(LEAST_HIDES, timedelta(seconds=3 * (planned_s or 0))),
        origin_lat=origin.lat if origin else None,
        origin_lon=origin.lon if origin else None,
        planned_s=planned_s,
    )
    await legs.add(tx, leg)
    await technicians.next_gate(tx, technician)
    return leg


async def drop_leg(
    tx: Transaction, house: House, technician: Technician, visit: Appointment, now: datetime, why: str
) -> Technician:
    """End the visit's leg in SQL and everything of it in Redis; answers the technician with the raised fence.

    Raises LiveUnavailable if Redis does not confirm: then the step is not taken, and nobody is told that sharing ended.
    """
    if visit.leg_id:
        await legs.end(tx, visit.leg_id, now, why)
    gen = await technicians.next_gate(tx, technician)
    await house.positions.close(technician.id, visit.id, gen)
    raised = await technicians.by_id(tx, technician.id)
    assert raised is not None  # noqa: S101 - its row is locked
    return raised


async def drop_other_leg(
    tx: Transaction, house: House, technician: Technician, other: Appointment, now: datetime, actor: Actor, *, switch: bool
) -> Technician:
    """The technician leaves ``other`` for another visit: it is scheduled again. Without ``switch``: AlreadyTraveling."""
    if not switch:
        raise AlreadyTraveling(appointment=other.booking_id)
    raised = await drop_leg(tx, house, technician, other, now, "switched")
    planned = other.arrival_at + timedelta(minutes=other.duration_min)
    await appointments.change(tx, other, state=State.SCHEDULED, leg_id=None, traveling_at=None, ends_at=planned)
    await events.add(tx, other.id, State.SCHEDULED.value, now, actor.signed, {"from": other.state.value, "step": "switch"})
    await informing.taken_back(tx, other, now)
    return raised


async def _where(tx: Transaction, house: House, technician: Technician, visit: Appointment, now: datetime) -> Point | None:
    """Where the trip begins: the previous customer or home, unless the phone has just said that it is somewhere else."""
    visited = [one for one in await appointments.visited(tx, technician.id, now - SHIFT) if one.id != visit.id]
    planned = visited[0].place if visited else technician.home
    try:
        standing = await house.positions.last(technician.id)
    except LiveUnavailable:
        return planned
    if standing is None or now - standing.fix_at > FRESH:
        return planned
    here = standing.point
    return planned if planned and distance_m(planned, here) <= ELSEWHERE_M else here
