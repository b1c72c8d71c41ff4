"""Redeeming an invitation: a code, its address and a new password become a sign-in with the portal's role (O3, O4)."""

from datetime import datetime

from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.actions.people.accounts import SignedIn
from tracker.domain.appointments import Role
from tracker.domain.codes import Purpose, fingerprint
from tracker.domain.emails import one_way
from tracker.domain.passwords import fault
from tracker.errors import BadInvitation, TooManyRequests, WeakPassword
from tracker.records import audit, customers, invitations, people, sessions
from tracker.records.customers import Contact
from tracker.records.database import Transaction, new_id
from tracker.records.people import Person

WINDOW_S, TRIES_ADDRESS, TRIES_EMAIL = 900, 30, 10
"""Tries to redeem within a quarter of an hour: from one network address, and for one e-mail address."""


async def redeem(house: House, code: str, email: str, password: str, *, address: str, user_agent: str | None) -> SignedIn:
    """Turn a code into a sign-in and a first session. ``address`` is the network address asked from.

    Errors: `BadInvitation` (alike for unknown, expired, used, revoked, and another contact's), `WeakPassword`,
    `TooManyRequests`. A `BadInvitation` has the password's fault with it as ``password``, so that both can be mended at once.
    """
    now, email = house.clock(), one_way(email)
    await _throttled(house, email, address, now)
    code_hash = fingerprint(house.secret, Purpose.INVITATION, code)
    async with house.db.reading() as tx:
        found = await _redeemable(tx, code_hash, email, now)
    weak = fault(password, [email, found.name if found else "", house.settings.now.company])
    if found is None:
        raise BadInvitation(**({"password": weak} if weak else {}))
    if weak:
        raise WeakPassword(weak)
    password_hash = await house.passwords.hashed(password)
    return await house.db.retrying(lambda tx: _redeem(tx, code_hash, email, password_hash, user_agent, now))


async def _throttled(house: House, email: str, address: str, now: datetime) -> None:
    by_address = await house.limits.within("redeem-address", address, TRIES_ADDRESS, WINDOW_S, now)
    by_email = await house.limits.within("redeem-email", email, TRIES_EMAIL, WINDOW_S, now)
    if not (by_address and by_email):
        raise TooManyRequests(retry_after_s=WINDOW_S)


async def _redeemable(tx: Transaction, code_hash: bytes, email: str, now: datetime) -> Contact | None:
    """The contact of an open invitation that was sent to this address."""
    invitation = await invitations.by_code(tx, code_hash)
    if invitation is None or not invitation.open(now) or invitation.email != email:
        return None
    contact = await customers.contact(tx, invitation.contact_id)
    return contact if contact and contact.ended_at is None else None


async def _redeem(
    tx: Transaction, code_hash: bytes, email: str, password_hash: str, user_agent: str | None, now: datetime
) -> SignedIn:
    await invitations.lock_address(tx, email)
    contact = await _redeemable(tx, code_hash, email, now)
    invitation = await invitations.by_code(tx, code_hash)
    if contact is None or invitation is None:  # somebody was faster
        raise BadInvitation
    person = await _granted(tx, contact, password_hash, now)
    await invitations.use(tx, invitation.id, now)
    await invitations.revoke(tx, now, email=email)
    await customers.attach(tx, email, person.id)
    signed = await accounts.begin(tx, person, user_agent, now)
    await audit.write(tx, now, signed.actor.signed, "invitation.redeemed", invitation.id, after={"contact": contact.id})
    return signed


async def _granted(tx: Transaction, contact: Contact, password_hash: str, now: datetime) -> Person:
    """The sign-in of the contact's address, with the portal's role: a new one, or one that was ended and is wanted again."""
    known = await people.by_email_ended_too(tx, contact.email)
    if known is None:
        person = Person(
            id=new_id(),
            email=contact.email,
            name=contact.name,
            role=Role.CUSTOMER,
            password_hash=password_hash,
            phone=contact.phone,
        )
        await people.add(tx, person, now)
        return person
    if known.ended_at is None:
        raise BadInvitation
    values = {"role": Role.CUSTOMER, "password_hash": password_hash, "ended_at": None, "technician_id": None, "profile_at": None}
    await people.change(tx, known.id, **values)
    await sessions.end(tx, known.id, now)  # none of the time before comes to life with it
    again = await people.by_id(tx, known.id)
    assert again is not None  # noqa: S101 - it was there
    return again
