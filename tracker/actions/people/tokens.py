"""API tokens (X8): made and revoked by admins, shown once, good for what their scopes name until they expire."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracker.actions.house import House
from tracker.actions.once import Once
from tracker.actions.people.accounts import SEEN_EVERY, hashed
from tracker.actions.people.customers import text
from tracker.actions.staff import only_admin
from tracker.domain import scopes as rules
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import BadInput, NotFound, NotSignedIn, SecretShown
from tracker.records import api_tokens, audit, people
from tracker.records.api_tokens import ApiToken
from tracker.records.database import Transaction, new_id
from tracker.records.people import Person

PREFIX = "tta_"
"""What every token begins with, so that scanners of repositories know a leaked one and the guard need not ask twice."""
MOST_DAYS = 366
"""A token lives so long at most: who forgot it has it revoked by the calendar."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that may be used from now on. ``secret`` is shown this once; the database has its SHA-256."""

    token: ApiToken
    secret: str


async def add_token(
    house: House, actor: Actor, name: str, scopes: list[str], days: int = 90, *, key: str | None = None
) -> NewToken:
    """A new token for ``days`` days. Admins in person only; `BadInput` for unknown scopes and other days than 1 to 366.

    A second time the same idempotency ``key`` makes none and is refused with `SecretShown`: nobody keeps the secret.
    """
    only_admin(actor)
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"A token lives 1 to {MOST_DAYS} days.")
    now, secret = house.clock(), PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=new_id(),
        name=text(name, "name"),
        scopes=rules.checked(scopes),
        created_by=actor.signed,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )

    async def make(tx: Transaction) -> NewToken:
        await _still_here(tx, actor)
        await api_tokens.add(tx, token, hashed(secret))
        await audit.write(tx, now, actor.signed, "token.added", token.id, after={"scopes": token.scopes, "days": days})
        return NewToken(token, secret)

    once = Once(make, lambda made: {"id": made.token.id}, _shown_before)
    return await once.made(house, actor, key, "token", name, scopes, days)


async def _still_here(tx: Transaction, actor: Actor) -> None:
    """Whose sign-in ends meanwhile makes no token that would outlive it."""
    maker = await people.locked(tx, actor.person) if actor.person else None
    if maker is not None and maker.ended_at is not None:
        raise NotSignedIn


async def _shown_before(_tx: Transaction, before: dict[str, Any]) -> NewToken:
    raise SecretShown(token=before["id"])


async def list_tokens(house: House, actor: Actor) -> list[ApiToken]:
    """All tokens, the newest first; what they open with is not among it."""
    only_admin(actor)
    async with house.db.reading() as tx:
        return await api_tokens.everything(tx)


async def revoke_token(house: House, actor: Actor, token: str) -> None:
    """End a token at once; `NotFound` if there is none with this id or it was revoked before."""
    only_admin(actor)
    now = house.clock()
    async with house.db.transaction() as tx:
        if not await api_tokens.revoke(tx, token, now):
            raise NotFound("There is no token with this id, or it was revoked before.")
        await audit.write(tx, now, actor.signed, "token.revoked", token)


async def own_token(house: House, actor: Actor) -> ApiToken | None:
    """The token that a program shows; None for everybody else."""
    if actor.token is None:
        return None
    async with house.db.reading() as tx:
        return await api_tokens.by_id(tx, actor.token)


async def revoke_tokens_of(tx: Transaction, actor: Actor, maker: Person, now: datetime) -> int:
    """End the tokens of somebody who signs in no more, who may have kept what they open with; how many."""
    ended = await api_tokens.revoke_of(tx, f"{maker.role}:{maker.id}", now)
    for token in ended:
        await audit.write(tx, now, actor.signed, "token.revoked", token)
    return len(ended)


async def program_of(house: House, secret: str) -> Actor | None:
    """Who acts with this token: a program, as far as its scopes go; None for a token that opens nothing (any more)."""
    now = house.clock()
    async with house.db.reading() as tx:
        found = await api_tokens.by_hash(tx, hashed(secret), now)
    if found is None:
        return None
    if found.seen_at is None or now - found.seen_at >= SEEN_EVERY:
        async with house.db.transaction() as tx:
            await api_tokens.seen(tx, found.id, now)
    # a scope that a newer version dropped grants nothing: each door asks for one of today's
    return Actor(Role.DISPATCHER, name=found.name, token=found.id, scopes=frozenset(found.scopes))
