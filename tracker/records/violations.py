"""Which constraint stood against a change: the drivers' errors turned into the constraint's name."""

import re

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, exc

from tracker.records.schema import metadata


class ConstraintViolated(Exception):
    """A constraint of the database stood against the change; ``name`` says which (None: one without a known name)."""

    def __init__(self, name: str | None) -> None:
        super().__init__(f"violates {name}")
        self.name = name


class Retry(Exception):
    """The database asks to begin the transaction anew: a deadlock, a serialisation failure, a lock."""


def named(error: exc.IntegrityError) -> str | None:
    """The violated constraint's name. PostgreSQL says it; SQLite names table and columns, looked up in the schema."""
    cause = getattr(error.orig, "__cause__", None)
    name = getattr(cause, "constraint_name", None)
    if isinstance(name, str):
        return name
    match = re.search(r"UNIQUE constraint failed: (.+)$", str(error.orig))
    if match is None:
        return None
    return _BY_COLUMNS.get(frozenset(part.strip() for part in match[1].split(",")))


def _names() -> dict[frozenset[str], str]:
    names: dict[frozenset[str], str] = {}
    for table in metadata.tables.values():
        unique = [c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint)]
        for thing in [*unique, *(i for i in table.indexes if i.unique)]:
            names[frozenset(f"{table.name}.{column.name}" for column in thing.columns)] = str(thing.name)
    return names


_BY_COLUMNS = _names()
