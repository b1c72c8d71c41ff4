"""Watching a visit, or the board: who may, and what Redis and then SQL say of it just now."""

from datetime import datetime
from typing import Any

import msgspec

from tracker.actions.house import House
from tracker.actions.trip.looks import look
from tracker.actions.trip.views import LiveView, without_place
from tracker.domain.accounts import Actor
from tracker.domain.appointments import STAFF, State
from tracker.domain.visibility import may_watch, may_watch_board
from tracker.errors import NotAllowed, NotFound
from tracker.live.staff import in_box
from tracker.records import appointments, audit, technicians
from tracker.records.appointments import Appointment

_LOOKS = 5
"""How often a look begins anew because the leg was closed, or changed hands, while it was read."""

_write = msgspec.json.Encoder().encode


# -- who ---------------------------------------------------------------------------------------------------------------


async def watched(house: House, actor: Actor, appointment: str, now: datetime) -> Appointment:
    """The appointment, if this person may watch it; `NotFound` if not, or if there is none. A look by staff is audited."""
    async with house.db.reading() as tx:
        found = await appointments.by_id(tx, appointment)
    if found is None or not may_watch(actor, found):
        raise NotFound
    if actor.role in STAFF and found.state is State.TRAVELING:
        async with house.db.transaction() as tx:
            await audit.write(tx, now, actor.signed, "watched", f"appointment {appointment}")
    return found


async def watch_board(house: House, actor: Actor, now: datetime) -> None:
    """Let staff see the board, and write down that they did; `NotAllowed` for everybody else."""
    if not may_watch_board(actor):
        raise NotAllowed
    async with house.db.transaction() as tx:
        await audit.write(tx, now, actor.signed, "watched", "board")


# -- what --------------------------------------------------------------------------------------------------------------


async def live_view(house: House, actor: Actor, appointment: str, now: datetime) -> LiveView:
    """What this person may see of a visit now (page's first paint, polling). `NotFound` as in `watched`."""
    technician = (await watched(house, actor, appointment, now)).technician_id
    for _ in range(_LOOKS):
        closed = house.hub.closed(appointment)
        view = await look(house, appointment, technician, now)
        if not view.allows(actor):
            raise NotFound  # given to another technician while it was read
        if view.technician == technician and house.hub.closed(appointment) == closed:
            return view
        technician = view.technician  # reassigned, or closed while it was read: read again
    return without_place(view)


# -- the board ---------------------------------------------------------------------------------------------------------


async def board_view(house: House, box: tuple[float, float, float, float] | None) -> list[dict[str, Any]]:
    """Every technician with a position, inside the box if one is given: for staff only. Raises LiveUnavailable."""
    standing = {one.technician: one for one in await house.positions.on_duty()}
    async with house.db.reading() as tx:
        known = {one.id: one for one in await technicians.everybody(tx)}
    return [
        {"technician": who, "name": known[who].name, "appointment": one.appointment, "position": one.position}
        for who, one in standing.items()
        if who in known and in_box(box, msgspec.Raw(_write(one.position)))
    ]
