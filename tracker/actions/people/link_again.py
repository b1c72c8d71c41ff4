"""A new link asked for with an old one: it goes to the contact the old one belonged to, and nobody learns whether (M8)."""

from datetime import datetime, timedelta
from typing import Any

from tracker.actions.house import House
from tracker.actions.people.links import NOWHERE
from tracker.domain import links as rules
from tracker.domain.links import Kind
from tracker.errors import TooManyRequests
from tracker.records import appointments, customers, links, outbox
from tracker.records.appointments import Appointment
from tracker.records.customers import Contact
from tracker.records.database import Transaction, new_id
from tracker.records.links import Link
from tracker.records.outbox import Kind as LetterKind
from tracker.records.outbox import Wanted

WINDOW_S, ASKED_ADDRESS = 900, 20
"""Requests within a quarter of an hour from one network address."""
PAUSE_S, MOST_A_DAY = 900, 5
"""Letters with a new link to one visit: one in each quarter of an hour of the clock, and so many in 24 hours."""


async def ask(house: House, token: str, *, address: str) -> None:
    """Write the letter with a new link, if this token was once that of a contact's letter. Nobody can tell from outside whether.

    Dead or alive, the link's own contact gets it, and only while the visit is theirs; whoever asks gives no address. A link for
    the family has none: its holder asks who gave it. For a token that nobody has the same rows are looked for and written, with
    nobody in them. ``address`` is the network address asked from. Errors: `TooManyRequests`, by network address only.
    """
    if not await house.limits.within("link-again", address, ASKED_ADDRESS, WINDOW_S, house.clock()):
        raise TooManyRequests(retry_after_s=WINDOW_S)
    await house.db.retrying(lambda tx: _ask(tx, house, token))


async def _ask(tx: Transaction, house: House, token: str) -> None:
    now = house.clock()
    link = await links.by_hash(tx, rules.fingerprint(house.secret, token))
    visit = await appointments.by_id(tx, link.appointment_id if link else NOWHERE)
    contact = await customers.contact(tx, link.contact_id if link and link.contact_id else NOWHERE)
    before = await outbox.latest(tx, MOST_A_DAY, Wanted(appointment=visit.id if visit else NOWHERE, kind=LetterKind.LINK))
    enough = len(before) == MOST_A_DAY and before[-1].created_at > now - timedelta(days=1)
    to = None if enough else _theirs(link, visit, contact)
    about: dict[str, Any] = {"appointment": visit.id, "sequence": _quarter(now)} if to and visit else {}
    subject = link.id if to and link else new_id()
    await outbox.add(tx, LetterKind.LINK, subject, to or outbox.NOBODY, now, **about)


def _theirs(link: Link | None, visit: Appointment | None, contact: Contact | None) -> str | None:
    """The address of the contact whose letters carried the link, if letters about the visit are theirs still."""
    if link is None or visit is None or contact is None or link.kind is not Kind.LETTER:
        return None
    theirs = contact.ended_at is None and visit.contact_id == contact.id and visit.keep_informed
    return contact.email if theirs else None


def _quarter(now: datetime) -> int:
    """Which pause of the clock this is: the letter's Message-ID has it, so the database holds that there is one only."""
    return int(now.timestamp()) // PAUSE_S
