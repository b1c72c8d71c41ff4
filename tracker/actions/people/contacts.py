"""Contacts and the invitations they are sent: one by itself for each address for ever, further ones by hand (O2, O3)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tracker.actions.house import House
from tracker.actions.once import Once
from tracker.actions.people.accounts import close_sockets
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.codes import Purpose, code_of, fingerprint
from tracker.domain.emails import LONGEST, ascii_host, one_way, seen
from tracker.domain.texts import one_line
from tracker.errors import AlreadyThere, BadInput, Conflict, NotFound
from tracker.records import audit, customers, invitations, links, outbox, people, sessions
from tracker.records.customers import Contact
from tracker.records.database import Transaction, new_id
from tracker.records.invitations import Invitation
from tracker.records.outbox import Kind
from tracker.records.people import Person
from tracker.records.violations import ConstraintViolated

NO_EMAIL = "This is not an e-mail address."
LASTS = timedelta(days=7)
"""How long a code can be redeemed."""

_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\.]{2,63}")


@dataclass(frozen=True, slots=True)
class Added:
    """A new contact. ``invited``: a letter is on its way; ``attached``: the address has a sign-in, the account appears there."""

    contact: Contact
    invited: bool
    attached: bool


@dataclass(frozen=True, slots=True)
class Given:
    """An invitation made by hand. ``code`` is shown this once."""

    invitation: Invitation
    code: str


def email_of(said: str) -> str:
    """An e-mail address as it is written here; `BadInput` if it is none, or if letters could not be sent to it."""
    plain = one_way(said)
    try:
        ascii_host(plain.rpartition("@")[2])
    except ValueError:
        raise BadInput(NO_EMAIL) from None
    if len(said.strip()) > LONGEST or not _EMAIL.fullmatch(plain) or not seen(plain):
        raise BadInput(NO_EMAIL)
    return plain


async def add_contact(
    house: House, actor: Actor, account: str, email: str, name: str, phone: str | None = None, *, key: str | None = None
) -> Added:
    """Add a person to an account, once for one idempotency ``key``. An empty ``email``: somebody who is only called.

    An address with a customer's sign-in gets the account there (a letter says so). Else, if the account is active, an
    invitation is written unless this address ever had one by itself. Errors: `NotFound`, `AlreadyThere` (a living contact
    of the account has this address), `Conflict` (the address signs in as staff or technician), `BadInput`.
    """
    only_staff(actor)
    contact = Contact(
        id=new_id(),
        account_id=account,
        email=email_of(email) if email.strip() else "",
        name=text(name, "name"),
        phone=text(phone, "phone number", 32) if phone and one_line(phone) else None,
        created_at=house.clock(),
    )
    once = Once(
        lambda tx: _add(tx, house, actor, contact),
        lambda made: {"id": made.contact.id, "invited": made.invited, "attached": made.attached},
        _added_before,
    )
    try:
        return await once.made(house, actor, key, "contact", account, email, name, phone)
    except ConstraintViolated as violated:
        if violated.name != "uq_contacts_one_living":
            raise
        raise AlreadyThere("This account has a contact with this address.") from violated


async def _add(tx: Transaction, house: House, actor: Actor, contact: Contact) -> Added:
    owner = await customers.account(tx, contact.account_id)
    if owner is None:
        raise NotFound("There is no account with this id.")
    await customers.add_contact(tx, contact)
    await audit.write(tx, contact.created_at, actor.signed, "contact.added", contact.id, after={"account": owner.id})
    if not contact.email:
        return Added(contact, invited=False, attached=False)
    await invitations.lock_address(tx, contact.email)  # whoever redeems one of them has finished before, or sees this contact
    person = await people.by_email(tx, contact.email)
    if person is not None:
        return await _attach(tx, contact, person, active=owner.active)
    invited = owner.active and await _invite(tx, house, actor, contact, automatic=True) is not None
    return Added(contact, invited=invited, attached=False)


async def _added_before(tx: Transaction, before: dict[str, Any]) -> Added:
    contact = await customers.contact(tx, before["id"])
    if contact is None or contact.ended_at is not None:
        raise NotFound("This contact was added before, and removed since.")
    return Added(contact, invited=before["invited"], attached=before["attached"])


async def _attach(tx: Transaction, contact: Contact, person: Person, *, active: bool) -> Added:
    if person.role is not Role.CUSTOMER:
        raise Conflict("This address signs in as one of your own people. A customer needs another one.")
    await customers.attach(tx, contact.email, person.id)
    if active:
        about = {"account": contact.account_id}
        await outbox.add(tx, Kind.WELCOME_ACCOUNT, contact.id, contact.email, contact.created_at, payload=about)
    return Added(contact, invited=False, attached=True)


async def _invite(tx: Transaction, house: House, actor: Actor, contact: Contact, *, automatic: bool) -> Invitation | None:
    """Keep an invitation and write its letter; None for an automatic one whose address had one before."""
    now = house.clock()
    invitation = Invitation(
        id=new_id(),
        contact_id=contact.id,
        email=contact.email,
        automatic=automatic,
        created_by=actor.signed,
        created_at=now,
        expires_at=now + LASTS,
    )
    code = code_of(house.secret, Purpose.INVITATION, invitation.id)
    if not await invitations.add(tx, invitation, fingerprint(house.secret, Purpose.INVITATION, code)):
        return None
    about = {"account": contact.account_id, "contact": contact.id}
    await outbox.add(tx, Kind.INVITATION, invitation.id, contact.email, now, payload=about)
    after = {"contact": contact.id, "automatic": automatic}
    await audit.write(tx, now, actor.signed, "invitation.made", invitation.id, after=after)
    return invitation


async def invite(house: House, actor: Actor, contact: str, *, key: str | None = None) -> Given:
    """A further invitation by hand, with its letter; those given before end. Its code is in the answer and nowhere else.

    The same idempotency ``key`` gives the same one with its code, which is made of its id anew: it is not kept.
    Errors: `NotFound`, `Conflict` (no address, or the address can sign in already).
    """
    only_staff(actor)
    once = Once(
        lambda tx: _invite_again(tx, house, actor, contact),
        lambda made: {"id": made.id},
        _invited_before,
    )
    invitation = await once.made(house, actor, key, "invitation", contact)
    return Given(invitation, code_of(house.secret, Purpose.INVITATION, invitation.id))


async def _invited_before(tx: Transaction, before: dict[str, Any]) -> Invitation:
    """An invitation that was made before; `NotFound` if it went with its contact."""
    found = await invitations.by_id(tx, before["id"])
    if found is None:
        raise NotFound("There is no invitation with this id.")
    return found


async def _invite_again(tx: Transaction, house: House, actor: Actor, contact: str) -> Invitation:
    found = await customers.contact(tx, contact)
    if found is None or found.ended_at is not None:
        raise NotFound("There is no contact with this id.")
    if not found.email:
        raise Conflict("This contact has no e-mail address.")
    await invitations.lock_address(tx, found.email)
    if await people.by_email(tx, found.email):
        raise Conflict("This address can sign in already. “Forgot your password?” helps if the password is lost.")
    await invitations.revoke(tx, house.clock(), contact=contact)
    invitation = await _invite(tx, house, actor, found, automatic=False)
    assert invitation is not None  # noqa: S101 - only an automatic one can be there already
    return invitation


async def revoke_invitation(house: House, actor: Actor, invitation: str) -> None:
    """Take an invitation back; `NotFound` if it was used, taken back before, or never was."""
    only_staff(actor)
    now = house.clock()
    async with house.db.transaction() as tx:
        if not await invitations.revoke(tx, now, id=invitation):
            raise NotFound("There is no open invitation with this id.")
        await audit.write(tx, now, actor.signed, "invitation.revoked", invitation)


async def invitations_of(house: House, actor: Actor, contact: str) -> list[Invitation]:
    """A contact's invitations, the newest first."""
    only_staff(actor)
    async with house.db.reading() as tx:
        if await customers.contact(tx, contact) is None:
            raise NotFound("There is no contact with this id.")
        return await invitations.of_contact(tx, contact)


