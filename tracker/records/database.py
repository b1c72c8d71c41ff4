"""One transaction at a time: the engine, its two databases, what is retried and what waits for the commit."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, CursorResult, RowMapping, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.base import Executable

from tracker.errors import RecordsUnavailable
from tracker.records import sqlite as sqlite_trips
from tracker.records.failures import own_errors
from tracker.records.prepared import Prepared, Values, refuse_nul
from tracker.records.violations import Retry

IDLE_MS = 5_000
"""So long PostgreSQL waits for the next statement of a transaction; then it is rolled back (milliseconds)."""
TRIES = 4
"""The first try and three more after a deadlock, a serialisation failure or a locked database."""

type Row = RowMapping
type Statement = Executable | Prepared
"""One made once and run with values costs half of one that is made anew each time, and a `Prepared` one a fifth."""


def new_id() -> str:
    """A fresh id: 16 hexadecimal digits, 64 random bits."""
    return secrets.token_hex(8)


class Transaction:
    """One open transaction. Nothing done through it is kept before the ``async with`` that gave it has ended."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._told: list[Callable[[], Awaitable[None]]] = []
        self.sqlite = connection.dialect.name == "sqlite"

    async def _run(self, statement: Statement, values: Values | Sequence[Values] | None = None) -> CursorResult[Any]:
        with own_errors():
            return await self._connection.execute(statement.statement if isinstance(statement, Prepared) else statement, values)

    async def _trip(self, statement: Prepared, values: Values | None) -> sqlite_trips.Answer:
        """A statement that is compiled already, straight to SQLite."""
        sql, parameters = statement.bound(values or {})
        with own_errors():
            return await self._driver.run(sql, parameters)

    @property
    def _driver(self) -> sqlite_trips.Connection:
        return self._connection.sync_connection.connection.driver_connection  # type: ignore[union-attr,return-value]

    async def rows(self, statement: Executable) -> Sequence[Row]:
        """Every row of a SELECT (or of a RETURNING) as mappings."""
        return (await self._run(statement)).mappings().all()

    async def row(self, statement: Executable, values: Values | None = None) -> Row | None:
        """The only row of a SELECT, or None; more than one is a mistake and raises. ``values``: of its bound parameters."""
        return (await self._run(statement, values)).mappings().one_or_none()

    async def all[T](self, statement: Executable, kind: type[T]) -> list[T]:
        """Every row as a struct whose fields are the columns' names."""
        return [_made(row, kind) for row in await self.rows(statement)]

    async def one[T](self, statement: Executable, kind: type[T]) -> T | None:
        """The only row as a struct, or None."""
        row = await self.row(statement)
        return None if row is None else _made(row, kind)

    async def tuples(self, statement: Statement, values: Values | None = None) -> Sequence[tuple[Any, ...]]:
        """Every row as a tuple of its columns: for many rows at once."""
        if self.sqlite and isinstance(statement, Prepared):
            return statement.read((await self._trip(statement, values)).rows)
        return (await self._run(statement, values)).all()

    async def together(self, *asked: tuple[Prepared, Values]) -> list[Sequence[tuple[Any, ...]]]:
        """What `tuples` answers to each of them; on SQLite in one trip."""
        if not self.sqlite:
            return [await self.tuples(*each) for each in asked]
        sent = [sqlite_trips.Sent(*statement.bound(values)) for statement, values in asked]
        with own_errors():
            answers = await self._driver.run_all(sent)
        return [statement.read(answer.rows) for (statement, _), answer in zip(asked, answers, strict=True)]

    async def value(self, statement: Executable, values: Values | None = None) -> Any:
        """The first column of the first row, or None."""
        return (await self._run(statement, values)).scalar()

    async def change(self, statement: Statement, values: Values | Sequence[Values] | None = None) -> int:
        """Run an INSERT, UPDATE or DELETE, once or for many rows; how many it touched (−1 where the driver cannot tell)."""
        if self.sqlite and isinstance(statement, Prepared) and not isinstance(values, Sequence):
            return (await self._trip(statement, values)).rowcount
        return (await self._run(statement, values)).rowcount

    async def later(self, statement: Prepared, values: Values | Sequence[Values]) -> None:
        """A change that nobody wants an answer to: SQLite is told with the next statement, or with the commit.

        So it may be that one which raises what stands against this one; on PostgreSQL this one does.
        """
        if not self.sqlite:
            await self._run(statement, values)
        elif isinstance(values, Mapping):
            self._driver.later(sqlite_trips.Sent(*statement.bound(values)))
        else:
            self._driver.later(sqlite_trips.Sent(*statement.bound_many(values), many=True))

    async def alone(self, purpose: str) -> None:
        """Whoever says the same purpose waits until this transaction ends. On SQLite whoever writes is alone anyway."""
        if not self.sqlite:
            await self._run(select(func.pg_advisory_xact_lock(func.hashtext(purpose))))

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT on this database."""
        return sqlite.insert(table) if self.sqlite else postgresql.insert(table)

    def when_committed(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Run ``tell`` after the commit, in order; never if the transaction is rolled back."""
        self._told.append(tell)

    async def tell(self) -> None:
        """Run what waited for the commit (called once, by the database)."""
        for tell in self._told:
            await tell()


