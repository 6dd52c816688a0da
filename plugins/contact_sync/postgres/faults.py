"""What an error of PostgreSQL means: whether trying again may help, or a person has to act.

The server's text is told only where it can hold no value of a row (syntax, missing objects,
permissions, login), because PostgreSQL quotes rows in other errors.
"""

from __future__ import annotations

from contact_sync.base.errors import ConfigError, FatalError, RetryableError, SyncError

PASSING = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATEs after which the same may work in a moment: a lost connection, a server that
has become read-only by a fail-over (25006), deadlocks, too many connections, locks, shutdowns,
errors of its machine."""
_HARMLESS_TEXT = ("42", "3D", "28", "3F")
_WELL_KNOWN = {
    "25006": "it is read-only, as a server is that a fail-over left behind",
    "40001": "a standby's replay cancelled it; a primary or hot_standby_feedback helps",
    "55P03": "a table was locked for longer than the lock time-out, as a migration does",
    "57014": "it took longer than its statement time-out or was cancelled",
}
_REFUSED_LOGIN = (
    "authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry",
    "is not permitted to log in", "not currently accepting connections",
    "permission denied for database", "password is required", "no such user", "no such database",
)  # fmt: skip
"""What a login without an SQLSTATE is refused with, in English; in another language it is taken
for passing, and told after the tries for that are used up."""
_REFUSED_TLS = (
    "certificate", "does not support SSL", "sslmode", "root.crt", "private key", "wrong version",
    "handshake failure", "unsupported protocol", " alert ", "verify failed",
)  # fmt: skip
"""Not "SSL error" alone: OpenSSL says that of a connection that broke off, too."""


_FILE = " file "
"""A certificate's file that does not exist is no user who does not exist."""


def meaning(state: str, text: str, what: str) -> SyncError:
    """The error to raise; `state` is the SQLSTATE, "" if there is none: no connection.

    `what` names the database. RetryableError: trying again may help; ConfigError and FatalError:
    it doesn't.
    """
    if not state:
        return _without_connection(text, what)
    if state.startswith(PASSING):
        why = _WELL_KNOWN.get(state, "trying again may help")
        return RetryableError(f"{what} gave up in the middle ({state}): {why}")
    if state == "42501" and "row-level security" in text:
        return ConfigError(
            f"{what} refused a statement ({state}): {_first_line(text)}. A policy would hide rows "
            f"from this role, and what it hides would look deleted: give the role BYPASSRLS, or "
            f"views whose owner sees every row"
        )
    if state.startswith(_HARMLESS_TEXT):
        return ConfigError(f"{what} refused a statement ({state}): {_first_line(text)}")
    return FatalError(f"{what} refused a statement (SQLSTATE {state})")


def _without_connection(text: str, what: str) -> SyncError:
    is_tls = any(words in text for words in _REFUSED_TLS)
    if any(words in text for words in _REFUSED_LOGIN) and not (is_tls and _FILE in text):
        return ConfigError(
            f"{what} refused the login: correct the connection's login, password or database name"
        )
    if is_tls:
        return ConfigError(
            f"{what} can't be reached safely: TLS failed. Correct the connection's sslmode and "
            f"sslrootcert, or the server's certificate"
        )
    return RetryableError(
        f"{what} can't be reached, or broke off: check the connection's host, port, login and "
        f"password, and that the server runs"
    )


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0][:300]
