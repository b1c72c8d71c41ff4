"""Arriving, noticed by position (T5): the customer is told, *Arrived* is suggested to the technician, or taken for them."""

from dataclasses import replace

import structlog

from tracker.actions.house import House
from tracker.actions.letters import informing
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State, Step
from tracker.domain.dwell import Near, drawing_near
from tracker.domain.geo import Point
from tracker.errors import Refusal, Unavailable
from tracker.live.board import Standing
from tracker.live.control import Ask
from tracker.records import appointments, legs
from tracker.records.database import Transaction
from tracker.records.legs import Leg

log = structlog.get_logger()


class Approach:
    """Follows the approach of open legs. What was noticed stands in the records: of several workers one says it, once."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, Near] = {}

    def only(self, open_legs: set[str]) -> None:
        """Forget legs that are over."""
        self._known = {leg: near for leg, near in self._known.items() if leg in open_legs}

    async def follow(self, leg: Leg, standing: Standing, place: Point) -> None:
        """The technician's newest position on a leg, and what follows from it."""
        settings = self._house.settings.now
        if settings.arrival == "off":
            return
        fix, speed = (standing.point, standing.fix_at), standing.position.get("speed")
        before = self._known.get(leg.id) or Near(arriving=leg.arriving_at is not None)
        near = drawing_near(before, fix, standing.contact_at, place, settings.arrival_radius_m, speed)
        self._known[leg.id] = near
        if near.arriving and leg.arriving_at is None:
            await self._notice(leg)
        elif not near.arriving and leg.arriving_at is not None:
            await self._take_back(leg)
        if settings.arrival == "automatic" and near.stays(standing.contact_at):
            await self._arrive(leg)

    async def _notice(self, leg: Leg) -> None:
        now = self._house.clock()

        async def write(tx: Transaction) -> bool:
            visit = await appointments.locked(tx, leg.appointment_id)
            if visit is None or visit.leg_id != leg.id or not await legs.notice(tx, leg.id, now):
                return False
            if self._house.settings.now.technician_tracking:  # else customers hear nothing that only her phone knows
                await informing.arriving(tx, visit.id, leg.id, now)
            return True

        if await self._house.db.retrying(write):
            log.info("arriving", appointment=leg.appointment_id)
            await self._tell(leg)

    async def _take_back(self, leg: Leg) -> None:
        if await self._house.db.retrying(lambda tx: legs.take_back(tx, leg.id)):
            await self._tell(leg)

    async def _tell(self, leg: Leg) -> None:
        await self._house.control.tell(Ask.LOOK_AGAIN, leg.appointment_id)
        await self._house.control.tell(Ask.POLICY, leg.technician_id)

    async def _arrive(self, leg: Leg) -> None:
        """Take the step for the technician, who can undo it as if they had pressed it."""
        who = Actor(Role.TECHNICIAN, person="automatic", technician=leg.technician_id)
        try:
            await take_step(self._house, who, leg.appointment_id, Wish(step=Step.ARRIVE, seen=State.TRAVELING))
        except Unavailable:
            raise
        except Refusal as refusal:  # somebody was quicker, or it was given to another technician
            log.info("not_arrived_by_itself", appointment=leg.appointment_id, reason=refusal.code)
        self._known[leg.id] = replace(self._known[leg.id], slow_since=None)


async def suggested(house: House, technician: str) -> str | None:
    """The appointment whose *Arrived* is suggested to a technician now; None: none is."""
    if house.settings.now.arrival != "suggest":
        return None
    async with house.db.reading() as tx:
        leg = await legs.open_of(tx, technician)
    return leg.appointment_id if leg is not None and leg.arriving_at is not None else None
