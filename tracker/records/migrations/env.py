"""Alembic's entry: runs the revisions on the connection it is handed (see the package)."""

from alembic import context

from tracker.records.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
    user_module_prefix="",
)
context.run_migrations()
