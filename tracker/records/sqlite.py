"""A connection to SQLite that makes one trip to its thread for a statement, where the driver makes four.

A trip (there, and back to the loop) costs more than most statements do. So a statement is run and its rows fetched in one;
BEGIN travels with the first statement, and the end of what was only read is not waited for. Changes whose answer nobody wants
(`later`) travel with the next statement or with COMMIT. The driver has no public way to run a function on its thread: what is
borrowed of its inside is held by tests/records/test_driver.py.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import aiosqlite

READS, WRITES = "BEGIN", "BEGIN IMMEDIATE"
BUSY_MS = 5_000
"""So long a statement waits for another process's lock."""


class Answer(NamedTuple):
    """What a statement left behind."""

    rows: list[Any]
    description: Any
    rowcount: int
    lastrowid: int | None


class Sent(NamedTuple):
    """A statement on its way to the thread."""

    sql: str
    parameters: Any
    many: bool = False


class Connection(aiosqlite.Connection):
    """`begin` says how the next statement begins a transaction; nothing waits for the lock before it."""

    _begins: str | None = None  # not yet sent to the thread
    _open: str | None = None  # sent: told by what was sent, because what the thread has done so far cannot be known here
    _later: tuple[Sent, ...] = ()  # not yet sent, either

    def begin(self, how: str) -> None:
        """The next statement begins a transaction: `READS` or `WRITES`."""
        self._begins = how

    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy awaits its `__aenter__`
        return Cursor(self)

    def later(self, statement: Sent) -> None:
        """A change that travels with the next statement, or with the commit; one that fails is that one's error."""
        self._later += (statement,)

    async def run(self, sql: str, parameters: Any, *, many: bool = False) -> Answer:
        """A statement in one trip, with those that wait for one."""
        return (await self.run_all([Sent(sql, parameters, many)]))[0]

    async def run_all(self, statements: Sequence[Sent]) -> list[Answer]:
        """Several in one trip; what each of them left behind."""
        answers: list[Answer] = await self._execute(_run, self._conn, self._taken(), statements)  # type: ignore[no-untyped-call]
        return answers

    def _taken(self) -> tuple[Sent, ...]:
        """BEGIN, if it was not sent yet, and what waits behind it: on their way from now on."""
        begins, waiting, self._begins, self._later = self._begins, self._later, None, ()
        self._open = begins or self._open
        return (Sent(begins, ()), *waiting) if begins is not None else waiting

    async def commit(self) -> None:
        if self._later:
            statements, self._open = self._taken(), None
            await self._execute(_run_and_commit, self._conn, statements)  # type: ignore[no-untyped-call]
        else:
            await self._end(self._conn.commit)

    async def rollback(self) -> None:
        self._later = ()
        await self._end(self._conn.rollback)

    async def _end(self, how: Callable[[], None]) -> None:
        was, self._open, self._begins = self._open, None, None
        if was == READS:
            self._tx.put_nowait((None, how))  # in order before whatever comes next
        elif was is not None:
            await self._execute(how)  # type: ignore[no-untyped-call]


def _run(connection: sqlite3.Connection, waiting: Sequence[Sent], statements: Sequence[Sent]) -> list[Answer]:
    """On the connection's thread: first those that waited, then the others, and what these left behind."""
    cursor = connection.cursor()
    try:
        for statement in waiting:
            _do(cursor, statement)
        return [_answer(cursor, statement) for statement in statements]
    finally:
        cursor.close()


def _do(cursor: sqlite3.Cursor, statement: Sent) -> None:
    (cursor.executemany if statement.many else cursor.execute)(statement.sql, statement.parameters)


def _answer(cursor: sqlite3.Cursor, statement: Sent) -> Answer:
    _do(cursor, statement)
    return Answer(cursor.fetchall() if cursor.description else [], cursor.description, cursor.rowcount, cursor.lastrowid)


def _run_and_commit(connection: sqlite3.Connection, statements: Sequence[Sent]) -> None:
    """On the connection's thread. Whoever asked for the end has it also if one of the statements fails."""
    try:
        _run(connection, statements, ())
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


class Cursor:
    """What SQLAlchemy asks of a cursor; it holds nothing of the database's."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answer = Answer([], None, -1, None)

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Cursor":
        self._answer = await self._connection.run(sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        self._answer = await self._connection.run(sql, parameters, many=True)
        return self

    async def fetchall(self) -> list[Any]:
        return self._answer.rows

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def description(self) -> Any:
        return self._answer.description

    @property
    def rowcount(self) -> int:
        return self._answer.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._answer.lastrowid


def connect(database: str, **options: Any) -> Connection:
    """A connection to be awaited; its thread ends with the process."""
    connection = Connection(lambda: _opened(database, options), iter_chunk_size=64)
    connection._thread.daemon = True
    return connection


def _opened(database: str, options: dict[str, Any]) -> sqlite3.Connection:
    """On the connection's thread. The driver's own BEGIN would be deferred and give "database is locked" in mid-transaction."""
    connection: sqlite3.Connection = sqlite3.connect(database, isolation_level=None, **options)
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    until = time.monotonic() + BUSY_MS / 1000
    while not _writes_ahead(connection):
        if time.monotonic() > until:
            connection.close()
            raise sqlite3.OperationalError("database is locked")
        time.sleep(0.02)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _writes_ahead(connection: sqlite3.Connection) -> bool:
    """True once the file has a write-ahead log. Where two give a new file one, SQLite says "locked" at once, without waiting."""
    try:
        return bool(connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",))
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