async def remove_contact(house: House, actor: Actor, contact: str) -> None:
    """Remove a person from an account: open codes end, and nothing of the account is theirs any more, in open pages neither."""
    only_staff(actor)
    await close_sockets(house, await house.db.retrying(lambda tx: _remove(tx, house, actor, contact)))


async def _remove(tx: Transaction, house: House, actor: Actor, contact: str) -> list[str]:
    """The links and sessions whose sockets are to be closed; sessions may come back, and are judged anew."""
    now, found = house.clock(), await customers.contact(tx, contact)
    if found is not None and found.email:  # who redeems a code of theirs has finished before, or finds no contact any more
        await invitations.lock_address(tx, found.email)
        found = await customers.contact(tx, contact)
    if found is None or found.ended_at is not None:
        raise NotFound("There is no contact with this id.")
    await customers.change_contact(tx, contact, ended_at=now)
    await invitations.revoke(tx, now, contact=contact)
    maker = f"{Role.CUSTOMER}:{found.person_id}" if found.person_id else None
    given = [one.id for one in await links.of_contact(tx, found.account_id, contact, maker)]
    for link in given:
        await links.change(tx, link, ended_at=now)
        await audit.write(tx, now, actor.signed, "link.ended", link)
    living = await sessions.of_person(tx, found.person_id, now) if found.person_id else []
    await audit.write(tx, now, actor.signed, "contact.removed", contact, before={"account": found.account_id})
    return [*given, *(session.id for session in living)]
