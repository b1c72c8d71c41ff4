"""Write a new revision: ``python -m tracker.records.migrations "Say what changes"``."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command

from tracker.records.database import Database
from tracker.records.migrations import migrate, settings


async def write(sentence: str) -> None:
    """Compare the schema with a database at the newest revision, and write down what differs."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'now.sqlite'}")
        await migrate(database)
        async with database.engine.connect() as connection:
            await connection.run_sync(lambda sync: command.revision(settings(sync), sentence, autogenerate=True))
        await database.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]))
