"""Bring the state database's schema to this version (alembic; include/sql/state/migrations)."""

from __future__ import annotations

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from contact_sync.base.errors import ConfigError, SyncError
from contact_sync.postgres.faults import meaning
from contact_sync.state import statements
from contact_sync.state.database import WHAT, connect
from contact_sync.state.statements import FOLDER

SQL = statements.load("migrate")
MIGRATIONS = FOLDER / "migrations"
COMMENTS = FOLDER / "comments.sql"


def migrate(dsn: str) -> None:
    """Create or upgrade the schema `contact_sync`; safe to repeat, one transaction.

    Raises ConfigError or RetryableError when the database can't be reached, ConfigError when it
    can't hold every text, or the role may not create the schema.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(  # libpq reads the URL: SQLAlchemy leaves %2F in names as it is
        "postgresql+psycopg://",
        creator=lambda: connect(dsn, psycopg.Connection),
        poolclass=NullPool,
    )
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(SQL["wait_for_others"])
            refuse_encoding(connection.exec_driver_sql(SQL["other_encoding"]).scalar())
            if connection.exec_driver_sql(SQL["schema"]).scalar() is None:
                connection.exec_driver_sql(SQL["create_schema"])
            has_evidence = connection.exec_driver_sql(SQL["has_evidence"]).scalar()
            if has_evidence:
                connection.exec_driver_sql(SQL["create_whole"])
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if has_evidence:
                connection.exec_driver_sql(SQL["renew_whole"])
            connection.exec_driver_sql(COMMENTS.read_text(encoding="utf-8"))
    except CommandError:
        raise ConfigError(
            "The state database's schema is of a version that this code doesn't know: use the "
            "newer code"
        ) from None
    except SQLAlchemyError as error:
        raise _told(error) from None


def refuse_encoding(other: object) -> None:
    """Raise ConfigError for a new database in another encoding (statement `other_encoding`)."""
    if other:
        raise ConfigError(
            f"{WHAT} is encoded in {other}, which has no place for every name and address: make "
            f"one in UTF8 from template0, and use that"
        )


def _told(error: SQLAlchemyError) -> SyncError:
    told = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(told, psycopg.OperationalError):
        return meaning(told.sqlstate or "", str(told), WHAT)
    code = getattr(told, "sqlstate", None) or type(error).__name__
    return ConfigError(
        f"{WHAT} can't be migrated ({code}): see that the role may create the schema contact_sync "
        f"(include/sql/state/roles.sql)"
    )
