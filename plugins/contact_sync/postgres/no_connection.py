"""Why there is no connection to PostgreSQL, told apart by what libpq, OpenSSL, the server or
PgBouncer says: one sentence each, with the fix. Pure.

Without a connection there is no SQLSTATE. A server may speak another language (lc_messages): what
isn't recognised then passes, and is told once the tries for that are used up.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LOGIN, TLS, AWAY = (
    "refused the login: ",
    "can't be reached safely: TLS failed. ",
    "can't be reached. ",
)
UNKNOWN_AUTHORITY = (
    TLS + "An authority that isn't trusted here vouches for the server's certificate: name it in "
    "sslrootcert of the connection's extra; or the server doesn't send the certificates in between"
)


class Cause(NamedTuple):
    """`said`: any of these occurs in the text. `passes`: trying again may help."""

    said: tuple[str, ...]
    sentence: str
    passes: bool = False


CAUSES = (
    Cause(
        ("root certificate file",),
        TLS
        + "The file of authorities that may vouch for the server isn't there: correct sslrootcert "
        "in the connection's extra, for every process that connects; sslrootcert=system takes the"
        " machine's own",
    ),
    Cause(
        ("certificate has expired",),
        TLS + "The server's certificate, or that of its authority, has expired: renew it at the "
        "server and reload; or this machine's clock is fast",
    ),
    Cause(
        ("certificate is not yet valid",),
        TLS + "The server's certificate, or that of its authority, isn't valid yet: set this "
        "machine's clock, or issue the certificate again with an earlier beginning",
    ),
    Cause(
        ("certificate revoked",),
        TLS + "The server's certificate is revoked in the list that sslcrl names: give the server "
        "a new one",
    ),
    Cause(  # in both spellings, of OpenSSL 3 and before; what is in a chain is an authority
        ("self-signed certificate in certificate chain", "self signed certificate in"),
        UNKNOWN_AUTHORITY,
    ),
    Cause(
        ("self-signed certificate", "self signed certificate"),
        TLS + "The server's certificate is signed by itself and trusted by nobody here: name its "
        "own file in sslrootcert of the connection's extra, or give the server one of an authority",
    ),
    Cause(
        ("unable to get local issuer", "unable to get issuer", "unable to verify the first"),
        UNKNOWN_AUTHORITY,
    ),
    Cause(
        ("certificate verify failed",),
        TLS + "The server's certificate can't be verified: see that its authority is the one in "
        "sslrootcert of the connection's extra, and that it is valid now and made for a server",
    ),
    Cause(
        ("does not match host name",),
        TLS + "The server's certificate is for another name: write the name that is in it as the "
        "connection's host, and the address, if it differs, as hostaddr in the extra",
    ),
    Cause(
        ("does not support SSL",),
        TLS
        + "The server has no TLS: switch it on there (ssl = on; client_tls_sslmode at PgBouncer), "
        "or, if nobody can listen in between, say sslmode in the connection's extra",
    ),
    Cause(
        (
            "client certificate",
            "certificate authentication failed",
            "private key",
            "certificate file",
            "certificate required",
            "unknown ca",
        ),
        TLS
        + "The server doesn't take this client's certificate: correct sslcert and sslkey in the "
        "connection's extra (the key's file may be read by its owner only)",
    ),
    Cause(
        ("no encryption", "SSL required"),
        LOGIN
        + "The server takes none without TLS from this machine, to this role and database: say "
        "sslmode=verify-full in the connection's extra, or allow it in the server's pg_hba.conf",
    ),
    Cause(
        ("no pg_hba.conf entry", "pg_hba.conf rejects"),
        LOGIN
        + "The server's pg_hba.conf allows none from this machine, to this role and database: add a"
        " line there, and reload",
    ),
    Cause(
        ("no password supplied", "password is required"),
        LOGIN + "The connection has no password: add it",
    ),
    Cause(
        ("statement pooling mode",),
        "is behind a pooler in statement mode, where no transaction is possible: say pool_mode = "
        "transaction or session for it",
    ),
    Cause(
        ("unsupported startup parameter",),
        "is behind a pooler that refuses a setting of the login: unset PGOPTIONS where this runs,"
        " or name the setting in the pooler's ignore_startup_parameters",
    ),
    Cause(
        ("permission denied for database",),
        LOGIN + "The role may not connect to this database: GRANT CONNECT, as roles.sql does",
    ),
    Cause(
        ("is not permitted to log in",),
        LOGIN + "The role may not log in: ALTER ROLE … LOGIN, or correct the connection's login",
    ),
    Cause(
        ("not currently accepting connections",),
        LOGIN
        + "The database takes none: somebody has said ALLOW_CONNECTIONS false; correct that, or the"
        " connection's database",
    ),
    Cause(
        ("authentication failed", "no such user", 'role "" does not exist'),
        LOGIN + "Wrong password, or no such role: correct the connection's login and password",
    ),
    Cause(
        ("no such database", 'database "" does not exist'),
        LOGIN
        + "The server has no such database: correct the connection's database (Airflow's form calls"
        " it Schema or Database)",
    ),
    Cause(
        (
            "invalid response to SSL negotiation",
            "expected authentication request",
            "unsupported frontend protocol",
        ),
        AWAY + "What answers there isn't PostgreSQL: correct the connection's host and port",
    ),
    Cause(
        (
            "bad value for",
            "invalid integer value",
            "invalid port",
            "invalid sslmode",
            "invalid URI",
            "invalid connection option",
            "definition of service",
            "service file",
        ),
        AWAY + "The connection has a value that isn't possible: correct its host, port and extra",
    ),
    Cause(
        (
            "wrong version",
            "handshake failure",
            "unsupported protocol",
            " alert ",
            "sslmode",
            "certificate",
        ),
        TLS + "Correct sslmode, sslrootcert and the TLS versions in the connection's extra, or the "
        "server's certificate",
    ),
    Cause(
        (
            "session is read-only",
            "session is not read-only",
            "server is in hot standby mode",
            "server is not in hot standby mode",
        ),
        AWAY
        + "No server is of the kind that target_session_attrs in the connection's extra asks for, "
        "as while one takes over",
        passes=True,
    ),
    Cause(
        ("could not translate host name", "failed to resolve host", "Name or service not known"),
        AWAY
        + "The host's name isn't known to DNS here: correct the connection's host, or the name "
        "server",
        passes=True,
    ),
    Cause(
        ("Connection refused", "No such file or directory"),
        AWAY
        + "Nothing listens there: correct the connection's host and port, and see that the server "
        "runs and listens to others (listen_addresses)",
        passes=True,
    ),
    Cause(
        ("timeout expired", "timed out", "No route to host", "Network is unreachable"),
        "gave no answer: correct the connection's host and port, and see whether a firewall is in"
        " between, or a proxy whose server is silent",
        passes=True,
    ),
    Cause(
        ("too many", "remaining connection slots", "no more connections"),
        AWAY
        + "It has no connection left: raise max_connections or the role's limit, or use fewer at a "
        "time",
        passes=True,
    ),
    Cause(
        ("starting up", "shutting down", "recovery mode", "not yet accepting connections"),
        AWAY + "The server is starting or stopping",
        passes=True,
    ),
)
"""The first that fits counts: before what passes stands what needs a person, since of several hosts
each says something; and before a short word the texts that hold it, too."""
UNKNOWN = Cause(
    (), "can't be reached, or broke off: check the connection's host, port, login and password, "
    "and that the server runs", passes=True,
)  # fmt: skip
_NAMES = re.compile(r'"[^"\n]*"')


def cause(text: str) -> Cause:
    """The cause that a text without an SQLSTATE tells of; UNKNOWN passes."""
    nameless = _NAMES.sub('""', text)  # a role may be called "too many"
    return next((c for c in CAUSES if any(words in nameless for words in c.said)), UNKNOWN)
