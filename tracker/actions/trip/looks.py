"""Looks: what Redis and then SQL say of visits just now, read together for all that are wanted at once."""

import asyncio
from asyncio import Future, Task, gather
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tracker.actions.house import House
from tracker.actions.trip.arrivals import still_ahead
from tracker.actions.trip.views import LiveView, promised_eta, technician_card
from tracker.domain import visibility
from tracker.domain.appointments import State
from tracker.domain.geo import Point
from tracker.domain.visibility import Fix, under_way
from tracker.domain.ways import way_on
from tracker.errors import LiveUnavailable, NotFound
from tracker.live.positions import VisitNow
from tracker.records import appointments, delays, legs, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.delays import Delay
from tracker.records.legs import Leg
from tracker.records.technicians import Technician

MOST = 32
"""Visits that are read together: fewer than Redis has connections."""

type Wanted = tuple[str, str | None]
"""An appointment, and the technician in whose bucket Redis is asked."""


async def look(house: House, appointment: str, technician: str | None, now: datetime) -> LiveView:
    """One look: Redis first, SQL last, so that what Redis said counts only if SQL still says the same.

    ``technician`` is whose bucket to read in; if the view names another one, nothing of Redis is in it.
    """
    [view] = await looks(house, [(appointment, technician)], now)
    if isinstance(view, BaseException):
        raise view
    return view


async def looks(house: House, wanted: Sequence[Wanted], now: datetime) -> list[LiveView | BaseException]:
    """`look` for several visits, with the statements of one; what goes wrong with one of them is no concern of the others."""
    said = await gather(*(_visit_now(house, *one) for one in wanted))
    async with house.db.reading() as tx:
        rows = await _read(tx, [appointment for appointment, _ in wanted])
    views = (_view(house, rows, *one, visit, now) for one, visit in zip(wanted, said, strict=True))
    return await gather(*views, return_exceptions=True)


# -- the rows ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rows:
    """What SQL says of them at one moment, by id."""

    visits: dict[str, Appointment]
    legs: dict[str, Leg]
    technicians: dict[str, Technician]
    late: dict[str, Delay]

    def leg_of(self, visit: Appointment) -> visibility.Leg:
        leg = self.legs.get(visit.leg_id or "")
        if leg is None or leg.appointment_id != visit.id or leg.technician_id != visit.technician_id:
            return visibility.Leg(visit.state, visit.technician_id, None, None, None, None)
        times = leg.started_at, leg.hides_at, leg.ended_at, leg.arriving_at
        return visibility.Leg(visit.state, visit.technician_id, leg.id, *times)

    def card_of(self, visit: Appointment, *, phone: bool) -> dict[str, Any] | None:
        """Who comes: first name, photo, vehicle, and the phone if a setting says so; the reason of silence if they paused."""
        found = self.technicians.get(visit.technician_id or "")
        return None if found is None else technician_card(found, visit.state, phone=phone)


async def _read(tx: Transaction, ids: Sequence[str]) -> _Rows:
    visits = {one.id: one for one in await appointments.of_ids(tx, ids)}
    on_legs = {one.leg_id for one in visits.values() if one.leg_id}
    theirs = {one.technician_id for one in visits.values() if one.technician_id}
    return _Rows(
        visits,
        {one.id: one for one in await legs.of_ids(tx, on_legs)},
        {one.id: one for one in await technicians.of_ids(tx, theirs)},
        await delays.standing(tx, visits.values()),
    )


# -- the view ----------------------------------------------------------------------------------------------------------


async def _visit_now(house: House, appointment: str, technician: str | None) -> VisitNow | None:
    if technician is None:
        return None
    try:
        return await house.positions.visit(technician, appointment)
    except LiveUnavailable:
        return None  # SQL alone still tells state, place and promise (M6)


async def _view(
    house: House, rows: _Rows, appointment: str, technician: str | None, visit: VisitNow | None, now: datetime
) -> LiveView:
    found = rows.visits.get(appointment)
    if found is None:
        raise NotFound
    leg, card = rows.leg_of(found), rows.card_of(found, phone=house.settings.now.show_phone)
    tracked = house.settings.now.technician_tracking
    view = LiveView(found, card, tracked=tracked, expected=rows.late.get(found.id))
    if found.technician_id == technician and visit is not None:
        view = replace(view, epoch=visit.epoch, offset=visit.offset)
        if tracked and under_way(leg, now):
            view = replace(view, arriving=leg.arriving_at is not None and (card or {}).get("sharing") is not False)
            view = await _shown(house, view, leg, visit, now)
    if found.state is State.TRAVELING and view.eta is None:
        view = replace(view, eta=promised_eta(found))
    return view


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


class Together:
    """What a hub asks when its channels alone cannot say. While some visits are being read, whatever else is wanted is read
    next, all of it together: after an outage or a nap that is every watched visit at once."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._wanted: list[tuple[Wanted, Future[LiveView]]] = []
        self._turning: Task[None] | None = None

    async def __call__(self, appointment: str, technician: str | None) -> LiveView:
        """One look, begun after this call."""
        seen: Future[LiveView] = asyncio.get_running_loop().create_future()
        self._wanted.append(((appointment, technician), seen))
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._turn())
        return await seen

    async def _turn(self) -> None:
        while self._wanted:
            some, self._wanted = self._wanted[:MOST], self._wanted[MOST:]
            views = await self._looks([one for one, _ in some])
            for (_, seen), view in zip(some, views, strict=True):
                if seen.done():
                    continue  # whoever wanted it has gone
                if isinstance(view, BaseException):
                    seen.set_exception(view)
                else:
                    seen.set_result(view)

    async def _looks(self, wanted: Sequence[Wanted]) -> Sequence[LiveView | BaseException]:
        try:
            return await looks(self._house, wanted, self._house.clock())
        except Exception as error:
            return [error] * len(wanted)


def hub_look(house: House) -> Together:
    """For the hub of a process: ``hub.start(hub_look(house), house.positions.events_after)``."""
    return Together(house)
