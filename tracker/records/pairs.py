"""Tables that only say who goes with whom: read by owner, and replaced whole."""

from collections.abc import Collection

from sqlalchemy import Column, delete, select

from tracker.records.database import Transaction
from tracker.records.schema import metadata


async def of(tx: Transaction, table: str, owner: str, other: str, owners: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By owner, the others that go with it, in order of their ids; an owner without any is absent."""
    mine, theirs = _columns(table, owner, other)
    found: dict[str, list[str]] = {}
    for one, two in await tx.tuples(select(mine, theirs).where(mine.in_(owners)).order_by(mine, theirs)):
        found.setdefault(one, []).append(two)
    return {one: tuple(others) for one, others in found.items()}


async def replace(tx: Transaction, table: str, owner: str, other: str, mine: str, others: Collection[str]) -> None:
    """From now on exactly these others go with the owner."""
    await tx.change(delete(metadata.tables[table]).where(_columns(table, owner, other)[0] == mine))
    if others:
        await tx.change(metadata.tables[table].insert(), [{owner: mine, other: one} for one in sorted(set(others))])


async def missing(tx: Transaction, table: str, ids: Collection[str]) -> list[str]:
    """Those of some ids that a table does not have; those it has stay there until the transaction ends."""
    key = metadata.tables[table].c.id
    there = {
        row[0]
        for row in await tx.tuples(select(key).where(key.in_(ids)).order_by(key).with_for_update(read=True, key_share=True))
    }
    return sorted(set(ids) - there)


def _columns(table: str, owner: str, other: str) -> tuple[Column[str], Column[str]]:
    columns = metadata.tables[table].c
    return columns[owner], columns[other]
