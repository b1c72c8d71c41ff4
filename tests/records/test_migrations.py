"""The revisions make exactly the schema of the page, on both databases, as often and from as many processes as you like."""

import asyncio
import re

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from tests.servers import Postgres
from tracker.records.database import Database
from tracker.records.migrations import behind, migrate
from tracker.records.schema import metadata


async def test_migrated_is_the_schema(empty_database_url: str) -> None:
    db = Database(empty_database_url)
    assert await behind(db)
    await migrate(db)
    assert not await behind(db)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        return list(compare_metadata(context, metadata))

    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await db.close()


async def _described(db: Database) -> set[str]:
    """Indexes with their conditions, and constraints: what Alembic's own comparison leaves out."""
    if db.sqlite:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
    else:
        query = """SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename != 'alembic_version' UNION ALL
            SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text != 'alembic_version'"""
    async with db.reading() as tx:
        said = [str(next(iter(row.values()))) for row in await tx.rows(text(query))]
    if not db.sqlite:
        return set(said)
    # a table's parts may stand in any order
    return {
        part.strip(' \n\t,()"') for sql in said for part in re.split(r"\n|,(?= *CONSTRAINT)|(?= CONSTRAINT)|, (?=\w+ [A-Z])", sql)
    } - {""}


async def test_conditions_and_constraints_are_the_same_on_sqlite(empty_sqlite_url: str) -> None:
    await _same(Database(empty_sqlite_url), Database(empty_sqlite_url + "2"))


async def test_conditions_and_constraints_are_the_same_on_postgresql(postgres: Postgres) -> None:
    names = [postgres.create(), postgres.create()]
    await _same(*(Database(postgres.url(name)) for name in names))
    for name in names:
        postgres.drop(name)


async def _same(migrated: Database, created: Database) -> None:
    await migrate(migrated)
    async with created.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    one, other = await _described(migrated), await _described(created)
    if migrated.sqlite:  # create_all leaves out the key that closes the circle of devices and technicians; the revision does not
        other.add("CONSTRAINT fk_devices_technician_id FOREIGN KEY(technician_id) REFERENCES technicians (id")
    assert one == other
    assert len(one) > 40
    await migrated.close()
    await created.close()


async def test_many_may_migrate_at_once(empty_database_url: str) -> None:
    first, second = Database(empty_database_url), Database(empty_database_url)
    await asyncio.gather(migrate(first), migrate(second), migrate(first))
    assert not await behind(second)
    await first.close()
    await second.close()
