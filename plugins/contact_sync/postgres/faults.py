"""What an error of PostgreSQL means: whether trying again may help, or a person has to act.

The server's text is told only where it can hold no value of a row (syntax, missing objects,
permissions, login), because PostgreSQL quotes rows in other errors.
"""

from __future__ import annotations

import re

from psycopg import errors

from contact_sync.base.errors import ConfigError, FatalError, RetryableError, SyncError
from contact_sync.postgres.no_connection import UNKNOWN, cause

PASSING = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATEs after which the same may work in a moment: a lost connection, a server that
has become read-only by a fail-over (25006), deadlocks, too many connections, locks, shutdowns,
errors of its machine."""
_PROTOCOL = "08P01"
"""What PgBouncer says instead of a login, or when it has no connection to the server."""
_HARMLESS_TEXT = ("0A", "42", "3D", "28", "3F")
_DATA = ("21", "22")
_OF_A_ROW = (
    ": a row holds what the statement's cast, calculation or subquery can't take. Correct the row, "
    "or the statement"
)
_WELL_KNOWN = {
    "25006": "it is read-only, as a server is that a fail-over left behind",
    "40001": "a standby's replay cancelled it; a primary or hot_standby_feedback helps",
    "55P03": "a table was locked for longer than the lock time-out, as a migration does",
    "57014": "it took longer than its statement time-out, or somebody cancelled it. Look for a "
    "lock or a slow plan (pg_stat_activity). B2CORE's time-out is `statement_timeout_seconds` in "
    "the definition's `source`",
}


def meaning(state: str, text: str, what: str) -> SyncError:
    """The error to raise; `state` is the SQLSTATE, "" if there is none: no connection.

    `what` names the database. RetryableError: trying again may help; ConfigError and FatalError:
    it doesn't.
    """
    error = _meaning(state, text, what)
    error.about = what
    return error


def _meaning(state: str, text: str, what: str) -> SyncError:
    found = cause(text) if state in ("", _PROTOCOL) else UNKNOWN
    if not state or found is not UNKNOWN:
        error = RetryableError if found.passes else ConfigError
        return error(f"{what} {found.sentence}")
    if state.startswith(PASSING):
        why = _WELL_KNOWN.get(state, f"SQLSTATE {state}. Trying again may help")
        return RetryableError(f"{what} gave up in the middle: {why}")
    if state == "42501" and "row-level security" in text:
        return ConfigError(
            f"{what} refused a statement ({state}): {_first_line(text)}. A policy would hide rows "
            f"from this role, and what it hides would look deleted: give the role BYPASSRLS "
            f"(ALTER ROLE … BYPASSRLS), or views whose owner sees every row"
        )
    if state.startswith(_HARMLESS_TEXT):
        return ConfigError(f"{what} refused a statement ({state}): {_first_line(text)}")
    said = f"{what} refused a statement (SQLSTATE {state}{_name_of(state)})"
    return FatalError(said + _OF_A_ROW * state.startswith(_DATA))


def _name_of(state: str) -> str:
    """PostgreSQL's own name of the condition; it holds nothing of a row."""
    try:
        name = errors.lookup(state).__name__
    except KeyError:
        return ""
    return ": " + re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _first_line(text: str) -> str:
    """What PostgreSQL says; the driver puts the statement before it."""
    _, mark, said = text.rpartition("ERROR:")
    return (said.strip() if mark else text).split("\n", 1)[0][:300]
