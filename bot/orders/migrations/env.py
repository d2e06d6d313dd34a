"""Run by Alembic: the connection comes from the host, there is no alembic.ini."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,  # SQLite's schema changes are transactional too, once the driver lets BEGIN through
)
with context.begin_transaction():
    context.run_migrations()
