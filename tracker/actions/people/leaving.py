"""Ending somebody's sign-in: nothing they hold opens anything any more."""

from tracker.actions.house import House
from tracker.actions.people.accounts import close_sockets
from tracker.actions.people.tokens import revoke_tokens_of
from tracker.actions.staff import only_admin
from tracker.domain.accounts import Actor
from tracker.errors import NotFound
from tracker.records import audit, people, sessions


async def end_sign_in(house: House, actor: Actor, email: str) -> int:
    """End the sign-in of an address, its sessions, and the API tokens made with it; how many tokens those were.

    Its sockets are closed in every process when this returns. `NotFound` if nobody signs in with this address.
    """
    only_admin(actor)
    now = house.clock()
    async with house.db.transaction() as tx:
        found = await people.by_email(tx, email)
        person = await people.locked(tx, found.id) if found else None  # who makes a token just now has finished before
        if person is None or person.ended_at is not None:
            raise NotFound("Nobody signs in with this address.")
        await people.end(tx, person.id, now)
        ended = await sessions.end(tx, person.id, now)
        revoked = await revoke_tokens_of(tx, actor, person, now)
        await audit.write(tx, now, actor.name, "user.ended", person.id)
    await close_sockets(house, ended)
    return revoked
