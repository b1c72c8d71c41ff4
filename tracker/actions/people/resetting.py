"""Forgotten passwords (O6): the same answer and the same work for every address, a code used once, all other sessions ended."""

from datetime import timedelta

from tracker.actions.house import House
from tracker.actions.people import accounts
from tracker.actions.people.accounts import SignedIn
from tracker.domain.codes import Purpose, code_of, fingerprint
from tracker.domain.emails import one_way
from tracker.domain.passwords import fault
from tracker.errors import BadReset, TooManyRequests, WeakPassword
from tracker.records import audit, outbox, people, resets, sessions
from tracker.records.database import Transaction, new_id
from tracker.records.outbox import Kind
from tracker.records.people import Person
from tracker.records.resets import Reset

LASTS = timedelta(minutes=30)
"""How long a code works."""
WINDOW_S, ASKED_ADDRESS, ASKED_EMAIL, TRIES_ADDRESS = 900, 20, 3, 30
"""Within a quarter of an hour: resets asked for from one network address and for one e-mail address, and codes tried."""


async def ask(house: House, email: str, *, address: str) -> None:
    """Write the letter with a code, if somebody signs in with this address. Nobody can tell from outside whether.

    For an address that nobody has, the same rows are written, with nobody in them. ``address`` is the network address
    asked from. Errors: `TooManyRequests`, by network address only: by e-mail it would tell who is known here.
    """
    now, email = house.clock(), one_way(email)
    by_email = await house.limits.within("reset-email", email, ASKED_EMAIL, WINDOW_S, now)
    if not await house.limits.within("reset-address", address, ASKED_ADDRESS, WINDOW_S, now):
        raise TooManyRequests(retry_after_s=WINDOW_S)
    await house.db.retrying(lambda tx: _ask(tx, house, email, may_send=by_email))


async def _ask(tx: Transaction, house: House, email: str, *, may_send: bool) -> None:
    now = house.clock()
    found = await people.by_email(tx, email)
    person = found if may_send else None
    reset = Reset(id=new_id(), person_id=person.id if person else None, created_at=now, expires_at=now + LASTS)
    code = code_of(house.secret, Purpose.RESET, reset.id)
    await resets.add(tx, reset, fingerprint(house.secret, Purpose.RESET, code))
    await outbox.add(tx, Kind.RESET, reset.id, person.email if person else outbox.NOBODY, now)
    await audit.write(tx, now, "anonymous:-", "password.reset_asked", person.id if person else "-")


async def reset(house: House, code: str, password: str, *, address: str, user_agent: str | None) -> SignedIn:
    """Set a new password with a code from a letter, and begin a session; every other one has ended when this returns.

    Errors: `BadReset` (alike for unknown, used and expired; with the password's fault as ``password``), `WeakPassword`,
    `TooManyRequests`.
    """
    now = house.clock()
    if not await house.limits.within("reset-try", address, TRIES_ADDRESS, WINDOW_S, now):
        raise TooManyRequests(retry_after_s=WINDOW_S)
    code_hash = fingerprint(house.secret, Purpose.RESET, code)
    async with house.db.reading() as tx:
        person = await _person(tx, house, code_hash)
    weak = fault(password, [person.email, person.name, house.settings.now.company] if person else ())
    if person is None:
        raise BadReset(**({"password": weak} if weak else {}))
    if weak:
        raise WeakPassword(weak)
    password_hash = await house.passwords.hashed(password)
    signed, ended = await house.db.retrying(lambda tx: _reset(tx, house, code_hash, password_hash, user_agent))
    await accounts.close_sockets(house, ended)
    return signed


async def _reset(
    tx: Transaction, house: House, code_hash: bytes, password_hash: str, user_agent: str | None
) -> tuple[SignedIn, list[str]]:
    now = house.clock()
    found = await resets.by_token(tx, code_hash, now, lock=True)
    person = await people.by_id(tx, found.person_id) if found and found.person_id else None
    if found is None or person is None or person.ended_at is not None:
        raise BadReset
    await resets.use(tx, found.id, now)
    await people.set_password(tx, person.id, password_hash)
    ended = await sessions.end(tx, person.id, now)
    await outbox.add(tx, Kind.CHANGED, found.id, person.email, now)
    signed = await accounts.begin(tx, person, user_agent, now)
    await audit.write(tx, now, signed.actor.signed, "password.reset", person.id)
    return signed, ended


async def _person(tx: Transaction, house: House, code_hash: bytes) -> Person | None:
    found = await resets.by_token(tx, code_hash, house.clock())
    person = await people.by_id(tx, found.person_id) if found and found.person_id else None
    return person if person and person.ended_at is None else None
