"""Signing in and out, and the sessions that come of it."""

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from tracker.actions.house import House
from tracker.actions.people import links as held_links
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.emails import one_way
from tracker.errors import BadCredentials, NotFound, NotSignedIn, TooManyRequests
from tracker.live.control import Ask
from tracker.records import audit, customers, links, people, sessions, technicians
from tracker.records.database import Transaction, new_id
from tracker.records.people import Person
from tracker.records.sessions import Session

LASTS = timedelta(days=30)
"""How long a session lives from its sign-in, used or not."""
SEEN_EVERY = timedelta(minutes=10)
"""How exact "last used" is: noting it costs a write."""
WINDOW_S, TRIES_ACCOUNT, TRIES_ADDRESS = 900, 10, 60
"""Tries within a quarter of an hour: for one e-mail address from anywhere, and from one network address for anybody."""
LOOKS = 2
"""How often a password is looked at that was right, but replaced before its session began."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. ``token`` exists here and in the browser's cookie only; the database has its SHA-256."""

    token: str
    expires_at: datetime
    actor: Actor
    first: bool = False  # this person's first sign-in: the profile page is shown now, and by itself never again


def hashed(token: str) -> bytes:
    """What is stored of a token of 256 random bits. No salt is needed: it cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def sign_in(house: House, email: str, password: str, *, address: str, user_agent: str | None) -> SignedIn:
    """Begin a session. ``address`` is the network address asked from.

    Errors: `BadCredentials` for an unknown e-mail, a wrong password and a person without one, after the same work;
    `TooManyRequests`.
    """
    now, email = house.clock(), one_way(email)
    by_account = await house.limits.within("sign-in-account", email, TRIES_ACCOUNT, WINDOW_S, now)
    by_address = await house.limits.within("sign-in-address", address, TRIES_ADDRESS, WINDOW_S, now)
    if not (by_account and by_address):
        raise TooManyRequests(retry_after_s=WINDOW_S)
    for _ in range(LOOKS):
        person, fresh = await _recognised(house, email, password)
        await house.limits.forget("sign-in-account", email)
        signed = await house.db.retrying(partial(_enter, before=person, fresh=fresh, user_agent=user_agent, now=now))
        if signed is not None:
            return signed
    raise BadCredentials


async def _recognised(house: House, email: str, password: str) -> tuple[Person, str | None]:
    """Whose e-mail and password these are, and the password's hash anew if it is stored as it would not be today."""
    async with house.db.reading() as tx:
        person = await people.by_email(tx, email)
    known = person.password_hash if person else None
    if not await house.passwords.right(password, known) or person is None or known is None:
        log.info("sign_in_refused")
        raise BadCredentials
    return person, await house.passwords.hashed(password) if house.passwords.outdated(known) else None


async def _enter(tx: Transaction, before: Person, fresh: str | None, user_agent: str | None, now: datetime) -> SignedIn | None:
    """The session; None if the password was changed, or the sign-in ended, while the password was being looked at."""
    person = await people.locked(tx, before.id)
    if person is None or person.ended_at is not None or person.password_hash != before.password_hash:
        return None
    if fresh:
        await people.set_password(tx, person.id, fresh)
    return await begin(tx, person, user_agent, now)


async def begin(tx: Transaction, person: Person, user_agent: str | None, now: datetime) -> SignedIn:
    """A new session of somebody who has shown who they are, inside the transaction that made sure of it."""
    token = secrets.token_urlsafe(32)
    session = Session(
        id=new_id(),
        person_id=person.id,
        user_agent=(user_agent or "")[:300] or None,
        created_at=now,
        seen_at=now,
        expires_at=now + LASTS,
    )
    await sessions.add(tx, session, hashed(token))
    first = person.role is Role.CUSTOMER and person.profile_at is None
    if first:
        await people.change(tx, person.id, profile_at=now)
    if person.role is Role.CUSTOMER:
        await customers.attach(tx, person.email, person.id)
    return SignedIn(token, session.expires_at, await _actor(tx, session, person), first)


