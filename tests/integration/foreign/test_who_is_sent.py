"""Deleted clients and consents, in columns and tables of many forms: whom the statements give."""

from __future__ import annotations

import pytest

from contact_sync.b2core.setup.catalog import read_catalog
from contact_sync.b2core.setup.proposal import priority, propose
from contact_sync.b2core.setup.told import told
from local.postgres.server import Cluster
from tests.support.foreign_tables import CLIENTS, Source, proposed, rows


@pytest.mark.parametrize(
    ("column", "sent", "excluded"),
    [
        ("consent boolean", ["true"], ["false", "NULL"]),
        ("marketing_opt_in boolean", ["true"], ["false", "NULL"]),
        ("is_subscribed int", ["1"], ["0", "NULL"]),
        ('"gdprConsent" text', ["'yes'", "'Y'"], ["'no'", "NULL"]),
        ("accepts_marketing text", ["'opted_in'"], ["'opted_out'", "'pending'"]),
        ("email_consent_at timestamptz", ["now()"], ["NULL"]),
        ("unsubscribed boolean", ["false", "NULL"], ["true"]),
        ("unsubscribed_at timestamp", ["NULL"], ["now()"]),
        ("opt_out int", ["0", "NULL"], ["1"]),
        ("do_not_contact text", ["'n'", "NULL"], ["'Yes'"]),
        ("client_newsletter boolean", ["true"], ["false"]),
    ],
)
def test_a_column_of_consent_excludes(
    tables: Source, own_database: str, column: str, sent: list[str], excluded: list[str]
) -> None:
    """Whatever it is called, and of whatever type; both statements say the same."""
    values = [(f"sent{n}", v) for n, v in enumerate(sent)]
    values += [(f"excluded{n}", v) for n, v in enumerate(excluded)]
    inserted = ", ".join(
        f"({n}, '{name}@example.com', 'A', 'B', {value})" for n, (name, value) in enumerate(values)
    )
    found = proposed(
        tables, own_database, f"{CLIENTS}, {column}); INSERT INTO t.clients VALUES {inserted}"
    )
    for statement in ("clients.sql", "scan.sql"):
        given = {row["email"]: row["exclusion"] for row in rows(tables, found, statement)}
        assert given == {
            f"{name}@example.com": "no consent" if name.startswith("excluded") else None
            for name, _ in values
        }


@pytest.mark.parametrize(
    ("column", "there", "gone"),
    [
        ("deleted_at timestamptz", ["NULL"], ["now()"]),
        ("is_deleted boolean", ["false", "NULL"], ["true"]),
        ("deleted int", ["0", "NULL"], ["1"]),
        ('"anonymizedAt" timestamp', ["NULL"], ["now()"]),
        ("deleted char(1)", ["'N'", "NULL"], ["'Y'"]),
        ("status text", ["'Active'", "NULL"], ["'Deleted'"]),
    ],
)
def test_a_deleted_client_is_left_out(
    tables: Source, own_database: str, column: str, there: list[str], gone: list[str]
) -> None:
    """So that who has registered again with the same address is sent."""
    values = [*((True, value) for value in there), *((False, value) for value in gone)]
    inserted = ", ".join(
        f"({n}, 'same@example.com', 'A', 'B', {value})" for n, (_, value) in enumerate(values)
    )
    found = proposed(
        tables, own_database, f"{CLIENTS}, {column}); INSERT INTO t.clients VALUES {inserted}"
    )
    assert "clients that B2CORE calls deleted are left out; banned ones are sent" in told(found)
    wanted = [n for n, (is_there, _) in enumerate(values) if is_there]
    for statement in ("clients.sql", "scan.sql"):
        given = rows(tables, found, statement)
        assert sorted(row["client_id"] for row in given) == wanted
        assert {row["exclusion"] for row in given} == {None}


def test_a_consent_that_is_not_understood_is_a_doubt(tables: Source, own_database: str) -> None:
    """Words that nobody knows, and a table without the clients' key."""
    found = proposed(
        tables,
        own_database,
        f"{CLIENTS}, consent text); INSERT INTO t.clients VALUES (1, 'a@example.com', 'A', 'B', "
        "'tier 3'); CREATE TABLE t.unsubscribes (address text, at timestamptz)",
    )
    assert found.rules == ()
    assert "clients that B2CORE calls deleted are sent; banned ones are sent" in told(found)
    assert "nobody is excluded for want of it" in told(found)
    assert len(found.doubts) == 2
    assert "t.clients.consent" in found.doubts[0]
    assert "t.unsubscribes" in found.doubts[1]


