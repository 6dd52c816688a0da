"""Alembic's entry: run the migrations on the connection that the caller opened, or write them."""

from __future__ import annotations

from alembic import context

if context.is_offline_mode():
    # "named": psycopg's own style would double each per cent sign.
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        version_table_schema="contact_sync",
        transactional_ddl=False,
    )
else:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, version_table_schema="contact_sync")
with context.begin_transaction():
    context.run_migrations()
