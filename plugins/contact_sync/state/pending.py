"""What `migrate` would do: the migrations that a database lacks, in words and as SQL."""

from __future__ import annotations

import io
from dataclasses import dataclass

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from contact_sync.base.errors import ConfigError
from contact_sync.state.database import SCHEMA_VERSION, SQL, connect, translated
from contact_sync.state.migrate import COMMENTS, MIGRATIONS, refuse_encoding
from contact_sync.state.migrate import SQL as AROUND
from contact_sync.state.statements import FOLDER

BEGINNING = FOLDER / "pending.sql"


@dataclass(frozen=True, slots=True)
class Pending:
    """`found`: the schema's version, None = there is no schema. `steps`: number and meaning of each
    migration that it lacks, the oldest first. `role`: whose connection it is."""

    found: str | None
    steps: tuple[tuple[str, str], ...]
    role: str
    has_schema: bool
    has_evidence: bool


def pending(dsn: str) -> Pending:
    """Look at a state database; changes nothing.

    Raises ConfigError or RetryableError when it can't be reached, ConfigError when its schema is
    newer than this code.
    """
    with translated(), connect(dsn, psycopg.Connection) as connection:

        def ask(query: str) -> object:
            row = connection.execute(query.encode()).fetchone()
            return row[0] if row else None

        refuse_encoding(ask(AROUND["other_encoding"]))
        found = ask(SQL["version"]) if ask(SQL["is_migrated"]) else None
        role, has_schema = connection.info.user, ask(AROUND["schema"]) is not None
        has_evidence = bool(ask(AROUND["has_evidence"]))
    if found and str(found) > SCHEMA_VERSION:
        raise ConfigError(
            f"The state database's schema is at version {found}, newer than this code's "
            f"{SCHEMA_VERSION}: use the newer code"
        )
    known = str(found) if found else None
    return Pending(known, _steps(known), role, has_schema, has_evidence)


def _steps(found: str | None) -> tuple[tuple[str, str], ...]:
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    every = [(script.revision, str(script.doc)) for script in scripts]
    return tuple(sorted(step for step in every if not found or step[0] > found))


def as_sql(database: Pending) -> str:
    """A file for psql that does what `migrate` would, comments included; "" when nothing is
    pending."""
    if not database.steps:
        return ""
    filled = {
        "found": database.found or "none", "version": SCHEMA_VERSION,
        "role": database.role.replace('"', '""'), "wait_for_others": AROUND["wait_for_others"],
    }  # fmt: skip
    beginning = BEGINNING.read_text(encoding="utf-8")
    for name, value in filled.items():
        beginning = beginning.replace(f"%({name})s", value)
    parts = [
        beginning,
        "" if database.has_schema else f"{AROUND['create_schema']};",
        f"{AROUND['create_whole']};" if database.has_evidence else "",
        _migrations(database.found),
        f"{AROUND['renew_whole']};" if database.has_evidence else "",
        COMMENTS.read_text(encoding="utf-8"),
        "COMMIT;",
    ]
    return "\n\n".join(part.strip() for part in parts if part)


def _migrations(found: str | None) -> str:
    """What alembic would execute, with its own table of versions."""
    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(MIGRATIONS))
    command.upgrade(config, f"{found}:head" if found else "head", sql=True)
    return written.getvalue()
