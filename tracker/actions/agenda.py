"""Appointments as the person who asks may know them: the own ones of a customer or a technician, everybody's for staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.actions.house import House
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, State
from tracker.domain.visibility import may_watch
from tracker.errors import BadInput, NotAllowed, NotFound
from tracker.records import appointments, customers, people, technicians
from tracker.records.appointments import Appointment

LONGEST = timedelta(days=92)
"""The longest stretch that may be asked for at once."""


async def agenda(house: House, actor: Actor, start: datetime, end: datetime) -> list[Appointment]:
    """Appointments with start ≤ promised arrival < end, and those under way, by arrival; `NotAllowed` for others."""
    if not timedelta(0) < end - start <= LONGEST:
        raise BadInput(f"Ask for at most {LONGEST.days} days, the end after the start.")
    async with house.db.reading() as tx:
        if actor.staff:
            return await appointments.between(tx, start, end)
        if actor.technician is not None:
            return await appointments.of_technician(tx, actor.technician, start, end)
        if actor.role is Role.CUSTOMER:
            return await appointments.of_accounts(tx, actor.accounts, start, end)
    raise NotAllowed


async def today(house: House, actor: Actor) -> list[Appointment]:
    """A technician's jobs of the local day, by arrival, and whatever is under way; `NotAllowed` for others."""
    if actor.technician is None:
        raise NotAllowed
    now = house.clock()
    async with house.db.reading() as tx:
        technician = await technicians.by_id(tx, actor.technician)
        if technician is None:
            raise NotAllowed
        zone = ZoneInfo(technician.zone)
        day = now.astimezone(zone).date()
        start, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
        return await appointments.of_technician(tx, actor.technician, start, end)


@dataclass(frozen=True, slots=True)
class Met:
    """Whom a technician meets: the contact who reported the visit, else the account; a number only until it is over.

    ``account`` is the customer's name. The number is the one of the person's own profile, else what staff noted of the contact.
    """

    name: str
    phone: str | None = None
    account: str = ""


async def met_at(house: House, jobs: Sequence[Appointment]) -> dict[str, Met]:
    """Whom the technician whose jobs these are meets at each, by appointment."""
    async with house.db.reading() as tx:
        reported = await customers.contacts_by_id(tx, {one.contact_id for one in jobs if one.contact_id})
        names = await customers.names_of(tx, {one.account_id for one in jobs})
        phones = await people.phones_of(tx, {one.person_id for one in reported.values() if one.person_id})
    met = {}
    for one in jobs:
        contact = reported.get(one.contact_id or "")
        known = contact is not None and contact.ended_at is None
        account, phone = names.get(one.account_id, ""), None
        if contact and known and one.state not in (State.COMPLETED, State.CANCELED):
            phone = phones.get(contact.person_id or "") or contact.phone
        met[one.id] = Met(contact.name if contact and known else account, phone, account)
    return met


async def appointment_for(house: House, actor: Actor, appointment: str) -> Appointment:
    """One appointment; the same `NotFound` for one that does not exist and one that is not theirs."""
    async with house.db.reading() as tx:
        found = await appointments.by_id(tx, appointment)
    if found is None or not may_watch(actor, found):
        raise NotFound
    return found
