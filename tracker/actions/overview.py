"""Lists of appointments for the people they concern: a customer's, a technician's day, the company's day."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.actions.house import House
from tracker.actions.trip.looks import look
from tracker.actions.trip.views import LiveView, without_place
from tracker.actions.trip.watching import watch_board
from tracker.domain.accounts import Actor
from tracker.domain.appointments import State
from tracker.errors import NotAllowed
from tracker.records import appointments, catalog, customers, delays, events, technicians
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.delays import Delay
from tracker.records.technicians import Technician

_AROUND = timedelta(hours=36)
"""A local day of any zone lies within this of any of its moments."""

type Listing = tuple[list[Appointment], dict[str, Technician]]
"""Appointments, and the technicians they name by id."""


async def appointments_of(house: House, actor: Actor) -> Listing:
    """A customer's appointments, of the account they look at, by arrival."""
    accounts = frozenset({actor.account}) if actor.account else actor.accounts
    async with house.db.reading() as tx:
        found = await appointments.of_accounts(tx, accounts)
        return found, await _named(tx, found)


async def day_of_technician(house: House, actor: Actor, now: datetime) -> tuple[Technician, list[Appointment]]:
    """A technician and the jobs of the day around ``now`` (local days are the caller's to cut); `NotAllowed` for others."""
    if actor.technician is None:
        raise NotAllowed
    async with house.db.reading() as tx:
        technician = await technicians.by_id(tx, actor.technician)
        if technician is None:
            raise NotAllowed
        return technician, await appointments.of_technician(tx, technician.id, now - _AROUND, now + _AROUND)


@dataclass(frozen=True, slots=True)
class CompanyDay:
    """Everybody's appointments: technicians and the names of accounts by id, the live views of who is on the way."""

    appointments: list[Appointment]
    technicians: dict[str, Technician]
    accounts: dict[str, str]
    views: dict[str, LiveView]


async def day_of_company(house: House, actor: Actor, now: datetime) -> CompanyDay:
    """Everybody's appointments around ``now``, for staff; `NotAllowed` for others. One look at all, written down as such."""
    if not actor.staff:
        raise NotAllowed
    async with house.db.reading() as tx:
        found = await appointments.between(tx, now - _AROUND, now + _AROUND)
        who = await _named(tx, found)
        whose = await customers.names_of(tx, {one.account_id for one in found})
    await watch_board(house, actor, now)
    return CompanyDay(found, who, whose, await _views(house, found, now))


async def _views(house: House, found: list[Appointment], now: datetime) -> dict[str, LiveView]:
    """What may be seen of everybody who is on the way; of a leg that was closed meanwhile nothing of the place."""
    together = asyncio.Semaphore(8)

    async def one(visit: Appointment) -> tuple[tuple[int, int], LiveView]:
        async with together:
            return house.hub.closed(visit.id), await look(house, visit.id, visit.technician_id, now)

    under_way = [visit for visit in found if visit.state is State.TRAVELING]
    looks = await asyncio.gather(*(one(visit) for visit in under_way))  # one that is done waits for the others: asked after all
    return {
        view.appointment.id: view if house.hub.closed(view.appointment.id) == closed else without_place(view)
        for closed, view in looks
    }


async def technician_of(house: House, technician: str) -> Technician | None:
    """The technician of an appointment that the caller may see."""
    async with house.db.reading() as tx:
        return await technicians.by_id(tx, technician)


async def late_of(house: House, found: Iterable[Appointment]) -> dict[str, Delay]:
    """Of visits that the caller may see those that are expected later than promised, by appointment (E5)."""
    async with house.db.reading() as tx:
        return await delays.standing(tx, found)


async def moved_from(house: House, appointment: Appointment) -> datetime | None:
    """The arrival it had before it was moved last; None if it never was."""
    async with house.db.reading() as tx:
        story = await events.of_appointment(tx, appointment.id)
    was = next((event.payload.get("was") for event in reversed(story) if event.kind == "rescheduled"), None)
    return datetime.fromisoformat(was) if was else None


async def asset_words(house: House, appointment: Appointment) -> str | None:
    """The equipment it is about, and where that stands."""
    if appointment.asset_id is None:
        return None
    async with house.db.reading() as tx:
        asset = await catalog.asset(tx, appointment.asset_id)
    return ", ".join(part for part in (asset.name, asset.location) if part) if asset else None


async def _named(tx: Transaction, found: Iterable[Appointment]) -> dict[str, Technician]:
    wanted = {appointment.technician_id for appointment in found}
    return {one.id: one for one in await technicians.everybody(tx, active=False) if one.id in wanted}
