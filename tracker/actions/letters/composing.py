"""What a row of the outbox says, made when it is sent: the facts as they are then, or None if it is overtaken."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from tracker.actions.house import House
from tracker.actions.letters import composing_visits
from tracker.actions.letters.carried_links import Carried
from tracker.domain import letters_of_people as letters
from tracker.domain.codes import Purpose, code_of
from tracker.domain.letter_kinds import Kind
from tracker.domain.letters import Sender, Words
from tracker.domain.tongues import tongue
from tracker.post.message import Calendar
from tracker.records import customers, invitations, people, resets
from tracker.records.database import Transaction
from tracker.records.outbox import Letter

NO_ZONE = "UTC"
"""Whose zone nobody knows."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter in words, who writes it (in which language), the name before its address, calendar part, the link it carries."""

    words: Words
    sender: Sender
    name: str = ""
    calendar: Calendar | None = None
    link: Carried | None = None


async def compose(house: House, letter: Letter, url: str, now: datetime) -> Composed | None:
    """The letter as it is true now; None if it is not to be sent any more, or its kind is switched off."""
    settings = house.settings.now
    if letter.kind in settings.letters_off:
        return None
    async with house.db.reading() as tx:
        reader = await people.by_email(tx, letter.recipient)
    spoken = tongue(reader.locale if reader and reader.locale else settings.language)
    sender = Sender(settings.company, url, settings.desk_phone, spoken, live_map=settings.technician_tracking)
    if letter.appointment_id is not None:
        words = await composing_visits.compose(house, letter, letter.appointment_id, sender, now)
        return None if words is None else Composed(words[0], sender, *words[1:])
    async with house.db.reading() as tx:
        return await _SIGN_IN[Kind(letter.kind)](tx, house, letter, sender, now)


def subject_of(letter: Letter) -> str:
    """The id of what it is about, as `outbox.add` was given it."""
    return letter.message_id.split(".")[1]


async def _invitation(tx: Transaction, house: House, letter: Letter, sender: Sender, now: datetime) -> Composed | None:
    invitation = await invitations.by_id(tx, subject_of(letter))
    if invitation is None or not invitation.open(now):
        return None
    contact = await customers.contact(tx, invitation.contact_id)
    account = await customers.account(tx, contact.account_id) if contact and contact.ended_at is None else None
    if contact is None or account is None:
        return None
    code = code_of(house.secret, Purpose.INVITATION, invitation.id)
    zone = account.zone or NO_ZONE
    words = letters.invitation(sender, account.name, invitation.email, code, invitation.expires_at, zone)
    return Composed(words, sender, contact.name)


async def _reset(tx: Transaction, house: House, letter: Letter, sender: Sender, now: datetime) -> Composed | None:
    reset = await resets.by_id(tx, subject_of(letter))
    if reset is None or reset.used_at is not None or reset.expires_at <= now or reset.person_id is None:
        return None
    name, zone = await _person(tx, reset.person_id)
    code = code_of(house.secret, Purpose.RESET, reset.id)
    return Composed(letters.reset(sender, code, reset.expires_at, zone), sender, name)


async def _changed(tx: Transaction, _house: House, letter: Letter, sender: Sender, _now: datetime) -> Composed:
    person = await people.by_email(tx, letter.recipient)
    name, zone = await _person(tx, person.id) if person else ("", NO_ZONE)
    return Composed(letters.changed(sender, letter.created_at, zone), sender, name)


async def _welcome(tx: Transaction, _house: House, letter: Letter, sender: Sender, _now: datetime) -> Composed | None:
    contact = await customers.contact(tx, subject_of(letter))
    account = await customers.account(tx, contact.account_id) if contact and contact.ended_at is None else None
    if contact is None or account is None:
        return None
    return Composed(letters.welcome_account(sender, account.name), sender, contact.name)


async def _person(tx: Transaction, id: str) -> tuple[str, str]:
    """A person's name and zone: their own, or that of their first account."""
    person = await people.by_id(tx, id)
    if person is None:
        return "", NO_ZONE
    own = await customers.own_accounts(tx, id)
    return person.name, person.zone or next((one.zone for one in own if one.zone), None) or NO_ZONE


_SIGN_IN: dict[Kind, Callable[[Transaction, House, Letter, Sender, datetime], Awaitable[Composed | None]]] = {
    Kind.INVITATION: _invitation,
    Kind.RESET: _reset,
    Kind.CHANGED: _changed,
    Kind.WELCOME_ACCOUNT: _welcome,
}
