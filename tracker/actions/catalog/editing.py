"""What every change of the catalog shares: who saw which state, what the audit log keeps of it, and when it is known.

Whoever names the state that was seen (its ETag) changes nothing that is not so any more; without one the last writer wins,
and only the fields that were sent are written. Bookings see a change at once in this process, in others within two seconds.
"""

import hashlib
import unicodedata
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tracker.actions.house import House
from tracker.actions.people.customers import text
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.errors import BadInput, ChangedMeanwhile, NameTaken
from tracker.records import audit, pairs
from tracker.records.database import Transaction
from tracker.records.violations import ConstraintViolated

HIDDEN = frozenset({"home_lat", "home_lon", "area"})
"""What the audit log says only to have changed: where somebody lives, and what is too long for a line."""
UNIQUE_NAMES = frozenset({"uq_skills_name", "uq_territories_name"})


def tag(thing: msgspec.Struct) -> str:
    """Names the state of something: another one after every change."""
    return hashlib.sha256(msgspec.json.encode(thing, order="deterministic")).hexdigest()[:16]


def check_seen(thing: msgspec.Struct, seen: str | None) -> None:
    """`ChangedMeanwhile` if somebody saw another state than the present one."""
    if seen is not None and seen != tag(thing):
        raise ChangedMeanwhile


@asynccontextmanager
async def editing(house: House, actor: Actor) -> AsyncIterator[Transaction]:
    """One transaction of staff; `NotAllowed` for others, `NameTaken` where a name must be the only one."""
    only_staff(actor)
    try:
        async with house.db.transaction() as tx:
            yield tx
    except ConstraintViolated as violated:
        if violated.name in UNIQUE_NAMES:
            raise NameTaken from violated
        raise
    house.company.forget()


def check_name(name: str, others: Iterable[str]) -> None:
    """`NameTaken` if another one is called so, in capitals or not, however its letters are written (NFKC)."""
    if _plain(name) in {_plain(other) for other in others}:
        raise NameTaken


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


async def check_there(tx: Transaction, table: str, ids: Collection[str], what: str) -> None:
    """`BadInput` names an id that a table does not have."""
    if unknown := await pairs.missing(tx, table, ids):
        raise BadInput(f"There is no {what} with the id {unknown[0]!r}.")


def optional(said: str | None, what: str, most: int) -> str | None:
    """A text on one line, or None where nothing was said."""
    return text(said, what, most) if said and said.strip() else None


async def audited(
    tx: Transaction, house: House, actor: Actor, what: str, before: Any, after: Any, *, subject: str | None = None
) -> bool:
    """A line with the fields that changed, as they were and are; False (and no line) if nothing did.

    None for ``before`` (it is new) or ``after`` (it is gone) counts as having no fields.
    """
    old, new = (msgspec.to_builtins(each) if each is not None else {} for each in (before, after))
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not changed:
        return False
    known = old | new
    lines = [{name: _told(each, name) for name in changed} if each else None for each in (old, new)]
    await audit.write(
        tx, house.clock(), actor.signed, what, subject or str(known.get("id") or known["day"]), before=lines[0], after=lines[1]
    )
    return True


def _told(fields: dict[str, Any], name: str) -> Any:
    value = fields.get(name)
    return value if value is None or name not in HIDDEN else "(not kept here)"
