"""What an API token may be allowed (X8). A token may do what its scopes name, and nothing else."""

from collections.abc import Iterable

from tracker.errors import BadInput

SCOPES = {
    "appointments:read": "read all appointments, with what can be booked and when",
    "appointments:write": "book, move, cancel and step appointments",
    "accounts:read": "read accounts, contacts, assets and locations",
    "accounts:write": "add and change them, and invite contacts",
    "catalog:read": "read what can be booked and who can come: service types, skills, technicians, territories, closed days",
    "catalog:write": "add and change them, and who may come to an account",
    "settings:read": "read the company's settings",
    "settings:write": "change them",
    "letters:read": "read the log of letters, with what opens anything veiled",
    "letters:write": "send a letter again",
}


ANY = "any"
"""Written at a door that every living token opens, whatever it is good for."""


def checked(scopes: Iterable[str]) -> list[str]:
    """The scopes in the order of `SCOPES`, each once; `BadInput` for one that does not exist, and for none at all."""
    wanted = set(scopes)
    if unknown := sorted(wanted - SCOPES.keys()):
        raise BadInput(f"There is no scope {unknown[0]!r}. There are: {', '.join(SCOPES)}.")
    if not wanted:
        raise BadInput(f"Name at least one scope of: {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in wanted]
