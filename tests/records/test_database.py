"""Transactions on both databases: kept or not, one writer at a time, retried, and told only after the commit."""

import asyncio
import threading

import pytest
from sqlalchemy import func, select, text, update

from tests.world import NOW
from tracker.errors import RecordsUnavailable, Unstorable
from tracker.records import people
from tracker.records.database import Database, Transaction
from tracker.records.schema import accounts, legs, technicians
from tracker.records.violations import ConstraintViolated, Retry


async def count(db: Database) -> int:
    async with db.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(accounts)))


async def test_what_a_block_did_is_kept_at_its_end_and_not_when_it_raises(db: Database) -> None:
    async with db.transaction() as tx:
        await people.add_account(tx, "kept", NOW)

    async def fails() -> None:
        async with db.transaction() as tx:
            await people.add_account(tx, "dropped", NOW)
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert await count(db) == 1


async def test_tells_after_the_commit_in_order_and_never_after_a_rollback(db: Database) -> None:
    told: list[object] = []

    async def tell() -> None:
        told.append(await count(db))

    async def second() -> None:
        told.append("second")

    async with db.transaction() as tx:
        tx.when_committed(tell)
        tx.when_committed(second)
        await people.add_account(tx, "a", NOW)
        assert told == []
    assert told == [1, "second"]  # the first one already saw the row: the commit came before

    async def fails() -> None:
        async with db.transaction() as tx:
            tx.when_committed(second)
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert told == [1, "second"]


async def test_no_increment_is_lost_between_many_writers(db: Database) -> None:
    async with db.transaction() as tx:
        account = await people.add_account(tx, "0", NOW)

    async def increment(tx: Transaction) -> None:
        name = await tx.value(select(accounts.c.name).where(accounts.c.id == account).with_for_update())
        await asyncio.sleep(0)
        await tx.change(update(accounts).where(accounts.c.id == account).values(name=str(int(name) + 1)))

    await asyncio.gather(*(db.retrying(increment) for _ in range(40)))
    async with db.reading() as tx:
        assert await tx.value(select(accounts.c.name)) == "40"


async def test_two_processes_on_one_sqlite_file_wait_for_each_other(sqlite_url: str) -> None:
    first, second = Database(sqlite_url), Database(sqlite_url)

    async def write(db: Database) -> None:
        async with db.transaction() as tx:
            await people.add_account(tx, "x", NOW)

    await asyncio.gather(*(write(db) for db in [first, second] * 25))
    assert await count(first) == 50
    async with first.reading() as tx:
        pragmas = [await tx.value(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert pragmas == ["wal", 2, 1]
    await first.close()
    await second.close()


async def test_a_deadlock_is_retried_and_three_more_tries_are_the_end(db: Database) -> None:
    tries = 0

    async def fails(times: int) -> int:
        nonlocal tries
        tries = 0

        async def work(tx: Transaction) -> int:
            nonlocal tries
            tries += 1
            await people.add_account(tx, "x", NOW)
            if tries <= times:
                raise Retry("40P01")
            return tries

        return await db.retrying(work)

    assert await fails(3) == 4
    assert await count(db) == 1  # what the failed tries wrote is gone
    with pytest.raises(RecordsUnavailable):
        await fails(4)
    assert tries == 4


async def test_a_real_deadlock_reaches_nobody(postgres_url: str) -> None:
    db = Database(postgres_url)
    async with db.transaction() as tx:
        one, two = [await people.add_account(tx, name, NOW) for name in ("one", "two")]
    both_hold_one = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        met = False

        async def work(tx: Transaction) -> None:
            nonlocal met
            await tx.change(update(accounts).where(accounts.c.id == first).values(address=first))
            if not met:
                met = True
                await both_hold_one.wait()
            await tx.change(update(accounts).where(accounts.c.id == second).values(address=first))

        await db.retrying(work)

    await asyncio.gather(cross(one, two), cross(two, one))
    async with db.reading() as tx:
        assert len({row["address"] for row in await tx.rows(select(accounts.c.address))}) == 1
    await db.close()


async def test_reading_sees_one_moment(db: Database) -> None:
    async with db.reading() as tx:
        before = await tx.value(select(func.count()).select_from(accounts))
        async with db.transaction() as other:
            await people.add_account(other, "later", NOW)
        assert await tx.value(select(func.count()).select_from(accounts)) == before == 0
    assert await count(db) == 1


@pytest.mark.parametrize(
    ("table", "row", "name"),
    [
        (technicians, {"name": "x", "zone": "UTC"}, "pk_technicians"),
        (legs, {"appointment_id": "a", "technician_id": "t", "started_at": NOW, "hides_at": NOW}, "uq_legs_one_open"),
    ],
)
async def test_a_violation_says_which_constraint(db: Database, table: object, row: dict[str, object], name: str) -> None:
    async def insert_twice() -> None:
        async with db.transaction() as tx:
            # foreign keys are not the matter here
            await tx.change(text("PRAGMA defer_foreign_keys=ON" if tx.sqlite else "SET session_replication_role = replica"))
            for number in (1, 2) if name.startswith("uq") else (1, 1):
                await tx.change(table.insert().values(id=f"{number}", **row))  # type: ignore[attr-defined]

    with pytest.raises(ConstraintViolated) as violated:
        await insert_twice()
    assert violated.value.name == name


async def test_a_foreign_key_holds(db: Database) -> None:
    async def of_nobody() -> None:
        async with db.transaction() as tx:
            await tx.change(legs.insert().values(id="l", appointment_id="a", technician_id="t", started_at=NOW, hides_at=NOW))

    with pytest.raises(ConstraintViolated):
        await of_nobody()


async def test_a_database_that_is_away_is_unavailable_not_an_unknown_error(tmp_path: object) -> None:
    for url in (f"sqlite:///{tmp_path}/missing/folder/x.sqlite", f"postgresql://x@/x?host={tmp_path}"):
        db = Database(url)
        with pytest.raises(RecordsUnavailable):
            async with db.reading() as tx:
                await tx.value(select(func.count()).select_from(accounts))
        await db.close()
    while any("_connection_worker" in thread.name for thread in threading.enumerate()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # aiosqlite's thread still answers this loop: it must not be closed before


async def test_an_error_of_the_block_stays_what_it_is(db: Database) -> None:
    with pytest.raises(ConnectionResetError):  # an OSError, but not the database's
        async with db.transaction():
            raise ConnectionResetError


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE"):
        Database("sqlite://")


@pytest.mark.parametrize("bad", ["a\x00b", "lone \ud800 surrogate"])
async def test_text_that_cannot_be_kept_is_the_senders_fault(db: Database, bad: str) -> None:
    with pytest.raises(Unstorable):
        async with db.transaction() as tx:
            await people.add_account(tx, bad, NOW)
    assert await count(db) == 0


async def test_a_deadlock_that_nobody_begins_anew_is_told_as_one_sentence(db: Database) -> None:
    with pytest.raises(RecordsUnavailable):
        async with db.transaction():
            raise Retry("deadlock detected")
