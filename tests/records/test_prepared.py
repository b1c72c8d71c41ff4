"""Statements compiled once, and changes that travel with what comes after them: as any other on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import bindparam, func, select

from tests.world import NOW, settle
from tracker.errors import Unstorable
from tracker.records.database import Database
from tracker.records.prepared import Prepared
from tracker.records.schema import accounts, appointments
from tracker.records.violations import ConstraintViolated

ADDED = Prepared(accounts.insert(), columns=("id", "name", "active", "created_at"))
SOME = select(accounts).where(accounts.c.id.in_(bindparam("ids", expanding=True))).order_by(accounts.c.id)
FOUND = Prepared(SOME, lists=("ids",))


def row(id: str, name: str = "Ä") -> dict[str, object]:
    return {"id": id, "name": name, "active": False, "created_at": NOW + timedelta(microseconds=1)}


async def count(db: Database) -> int:
    async with db.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(accounts)))


async def test_values_and_rows_are_those_of_the_same_statement_not_prepared(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.later(ADDED, [row("a"), row("b")])
        assert await tx.change(ADDED, row("c")) in (1, -1)
        assert await tx.value(select(func.count()).select_from(accounts)) == 3  # what waited went before it
    async with db.reading() as tx:
        for ids in (["a", "c", "z"], ["b"], []):
            found = await tx.tuples(FOUND, {"ids": ids})
            assert found == await tx.tuples(SOME, {"ids": ids})
            assert [each[0] for each in found] == [id for id in ids if id != "z"]
    chosen = Prepared(select(appointments.c.chosen, appointments.c.arrival_at, appointments.c.started_at, appointments.c.lat))
    await (await settle(db)).appointment()
    async with db.reading() as tx:
        assert await tx.tuples(chosen) == await tx.tuples(chosen.statement)


async def test_one_that_waited_and_fails_is_named_by_the_commit_and_leaves_nothing(db: Database) -> None:
    async def twice() -> None:
        async with db.transaction() as tx:
            await tx.later(ADDED, row("a"))
            await tx.later(ADDED, [row("b"), row("a")])

    with pytest.raises(ConstraintViolated) as violated:
        await twice()
    assert violated.value.name == "pk_accounts"
    assert await count(db) == 0
    async with db.transaction() as tx:  # the connection is as good as before
        await tx.later(ADDED, row("a"))
    assert await count(db) == 1


async def test_what_waited_is_gone_if_the_block_raises(db: Database) -> None:
    async def fails() -> None:
        async with db.transaction() as tx:
            await tx.later(ADDED, row("a"))
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert await count(db) == 0
    async with db.transaction() as tx:
        await tx.later(ADDED, row("b"))
    assert await count(db) == 1


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
async def test_what_no_database_keeps_is_refused(db: Database, name: str) -> None:
    async def kept() -> None:
        async with db.transaction() as tx:
            await tx.later(ADDED, row("a", name))

    with pytest.raises(Unstorable):
        await kept()
    assert await count(db) == 0
