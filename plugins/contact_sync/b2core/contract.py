"""Whether a source's statements keep the contract (include/sql/b2core/README.md): looked at with
their own rows, because PostgreSQL accepts statements that lose clients without a word.

Reads every client once, as a full run does. Nothing that it says holds a value other than ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from contact_sync.b2core.reader import Snapshot
from contact_sync.b2core.watched_tables import changes_findings
from contact_sync.base.client_names import called
from contact_sync.base.errors import SyncError
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import MAX_KEY, MAX_REASONS
from contact_sync.config.source import ChangeDetection

EVERY_ID = {"first_id": -(2**63), "last_id": 2**63 - 1, "ids": None}
SAMPLES = 3
FIX_AGAIN = (
    "fix its joins; if the table has several rows with this key, make the id of all its columns; "
    "where ids are made of keys, two keys may have the same hash: make them with another seed than "
    "0, in every statement"
)
_IDS = """
SELECT
    count(*) AS clients,
    count(*) - count(client_id) AS without_id,
    count(client_id) - count(DISTINCT client_id) AS again,
    percentile_disc(ARRAY[0, 0.5, 1]) WITHIN GROUP (ORDER BY client_id) AS samples,
    count(*) FILTER (WHERE lower(btrim(exclusion)) IN ({no})) AS saying_no,
    min(client_id) FILTER (WHERE lower(btrim(exclusion)) IN ({no})) AS saying_no_id,
    count(DISTINCT exclusion) AS reasons,
    count(exclusion) AS excluded
FROM (
{scan}
) AS scan
"""
SAYING_NO = "'', 'f', 'false', 'n', 'no', 'none', 'null', '0', '-'"
"""Texts of an exclusion that are meant as none, and exclude: only NULL sends a client."""
_BOTH = """
SELECT
    count(*) FILTER (WHERE clients.client_id IS NULL) AS only_scan,
    min(scan.client_id) FILTER (WHERE clients.client_id IS NULL) AS only_scan_id,
    count(*) FILTER (WHERE scan.client_id IS NULL) AS only_clients,
    min(clients.client_id) FILTER (WHERE scan.client_id IS NULL) AS only_clients_id,
    count(*) FILTER (WHERE scan.email IS DISTINCT FROM clients.email) AS other_email,
    min(scan.client_id) FILTER (WHERE scan.email IS DISTINCT FROM clients.email) AS other_email_id,
    count(*) FILTER (WHERE scan.exclusion IS DISTINCT FROM clients.exclusion) AS other_exclusion,
    min(scan.client_id)
        FILTER (WHERE scan.exclusion IS DISTINCT FROM clients.exclusion) AS other_exclusion_id,
    count(clients.client_id) - count(DISTINCT clients.client_id) AS again,
    count(*) FILTER (WHERE clients.exclusion IS NULL AND clients.status ~* {ended}) AS ended
FROM (
{scan}
) AS scan
FULL JOIN (
    SELECT client_id, "{email}" AS email, exclusion, {status}::text AS status FROM (
    {clients}
    ) AS clients
) AS clients ON scan.client_id = clients.client_id
"""
ENDED = "'(delet|bann|block|terminat|closed|anonym)'"
"""Statuses of clients that a broker may not want to write to, as a pattern."""
_KEYS = """
SELECT
    count(*) FILTER (WHERE client_key IS NULL) AS without_key,
    count(client_key) - count(DISTINCT client_key::text) AS again,
    count(*) FILTER (WHERE length(client_key::text) > {longest}) AS too_long
