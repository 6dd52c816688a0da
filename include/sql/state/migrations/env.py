"""Alembic's entry: run the migrations on the connection that the caller opened."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="contact_sync")
with context.begin_transaction():
    context.run_migrations()
