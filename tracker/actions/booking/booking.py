"""Booking: a need and an arrival become an appointment, or a refusal that names the nearest free times (B9, B10, B12)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tracker.actions.booking import keeping
from tracker.actions.booking.keyed import KEY, Keyed
from tracker.actions.booking.needs import Choices, Need, Place, choices, wanted
from tracker.actions.booking.searching import DayTimes, Offer, Search, Times, own, times
from tracker.actions.booking.taking import Taking
from tracker.actions.house import House
from tracker.actions.letters.informing import plan_reminders
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.domain.booking_ids import booking_id
from tracker.domain.cells import epoch_s, moment
from tracker.domain.grid import times_of_day
from tracker.domain.slots import Fit
from tracker.domain.texts import several_lines
from tracker.errors import BadInput, NotBookable, Refusal, SlotTaken
from tracker.records import appointments, events, outbox
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction, new_id
from tracker.records.promises import Owner
from tracker.records.violations import ConstraintViolated

__all__ = ["Choices", "DayTimes", "Need", "Offer", "Place", "Times", "book", "choices", "times"]

BOOKING_ID = "uq_appointments_booking_id"
ID_TRIES = 5


async def book(house: House, actor: Actor, need: Need, arrival_at: datetime, *, key: str | None = None) -> Appointment:
    """Book the technician with the least travel for an arrival; the new appointment.

    Errors: those of `needs.wanted`; `NotBookable` (a time that is never offered), `SlotTaken` (nobody can come then any
    more; ``nearest`` has up to three free times), `TimeOver`, `TooSoon` and `TooFarAhead` (with them, too),
    `IdempotencyMismatch`. The same ``key`` with the same need and arrival gives the same appointment.
    """
    request = Keyed.of(actor, key, "book", need, arrival_at)
    try:
        return await _booked(house, actor, need, arrival_at, request)
    except Refusal as refusal:
        return await request.instead(house.db, refusal)


async def _booked(house: House, actor: Actor, need: Need, arrival_at: datetime, request: Keyed) -> Appointment:
    """Whether it was asked before is not looked up: the key is written first, or else what stands in the way is that booking."""
    looked_at = house.turns.now
    async with house.db.reading() as tx:
        search = Search(house, await wanted(tx, house, actor, need), *await own(tx, actor))
        check_offered(search, actor, arrival_at)
        booking = _Booking(house, actor, search, request)
        booking.taking = Taking(search, epoch_s(arrival_at), booking.write)
        await booking.taking.around.read_first(tx, looked_at)
    if search.hold is not None and search.hold.arrival_at == arrival_at:
        booking.taking.first = search.hold.technician_id
    return await booking.made(refused=search.refusal(epoch_s(arrival_at), staff=actor.staff))


def check_offered(search: Search, actor: Actor, arrival_at: datetime) -> None:
    """Customers book what can be offered: `NotBookable` off the grid; `BadInput` for a time without its offset."""
    if arrival_at.tzinfo is None:
        raise BadInput("An arrival time needs its offset from UTC.")
    day = arrival_at.astimezone(ZoneInfo(search.zone)).date()
    grid = times_of_day(search.zone, day, search.house.settings.now.slot_grid_min)
    if not actor.staff and arrival_at.timestamp() not in grid:
        raise NotBookable("This arrival time is not one of those offered.")


@dataclass(slots=True)
class _Booking:
    house: House
    actor: Actor
    search: Search
    request: Keyed
    taking: "Taking[Appointment]" = None  # type: ignore[assignment]  # made of `write`

    async def made(self, *, refused: type[SlotTaken] | None) -> Appointment:
        """Booked; again if the booking id was another's, or the answer of the same request that was faster."""
        for _ in range(ID_TRIES):
            try:
                return await self.taking.done(refused=refused)
            except ConstraintViolated as violated:
                if violated.name == KEY:
                    async with self.house.db.reading() as tx:
                        before = await self.request.answered(tx)
                    if before is not None:
                        return before
                elif violated.name != BOOKING_ID:
                    raise
        raise AssertionError("no booking id is free")

    async def write(self, tx: Transaction, fit: Fit, reason: dict[str, Any], now: datetime) -> Appointment:
        """Everything that a booking leaves, in one transaction."""
        appointment = self._appointment(fit, reason, now)
        await self.request.keep(tx, appointment.id, now)
        await appointments.add(tx, appointment)
        await self.taking.drop_hold(tx)
        await keeping.take(tx, fit, Owner(appointment.id))
        await self.taking.mend_hold(tx, now)
        payload = {"arrival_at": appointment.arrival_at.isoformat()}
        await events.add(tx, appointment.id, "booked", now, self.actor.signed, payload, told_at=now)
        if appointment.contact_id is not None and appointment.keep_informed:
            await outbox.add_for(tx, outbox.Kind.CONFIRMATION, appointment.id, now, payload=payload)
            await plan_reminders(tx, self.house.settings.now, appointment.id, appointment.arrival_at, now)
        return appointment

    def _appointment(self, fit: Fit, reason: dict[str, Any], now: datetime) -> Appointment:
        wanted, settings = self.search.wanted, self.house.settings.now
        source = "staff" if self.actor.staff else "portal"
        said = wanted.need.keep_informed if self.actor.staff else None  # who books for themselves is always told
        return Appointment(
            id=new_id(),
            booking_id=booking_id(settings.booking_prefix, secrets.choice),
            account_id=wanted.account.id,
            contact_id=wanted.contact,
            service_type_id=wanted.service.id,
            state=State.SCHEDULED,
            duration_min=wanted.service.duration_min,
            address=wanted.place.address,
            lat=wanted.place.point.lat,
            lon=wanted.place.point.lon,
            zone=wanted.place.zone,
            details=several_lines(wanted.need.details or "") or None,
            source=source,
            created_at=now,
            asset_id=wanted.need.asset,
            booked_by=self.actor.person or self.actor.token,
            keep_informed=outbox.informed_by_default(source, settings.letters_for) if said is None else said,
            service=wanted.service.name,
            **promised(fit, reason),
        )


def promised(fit: Fit, reason: dict[str, Any]) -> dict[str, Any]:
    """The columns of an appointment or hold that say who comes when, and why."""
    return {
        "technician_id": fit.technician,
        "arrival_at": moment(fit.arrival),
        "ends_at": moment(fit.ends),
        "travel_s": fit.inward.s,
        "travel_m": fit.inward.m,
        "travel_source": fit.inward.source,
        "chosen": reason,
    }
