"""What `records/sqlite.py` borrows of its driver's inside: an update of the driver that moves it fails here."""

import asyncio
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select

from tracker.records.database import Database
from tracker.records.sqlite import Connection, connect

BORROWED = ("_execute", "_tx", "_conn", "_thread")


async def test_the_driver_still_has_what_a_short_trip_needs(tmp_path: Path) -> None:
    connection = await connect(str(tmp_path / "a.db"))
    said = f"aiosqlite {version('aiosqlite')} has no Connection.%s any more: tracker/records/sqlite.py needs another way"
    for name in BORROWED:
        assert hasattr(connection, name), said % name
    try:
        await statements(connection)
        await a_canceled_one_is_done_before_the_next(connection)
    finally:
        await connection.close()


async def statements(connection: Connection) -> None:
    """What is put into the queue without a future is done in its turn, and `_execute` runs a function on the thread."""
    connection.begin("BEGIN IMMEDIATE")
    await connection.run("CREATE TABLE t (n INTEGER)", ())
    await connection.run("INSERT INTO t VALUES (?)", [(1,), (2,)], many=True)
    await connection.commit()
    connection.begin("BEGIN")
    assert (await connection.run("SELECT n FROM t ORDER BY n", ())).rows == [(1,), (2,)]
    await connection.rollback()  # not waited for
    connection.begin("BEGIN IMMEDIATE")  # would raise within another transaction
    await connection.run("INSERT INTO t VALUES (3)", ())
    await connection.rollback()
    assert (await connection.run("SELECT count(*) FROM t", ())).rows == [(2,)]


async def a_canceled_one_is_done_before_the_next(connection: Connection) -> None:
    """Who stops waiting stops nothing on the thread: the end of the transaction comes behind it, and takes it back."""
    connection.begin("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(connection.run("INSERT INTO t VALUES (4)", ()))
    await asyncio.sleep(0)  # it is in the queue, nobody has answered yet
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await connection.rollback()
    assert (await connection.run("SELECT count(*) FROM t", ())).rows == [(2,)]


async def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Whoever comes first gives it a write-ahead log; SQLite tells the others that it is locked, without waiting."""
    for number in range(40):
        databases = [Database(f"sqlite:///{tmp_path}/{number}.db") for _ in range(4)]
        assert await asyncio.gather(*(one(database) for database in databases)) == [1] * 4
        await asyncio.gather(*(database.close() for database in databases))


async def one(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.value(select(1)))