FROM (
{clients}
) AS clients
"""
_KEY = """
SELECT max(client_key::text) AS key FROM (
{clients}
) AS clients
WHERE client_id = {client_id}
"""
_WITHIN = """
SELECT count(*) AS clients, count(*) FILTER (WHERE client_id <> {client_id}) AS others
FROM (
{clients}
) AS clients
"""


def contract_findings(
    snapshot: Snapshot, detection: ChangeDetection, email: str, read: Sequence[str]
) -> Iterator[Finding]:
    """What is so about the statements; `email` is the mapped column of clients.sql, `read` are all
    that a run reads of it.

    One at a time, each as soon as it is known: the whole takes as long as reading all clients.
    """
    samples: list[int] = []
    try:
        for look in (_scan, _clients, _keys, _bounds):
            yield from look(snapshot, samples, email)
        yield from changes_findings(snapshot, detection)
    except SyncError as error:
        yield Finding(Area.B2CORE, "statements", Judgement.WRONG, str(error))
        return
    yield _values(snapshot, read)


def _scan(snapshot: Snapshot, samples: list[int], _email: str) -> Iterator[Finding]:
    row = snapshot.row(_IDS.format(scan=snapshot.text("scan"), no=SAYING_NO), "scan")
    samples += sorted(set(row["samples"] or []))
    if not row["clients"]:
        yield Finding(
            Area.B2CORE, "scan.sql", Judgement.WARNING, "it gives no client: is B2CORE empty?",
            "look at its tables and conditions",
        )  # fmt: skip
    if row["without_id"]:
        yield _wrong(
            "scan.sql", f"{count(row['without_id'], 'row has', 'rows have')} no "
            f"client_id", "leave them out, or join "
            "the table that has it",
        )  # fmt: skip
    if row["saying_no"]:
        what = "excluded by a text that is empty or says no: all but NULL excludes"
        yield Finding(
            Area.B2CORE, "scan.sql", Judgement.WARNING, _whose(snapshot, row, "saying_no", what),
            "write NULLIF(exclusion, '') or a CASE, here and in clients.sql, if they may be sent",
        )  # fmt: skip
    if row["reasons"] > MAX_REASONS:
        yield Finding(
            Area.B2CORE, "scan.sql", Judgement.WARNING,
            f"{row['reasons']:,} different exclusions: reports tell {MAX_REASONS} of them apart",
            "give a few fixed texts, without anything personal: logs and reports show them",
        )  # fmt: skip
    if row["again"]:
        yield _wrong("scan.sql", _again(row["again"]), FIX_AGAIN)
    if row["clients"] and not row["without_id"] and not row["again"]:
        yield _right("scan.sql", f"{count(row['clients'], 'client')}, each once; {_excluded(row)}")


def _excluded(row: dict[str, Any]) -> str:
    """How many clients aren't sent, which is a question of consent."""
    if row["excluded"]:
        return f"{row['excluded']:,} of them are excluded, for {row['reasons']:,} reasons"
    return (
        "nobody is excluded: deleted and banned clients, and those without consent, are sent, too; "
        "docs/first-connection.md, Who is sent"
    )


def _clients(snapshot: Snapshot, _samples: list[int], email: str) -> Iterator[Finding]:
    texts = {"scan": snapshot.text("scan"), "clients": snapshot.text("clients", EVERY_ID)}
    status = "status" if "status" in snapshot.columns().names else "NULL"
    statement = _BOTH.format(**texts, email=email, status=status, ended=ENDED)
    row = snapshot.row(statement, "clients")
    said = {
        "only_scan": ("in scan.sql but not in clients.sql: they would never be sent",
                      "give both the same conditions, and join what may be missing LEFT"),
        "only_clients": ("in clients.sql but not in scan.sql: they would never be looked at",
                         "give both the same tables and conditions"),
    }  # fmt: skip
    counts = dict(row)
    found = False
    for key, (what, fix) in said.items():
        if counts[key]:
            found = True
            yield _wrong("clients.sql", _whose(snapshot, counts, key, what), fix)
    if counts["again"]:
        found = True
        yield _wrong("clients.sql", _again(counts["again"]), FIX_AGAIN)
    # A client that only one of them has differs in everything.
    alone = counts["only_scan"] + counts["only_clients"]
    for key, column in (("other_email", "email"), ("other_exclusion", "exclusion")):
        if counts[key] and not alone:
            found = True
            what = f"with another {column} in scan.sql than in clients.sql"
            yield _wrong(
                "clients.sql", _whose(snapshot, counts, key, what), "write the same in both"
            )
    if not found:
        ended = f"; {counts['ended']:,} with a status such as Deleted or Banned are sent"
        told = ended if counts["ended"] else ""
        yield _right("clients.sql", f"the same clients as scan.sql, each once{told}")


