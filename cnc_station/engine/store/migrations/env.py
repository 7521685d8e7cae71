"""Runs the migrations on the connection that `store.migrate` hands over, in its transaction."""

from alembic import context

from cnc_station.engine.store.webhook_tables import webhook

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=webhook.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
