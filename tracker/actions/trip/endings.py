"""Legs that end by themselves: after their time, or when the technician was there and drove away. The state is kept (P1)."""

import asyncio
from datetime import datetime

import structlog

from tracker.actions.house import House
from tracker.actions.loops import every
from tracker.actions.trip.arriving import Approach
from tracker.actions.trip.gates import regate
from tracker.domain.dwell import Dwell, seen_at
from tracker.domain.geo import Point, distance_m
from tracker.live.board import Standing
from tracker.live.control import Ask
from tracker.records import appointments, audit, legs, points, technicians
from tracker.records.database import Transaction
from tracker.records.legs import Leg

LOOK_S = 3.0

log = structlog.get_logger()


async def end_forgotten_legs(house: House, stop: asyncio.Event) -> None:
    """Look at every open leg every few seconds until told to stop."""
    watch = Watch(house)
    await every("end_legs", LOOK_S, stop, watch.turn)


class Watch:
    """Follows open legs. A leg first seen after a restart is followed up from the points in the records."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, tuple[Dwell, Point]] = {}
        self._approach = Approach(house)

    async def turn(self) -> list[str]:
        """Ends what is over; the ids of the legs that were."""
        now = self._house.clock()
        async with self._house.db.reading() as tx:
            open_legs = await legs.all_open(tx)
        self._known = {leg.id: self._known[leg.id] for leg in open_legs if leg.id in self._known}
        self._approach.only({leg.id for leg in open_legs})
        ended = []
        for leg in open_legs:
            standing = None if now >= leg.hides_at else await self._standing(leg)
            why = "time" if now >= leg.hides_at else "left" if await self._left(leg, standing) else None
            if why:
                await end_leg(self._house, leg, now, why)
                ended.append(leg.id)
            elif standing is not None:
                await self._approach.follow(leg, standing, self._known[leg.id][1])
        return ended

    async def _standing(self, leg: Leg) -> Standing | None:
        """Where the technician is, if a fix of this leg says so."""
        standing = await self._house.positions.last(leg.technician_id)
        return standing if standing is not None and standing.fix_at > leg.started_at else None

    async def _left(self, leg: Leg, standing: Standing | None) -> bool:
        if leg.id not in self._known:
            self._known[leg.id] = await self._so_far(leg)
        dwell, place = self._known[leg.id]
        if standing is not None:
            radius = self._house.settings.now.arrival_radius_m
            dwell = seen_at(dwell, standing.fix_at, distance_m(standing.point, place), radius)
            self._known[leg.id] = (dwell, place)
        return dwell.left

    async def _so_far(self, leg: Leg) -> tuple[Dwell, Point]:
        async with self._house.db.reading() as tx:
            visit = await appointments.by_id(tx, leg.appointment_id)
            track = await points.of_leg(tx, leg.id)
        assert visit is not None  # noqa: S101 - a leg's appointment is never deleted before the leg
        dwell = Dwell()
        for point in sorted(track, key=lambda each: each.fix_at):
            away = distance_m(Point(point.lat, point.lon), visit.place)
            dwell = seen_at(dwell, point.fix_at, away, self._house.settings.now.arrival_radius_m)
        return dwell, visit.place


async def end_leg(house: House, leg: Leg, now: datetime, why: str) -> bool:
    """Hide the technician from the visit's viewers and write it down for staff. False if the leg had ended meanwhile."""

    async def end(tx: Transaction) -> bool:
        technician = await technicians.locked(tx, leg.technician_id)
        if technician is None or not await legs.end(tx, leg.id, now, why):
            return False
        gen = await technicians.next_gate(tx, technician)
        await audit.write(tx, now, "system", "leg.ended", leg.appointment_id, after={"why": why})
        await house.positions.close(leg.technician_id, leg.appointment_id, gen)
        return True

    ended = await house.db.retrying(end)
    await regate(house, leg.technician_id)
    if ended:
        log.warning("leg_ended_by_itself", appointment=leg.appointment_id, why=why)
        await house.control.tell(Ask.LOOK_AGAIN, leg.appointment_id)
    return ended