def test_a_deletion_that_is_not_understood_is_a_doubt(tables: Source, own_database: str) -> None:
    """As where no sampled client is deleted, so that nobody knows what it says then; a column that
    the role may not read may say anything."""
    found = proposed(
        tables,
        own_database,
        f"{CLIENTS}, deleted char(1)); INSERT INTO t.clients VALUES (1, 'a@example.com', 'A', 'B', "
        "'N')",
    )
    assert (found.rules, len(found.doubts)) == ((), 1)
    assert "t.clients.deleted looks like a deletion, and what it says isn't" in found.doubts[0]


def test_columns_that_the_role_may_not_read_are_told(
    tables: Source, own_database: str, cluster: Cluster
) -> None:
    """One of them may say who is deleted."""
    tables.execute(
        f"""{CLIENTS}, deleted_at timestamptz);
            INSERT INTO t.clients VALUES (1, 'a@example.com', 'A', 'B', now());
            CREATE ROLE sees_some LOGIN PASSWORD 'some'; GRANT USAGE ON SCHEMA t TO sees_some;
            GRANT SELECT (id, email, first_name, last_name) ON t.clients TO sees_some""".encode()
    )
    try:
        url = cluster.url(tables.info.dbname, user="sees_some", password="some")
        found = propose(read_catalog(url, priority, ["t"]))
    finally:
        tables.execute(b"DROP OWNED BY sees_some; DROP ROLE sees_some")
    assert "1 column that this role may not read, such as deleted_at" in found.doubts[-1]


CONSENTS = "CREATE TABLE t.client_consents (id int, client_id int REFERENCES t.clients (id), "


@pytest.mark.parametrize(
    ("columns", "given", "none"),
    [
        ("agreed boolean", "true", "false"),
        ("agreed boolean, revoked_at timestamptz", "true, NULL", "true, now()"),
        ("status text", "'granted'", "'withdrawn'"),
        ("created_at timestamptz, withdrawn_at timestamptz", "now(), NULL", "now(), now()"),
        ("channel text, accepted int", "'email', 1", "'email', 0"),
        ("channel text, accepted int", "'E-Mail', 1", "'sms', 1"),
    ],
)
def test_a_table_of_consents_excludes(
    tables: Source, own_database: str, columns: str, given: str, none: str
) -> None:
    """Who has no row in it, too; the latest row counts."""
    found = proposed(
        tables, own_database,
        f"{CLIENTS}); INSERT INTO t.clients SELECT n, n || '@example.com' "
        f"FROM generate_series(1, 3) AS n; {CONSENTS}{columns});"
        f"INSERT INTO t.client_consents VALUES (1, 1, {none}), (2, 1, {given}), "
        f"(3, 2, {given}), (4, 2, {none})",
    )  # fmt: skip
    other_channel = "sms" in none
    wanted = {1: None, 2: None if other_channel else "no consent", 3: "no consent"}
    for statement in ("clients.sql", "scan.sql"):
        shown = {row["client_id"]: row["exclusion"] for row in rows(tables, found, statement)}
        assert shown == wanted


@pytest.mark.parametrize("name", ["marketing_opt_outs", "unsubscribes", "suppressed"])
def test_a_table_of_refusals_excludes_whom_it_lists(
    tables: Source, own_database: str, name: str
) -> None:
    """And nobody else."""
    found = proposed(
        tables, own_database,
        f"{CLIENTS}); INSERT INTO t.clients SELECT n, n || '@example.com' "
        f"FROM generate_series(1, 2) AS n; CREATE TABLE t.{name} (client_id int, at timestamptz);"
        f"INSERT INTO t.{name} VALUES (2, now())",
    )  # fmt: skip
    shown = {row["client_id"]: row["exclusion"] for row in rows(tables, found, "scan.sql")}
    assert shown == {1: None, 2: "no consent"}
