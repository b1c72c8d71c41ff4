"""The database's history: one Alembic revision a change of `schema.py`, run by ``tracker migrate``.

A new one: change ``schema.py``, then ``python -m tracker.records.migrations "Say what changes"`` and read what it wrote.
"""

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from tracker.records.database import Database
from tracker.records.failures import own_errors

HERE = Path(__file__).parent


def settings(connection: Connection | None = None) -> Config:
    """Alembic's own configuration, made here so that no ini file has to be found at run time."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database, target: str = "head") -> None:
    """Bring the database to a revision; running it again changes nothing. Errors as in `Database.transaction`.

    Two processes may start at once: SQLite's BEGIN IMMEDIATE and PostgreSQL's lock make the second one wait and find all done.
    """
    with own_errors():
        async with database.engine.connect() as connection:
            await connection.execution_options(tracker_writes=True)
            async with connection.begin():
                # SQLite's lock comes with the first statement, and Alembic's state is one for the whole process: wait here
                await connection.exec_driver_sql("SELECT 1" if database.sqlite else "SELECT pg_advisory_xact_lock(7319402)")
                await connection.run_sync(lambda sync: command.upgrade(settings(sync), target))


async def behind(database: Database) -> bool:
    """True if ``migrate`` has something to do."""
    with own_errors():
        async with database.engine.connect() as connection:
            current = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    return current != newest()


@functools.cache
def newest() -> str | None:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(settings()).get_current_head()
