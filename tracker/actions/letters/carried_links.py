"""The link that letters about a visit carry: the same in all of them, kept when the first of them goes out (M8)."""

from dataclasses import dataclass
from datetime import datetime

from tracker.actions.house import House
from tracker.domain import links as rules
from tracker.domain.links import Kind
from tracker.records import links
from tracker.records.appointments import Appointment
from tracker.records.customers import Contact
from tracker.records.database import Transaction
from tracker.records.links import Link


@dataclass(frozen=True, slots=True)
class Carried:
    """A letter's link. It opens nothing before `keep`: reading a letter in the log makes none."""

    id: str
    appointment: str
    contact: str
    address: str


async def carried(
    tx: Transaction, secret: bytes, visit: Appointment, contact: Contact | None, url: str, now: datetime
) -> Carried | None:
    """The link for letters to this contact; None if there is nobody, staff blocked it, or the visit's page closed for links:
    then letters lead to the sign-in."""
    if contact is None or contact.ended_at is not None:
        return None
    given = [one for one in await links.of_appointment(tx, visit.id) if one.kind is Kind.LETTER and one.contact_id == contact.id]
    open_ = [one for one in given if one.ended_at is None]
    if any(one.blocked_at for one in open_) or not rules.page_open(visit, now, open_[0].until if open_ else None):
        return None
    id_ = open_[0].id if open_ else rules.letter_link(secret, visit.id, contact.id, len(given))
    return Carried(id_, visit.id, contact.id, rules.address(url, rules.token_of(secret, id_)))


async def keep(house: House, link: Carried, now: datetime) -> None:
    """Let it open its appointment from now on; a letter that goes out again finds it there."""
    row = Link(
        id=link.id,
        appointment_id=link.appointment,
        contact_id=link.contact,
        kind=Kind.LETTER,
        created_by="letter",
        created_at=now,
    )
    async with house.db.transaction() as tx:
        await links.add(tx, row, rules.fingerprint(house.secret, rules.token_of(house.secret, link.id)))
