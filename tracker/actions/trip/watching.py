"""Watching a visit, or the board: who may, and what Redis and then SQL say of it just now."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from tracker.actions.house import House
from tracker.actions.trip.arrivals import still_ahead
from tracker.actions.trip.views import LiveView, promised_eta, technician_card, without_place
from tracker.domain import visibility
from tracker.domain.accounts import Actor
from tracker.domain.appointments import STAFF, State
from tracker.domain.geo import Point
from tracker.domain.visibility import Fix, may_watch, may_watch_board, under_way
from tracker.domain.ways import way_on
from tracker.errors import LiveUnavailable, NotAllowed, NotFound
from tracker.live.positions import VisitNow
from tracker.live.staff import in_box
from tracker.records import appointments, audit, delays, legs, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction

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


async def look(house: House, appointment: str, technician: str | None, now: datetime) -> LiveView:
    """One look: Redis first, SQL last, so that what Redis said counts only if SQL still says the same.

    ``technician`` is whose bucket to read in; if the view names another one, nothing of Redis is in it.
    """
    visit = await _visit_now(house, appointment, technician)
    async with house.db.reading() as tx:
        found = await appointments.by_id(tx, appointment)
        if found is None:
            raise NotFound
        leg = await _leg(tx, found)
        card = await _card(tx, house, found)
        late = await delays.standing(tx, [found])
    view = LiveView(found, card, expected=late.get(found.id))
    if found.technician_id == technician and visit is not None:
        view = replace(view, epoch=visit.epoch, offset=visit.offset)
        if under_way(leg, now):
            view = replace(view, arriving=leg.arriving_at is not None and (card or {}).get("sharing") is not False)
            view = await _shown(house, view, leg, visit, now)
    if found.state is State.TRAVELING and view.eta is None:
        view = replace(view, eta=promised_eta(found))
    return view


async def _visit_now(house: House, appointment: str, technician: str | None) -> VisitNow | None:
    if technician is None:
        return None
    try:
        return await house.positions.visit(technician, appointment)
    except LiveUnavailable:
        return None  # SQL alone still tells state, place and promise (M6)


async def _leg(tx: Transaction, visit: Appointment) -> visibility.Leg:
    leg = await legs.by_id(tx, visit.leg_id) if visit.leg_id else None
    if leg is None or leg.appointment_id != visit.id or leg.technician_id != visit.technician_id:
        return visibility.Leg(visit.state, visit.technician_id, None, None, None, None)
    times = leg.started_at, leg.hides_at, leg.ended_at, leg.arriving_at
    return visibility.Leg(visit.state, visit.technician_id, leg.id, *times)


async def _card(tx: Transaction, house: House, visit: Appointment) -> dict[str, Any] | None:
    """Who comes: first name, photo, vehicle, and the phone if a setting says so; the reason of silence if they paused."""
    if visit.technician_id is None:
        return None
    found = await technicians.by_id(tx, visit.technician_id)
    return None if found is None else technician_card(found, visit.state, phone=house.settings.now.show_phone)


async def _shown(house: House, view: LiveView, leg: visibility.Leg, visit: VisitNow, now: datetime) -> LiveView:
    """The view with the position, if the rules let it out, and then with ETA and the way ahead of it."""
    view = replace(view, leg=leg.leg)
    position = visit.position
    if position is None:
        return view
    point = Point(position["lat"], position["lon"])
    fix = Fix(visit.leg, datetime.fromisoformat(position["fix_at"]), point)
    if not visibility.may_show(leg, fix, None, now):  # the cloak was asked where the ping was kept, inside Redis
        return view
    eta = still_ahead(visit.eta, now) if visit.eta else None
    return replace(view, position=position, eta=eta, route=await _way_ahead(house, leg, point))


async def _way_ahead(house: House, leg: visibility.Leg, point: Point) -> str | None:
    """The route from the shown place on, never the way behind it (P2)."""
    if leg.technician is None or leg.leg is None:
        return None
    try:
        route = await house.positions.route_of(leg.technician, leg.leg)
    except LiveUnavailable:
        return None
    return None if route is None else way_on(route, point)


# -- for the hub -------------------------------------------------------------------------------------------------------


def hub_look(house: House) -> Callable[[str, str | None], Awaitable[LiveView]]:
    """What a hub asks when its channels alone cannot say: ``hub.start(hub_look(house), house.positions.events_after)``."""

    async def once(house: House, appointment: str, technician: str | None) -> LiveView:
        return await look(house, appointment, technician, house.clock())

    return partial(once, house)


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