async def who(house: House, token: str) -> Actor | None:
    """Whose session a cookie's token opens; None if it opens none (any more)."""
    now = house.clock()
    async with house.db.reading() as tx:
        found = await sessions.found(tx, hashed(token), now)
        actor = await _actor(tx, *found) if found else None
    if found and now - found[0].seen_at >= SEEN_EVERY:
        async with house.db.transaction() as tx:
            await sessions.seen(tx, found[0].id, now)
    return actor


async def again(house: House, actor: Actor) -> tuple[Actor, datetime] | None:
    """Who a session's owner is by now (role and accounts may have changed), and when it expires; None if it has ended.

    The same of a link's holder.
    """
    if actor.link is not None:
        return await held_links.again(house, actor)
    if actor.session is None:
        return None
    async with house.db.reading() as tx:
        found = await sessions.by_id(tx, actor.session, house.clock())
        return (await _actor(tx, *found), found[0].expires_at) if found else None


async def living(house: House, ids: Collection[str]) -> set[str]:
    """Those of some sessions, links among them, that have not ended."""
    async with house.db.reading() as tx:
        found = await sessions.living(tx, ids, house.clock())
        return found | await links.living(tx, set(ids) - found)


async def _actor(tx: Transaction, session: Session, person: Person) -> Actor:
    own = await customers.own_accounts(tx, person.id) if person.role is Role.CUSTOMER else ()
    ids = [account.id for account in own]
    works = person.role is Role.TECHNICIAN and person.technician_id and await technicians.in_use(tx, person.technician_id)
    return Actor(
        role=person.role,
        person=person.id,
        name=person.name,
        session=session.id,
        accounts=frozenset(ids),
        technician=person.technician_id if works else None,
        own=own,
        account=session.account_id if session.account_id in ids else next(iter(ids), None),
        zone=person.zone,
    )


async def choose_account(house: House, actor: Actor, account: str) -> None:
    """Look at another of the own accounts from now on, in this browser; `NotFound` for one that is not theirs."""
    if actor.session is None or account not in actor.accounts:
        raise NotFound
    async with house.db.transaction() as tx:
        await sessions.choose_account(tx, actor.session, account)


async def device_of(house: House, token: str) -> Actor | None:
    """The phone (and so the technician) a device token belongs to; None for a token never given or revoked."""
    async with house.db.reading() as tx:
        device = await technicians.device_by_token(tx, hashed(token))
    return Actor(Role.TECHNICIAN, technician=device.technician_id, device=device.id) if device else None


async def sign_out(house: House, actor: Actor) -> None:
    """End the actor's own session; its sockets are closed when this returns."""
    if actor.session is not None:
        await end_session(house, actor, actor.session)


async def sessions_of(house: House, actor: Actor) -> list[Session]:
    """The actor's living sessions, the last used first."""
    async with house.db.reading() as tx:
        return await sessions.of_person(tx, person_of(actor), house.clock())


async def end_session(house: House, actor: Actor, session: str) -> None:
    """End one of the actor's own sessions; `NotFound` if it is not theirs or has ended. Its sockets are closed by then."""
    if not await _end(house, actor, only=session):
        raise NotFound


async def end_other_sessions(house: House, actor: Actor) -> int:
    """End all of the actor's sessions but this one; how many. Their sockets are closed when this returns."""
    return len(await _end(house, actor, but=actor.session))


async def _end(house: House, actor: Actor, *, only: str | None = None, but: str | None = None) -> list[str]:
    now = house.clock()
    async with house.db.transaction() as tx:
        ended = await sessions.end(tx, person_of(actor), now, only=only, but=but)
        for session in ended:
            await audit.write(tx, now, actor.signed, "session.end", session)
    await close_sockets(house, ended)
    return ended


async def close_sockets(house: House, ended: Iterable[str]) -> None:
    """Close the sockets of sessions in every process; all of it is done when this returns."""
    await asyncio.gather(*(house.control.ask(Ask.END_SESSION, session) for session in ended))


def person_of(actor: Actor) -> str:
    """The id of who is signed in; `NotSignedIn` for everybody else."""
    if actor.person is None:
        raise NotSignedIn
    return actor.person
