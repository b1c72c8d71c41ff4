"""Whoever may do what only staff may."""

from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import NotAllowed


def only_staff(actor: Actor) -> None:
    """`NotAllowed` unless the actor is a dispatcher or an admin."""
    if not actor.staff:
        raise NotAllowed


def only_admin(actor: Actor) -> None:
    """`NotAllowed` unless the actor is an admin in person: a token cannot make tokens."""
    if actor.role is not Role.ADMIN or actor.token:
        raise NotAllowed