def _made[T](row: Row, kind: type[T]) -> T:
    return msgspec.convert({str(name): value for name, value in row.items()}, kind)  # the names are a subclass of str


class Database:
    """The only way to SQL: ``transaction`` to write, ``reading`` to read, ``retrying`` to write in spite of deadlocks."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = _engine(url, pool_size)
        self.sqlite = self.engine.dialect.name == "sqlite"
        snapshot = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._writes = self.engine.execution_options(tracker_writes=True)  # the same connections
        self._reads = self.engine.execution_options(**snapshot)
        # SQLite lets one writer in and makes the others poll with sleeps; within a process a queue is fairer and faster.
        self._writers = asyncio.Lock() if self.sqlite else None

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A writing transaction, committed at the end of the block and rolled back when the block raises.

        Errors: `ConstraintViolated` (with the constraint's name), `RecordsUnavailable` (the database does not answer, its disk
        is full, or somebody stood in the way: a deadlock, after which ``retrying`` begins anew by itself).
        """
        try:
            async with self._writing() as tx:
                yield tx
        except Retry as again:
            raise RecordsUnavailable from again

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[Transaction]:
        async with self._writers or contextlib.nullcontext(), self._begun(self._writes) as tx:
            yield tx
        await tx.tell()

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A reading transaction: every statement in it sees the same moment; it never waits for a writer."""
        async with self._begun(self._reads) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def _begun(self, engine: AsyncEngine) -> AsyncIterator[Transaction]:
        async with contextlib.AsyncExitStack() as stack:
            with own_errors():
                connection = await stack.enter_async_context(engine.connect())
                begun = await connection.begin()
            try:
                yield Transaction(connection)
            except BaseException:
                with own_errors():
                    await begun.rollback()
                raise
            with own_errors():
                await begun.commit()

    async def retrying[T](self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """``work`` inside ``transaction``, begun anew (≤ 3 times) after a deadlock, a serialisation failure or a lock."""
        for attempt in range(1, TRIES + 1):
            try:
                async with self._writing() as tx:
                    result = await work(tx)
                return result
            except Retry as again:
                if attempt == TRIES:
                    raise RecordsUnavailable from again
                await asyncio.sleep(secrets.randbelow(20 * attempt) / 1000)
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _engine(url: str, pool_size: int) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+asyncpg")
        # Whoever is cut off or stopped in the middle of a transaction keeps nobody else waiting for what it had locked.
        own = {"server_settings": {"idle_in_transaction_session_timeout": str(IDLE_MS)}}
        kept = {"pool_size": pool_size, "max_overflow": 10, "pool_timeout": 10}
        return create_async_engine(parsed, connect_args=own, pool_pre_ping=True, **kept)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise ValueError("the database is sqlite:///FILE or postgresql://…")
    # A connection beyond the pool would be a new thread and four pragmas for a single use, and no faster: they share a core.
    kept = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30}
    creator = {"async_creator_fn": sqlite_trips.connect}
    engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), connect_args=creator, **kept)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "before_cursor_execute", _refuse_nul)
    return engine


def _refuse_nul(_connection: object, _cursor: object, _statement: str, parameters: Any, _context: object, many: bool) -> None:
    for row in parameters if many else (parameters,):
        refuse_nul(row)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tracker_writes", False)
    connection.connection.driver_connection.begin(sqlite_trips.WRITES if writes else sqlite_trips.READS)  # type: ignore[union-attr]
