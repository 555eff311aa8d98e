"""What Alembic runs: the migrations on the connection that `results.migration` gives it."""

from alembic import context

from results.schema import metadata, schema_revisions

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=schema_revisions.name,
)
context.run_migrations()