def _keys(snapshot: Snapshot, _samples: list[int], _email: str) -> Iterator[Finding]:
    """Of a source that gives keys: whether people can tell its clients by them."""
    if "client_key" not in snapshot.columns().names:
        return
    clients = snapshot.text("clients", EVERY_ID)
    counts = dict(snapshot.row(_KEYS.format(clients=clients, longest=MAX_KEY), "clients"))
    said = {
        "without_key": "without a client_key, shown by id",
        "too_long": f"with a client_key of more than {MAX_KEY} characters, shown by id",
        "again": "with the client_key of another client: a look-up finds all of them",
    }
    for key, what in said.items():
        if counts[key]:
            yield Finding(
                Area.B2CORE, "clients.sql", Judgement.WARNING,
                f"{count(counts[key], 'client')} {what}",
                "give the column that identifies a client in B2CORE",
            )  # fmt: skip
    if not any(counts.values()):
        yield _right("clients.sql", "every client has a key of its own")


def _bounds(snapshot: Snapshot, samples: list[int], _email: str) -> Iterator[Finding]:
    for client_id in samples[:SAMPLES]:
        for bounds in (
            {"first_id": client_id, "last_id": client_id, "ids": None},
            {**EVERY_ID, "ids": [client_id]},
        ):
            clients = snapshot.text("clients", bounds)
            row = snapshot.row(_WITHIN.format(clients=clients, client_id=client_id), "clients")
            if row["others"]:
                which = "%(ids)s" if bounds["ids"] else "%(first_id)s and %(last_id)s"
                yield _wrong(
                    "clients.sql", f"it gives clients outside of {which}, so that each is read and "
                    f"sent several times", "copy those of include/sql/b2core/clients.sql",
                )  # fmt: skip
                return
    yield _right("clients.sql", "it keeps to the bounds that it is given")


def _values(snapshot: Snapshot, read: Sequence[str]) -> Finding:
    """Whether all values can be read: a cast, a calculation, or bytes that are no text, fail only
    where a value is asked for, and the server needs none of them to count rows."""
    try:
        for _ in snapshot.rows(read, snapshot.text("clients", EVERY_ID)):
            pass
    except SyncError as error:
        return Finding(Area.B2CORE, "clients.sql", Judgement.WRONG, str(error))
    return _right("clients.sql", "every value of a mapped column can be read")


def _again(rows: int) -> str:
    return f"{count(rows, 'row gives', 'rows give')} a client again"


def _whose(snapshot: Snapshot, counts: dict[str, Any], key: str, what: str) -> str:
    client_id = counts[f"{key}_id"]
    who = "-" if client_id is None else called(client_id, _key_of(snapshot, client_id))
    few = f"client {who}" if counts[key] == 1 else f"such as {who}"
    return f"{count(counts[key], 'client is', 'clients are')} {what} ({few})"


def _key_of(snapshot: Snapshot, client_id: int) -> str | None:
    if "client_key" not in snapshot.columns().names:
        return None
    clients = snapshot.text("clients", {**EVERY_ID, "ids": [client_id]})
    row = snapshot.row(_KEY.format(clients=clients, client_id=client_id), "clients")
    return None if row["key"] is None else str(row["key"])


def _right(subject: str, text: str) -> Finding:
    return Finding(Area.B2CORE, subject, Judgement.OK, text)


def _wrong(subject: str, text: str, fix: str) -> Finding:
    return Finding(Area.B2CORE, subject, Judgement.WRONG, text, fix)
