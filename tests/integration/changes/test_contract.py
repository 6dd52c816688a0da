"""The statements of a source keep their contract, or the check says which clients are lost."""

from __future__ import annotations

import pytest

from contact_sync.b2core.contract import contract_findings
from contact_sync.base.errors import ConfigError, FatalError
from contact_sync.base.findings import Finding, Judgement
from contact_sync.config.source import ChangeDetection
from contact_sync.lookup.explain import explain_client
from tests.support.source_faults import replace_in
from tests.support.world import World

READ = ["client_id", "email", "last_name", "exclusion"]
pytestmark = pytest.mark.own_connections


def findings(world: World, detection: str = "xmin") -> list[Finding]:
    """What the check says about the world's statements."""
    with world.sync() as sync, sync.b2core.snapshot() as snapshot:
        return list(contract_findings(snapshot, ChangeDetection(detection), "email", READ))


def said(world: World, judgement: Judgement = Judgement.WRONG, detection: str = "xmin") -> str:
    """All findings of one kind in one text."""
    found = findings(world, detection)
    return "\n".join(f"{f.subject}: {f.text} | {f.fix}" for f in found if f.judgement is judgement)


def test_the_shipped_statements_keep_the_contract(own_sql: World) -> None:
    """All is looked at, and all is right."""
    own_sql.seed()
    found = findings(own_sql)
    assert {f.judgement for f in found} == {Judgement.OK}
    assert [f.subject for f in found] == [
        "scan.sql", "clients.sql", "clients.sql", "changed_xmin.sql", "clients.sql",
    ]  # fmt: skip


DIFFERENCES = {
    "an inner join in clients.sql": (
        "clients.sql", "LEFT JOIN b2core.jurisdictions", "INNER JOIN b2core.jurisdictions",
        "in scan.sql but not in clients.sql: they would never be sent",
    ),
    "a condition in scan.sql only": (
        "scan.sql", "FROM b2core.clients AS clients",
        "FROM b2core.clients AS clients WHERE clients.id > 1",
        "1 client is in clients.sql but not in scan.sql: they would never be looked at",
    ),
    "another address": (
        "scan.sql", "clients.email::text", "('x' || clients.email)::text",
        "with another email in scan.sql than in clients.sql (such as 1)",
    ),
    "another exclusion": (
        "scan.sql", "NULL::text AS exclusion",
        "CASE WHEN clients.id = 2 THEN 'no consent' END::text AS exclusion",
        "1 client is with another exclusion in scan.sql than in clients.sql (client 2)",
    ),
    "bounds that are ignored": (
        "clients.sql", "\nWHERE\n    clients.id BETWEEN %(first_id)s AND %(last_id)s",
        "\nWHERE\n    TRUE",
        "it gives clients outside of %(first_id)s and %(last_id)s",
    ),
    "ids that are ignored": (
        "clients.sql", "AND (%(ids)s::bigint[] IS NULL OR clients.id = any(%(ids)s::bigint[]))",
        "AND TRUE", "it gives clients outside of %(ids)s",
    ),
    "a join that gives a client twice": (
        "scan.sql", "FROM b2core.clients AS clients",
        "FROM b2core.clients AS clients CROSS JOIN generate_series(1, 2)",
        "6 rows give a client again",
    ),
    "rows without an id": (
        "scan.sql", "clients.id::bigint", "nullif(clients.id, 1)::bigint",
        "1 row has no client_id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("difference", list(DIFFERENCES))
def test_a_statement_that_loses_clients_is_named(own_sql: World, difference: str) -> None:
    """PostgreSQL accepts each of these, and a run would be green."""
    own_sql.seed()
    file, old, new, expected = DIFFERENCES[difference]
    replace_in(own_sql, file, old, new)
    assert expected in said(own_sql)


def test_exclusions_that_say_no_are_told(own_sql: World) -> None:
    """Only NULL sends a client; a text that is empty, or `false`, is rarely meant to exclude. A run
    and the look-up exclude all the same, each for its own reason."""
    ids = [own_sql.add(f"c{n}@example.com") for n in range(4)]
    case = f"""CASE clients.id WHEN {ids[0]} THEN '' WHEN {ids[1]} THEN ' False ' WHEN {ids[2]}
               THEN 'no consent' END AS exclusion"""
    for name in ("scan.sql", "clients.sql"):
        replace_in(own_sql, name, "NULL::text AS exclusion", case)
    assert "2 clients are excluded by a text that is empty or says no: all but NULL" in said(
        own_sql, Judgement.WARNING
    )
    report = own_sql.run()
    assert report["exclusions"] == {
        "excluded_by_b2core": 1, "excluded_by_b2core: False": 1, "excluded_by_b2core: no consent": 1
    }  # fmt: skip
    assert own_sql.run()["counts"].get("read", 0) == 0
    with own_sql.sync() as sync:
        assert explain_client(sync, ids[0]).decision.code == "excluded"


def test_a_reason_of_its_own_for_each_client_is_told(own_sql: World) -> None:
    """As free text, or a time, would be: reports can't tell so many apart."""
    for n in range(51):
        own_sql.add(f"c{n}@example.com")
    for name in ("scan.sql", "clients.sql"):
        replace_in(own_sql, name, "NULL::text AS exclusion", "clients.id || ' left' AS exclusion")
    assert "51 different exclusions: reports tell 50 of them apart" in said(
        own_sql, Judgement.WARNING
    )
    assert len(own_sql.run()["exclusions"]) == 51


@pytest.mark.parametrize("file", ["clients.sql", "scan.sql"])
def test_two_columns_of_one_name_are_named(own_sql: World, file: str) -> None:
    """PostgreSQL accepts them until one is asked for."""
    own_sql.seed()
    replace_in(own_sql, file, "NULL::text AS exclusion", "'' AS exclusion, NULL::text AS exclusion")
    what = rf"{file} gives several columns named exclusion: keep one of each name"
    with pytest.raises(ConfigError, match=what):
        own_sql.run()


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("1 / (clients.id - clients.id)", "(SQLSTATE 22012: division by zero)"),
        ("clients.first_name::int", "(SQLSTATE 22P02: invalid text representation)"),
        ("(SELECT id FROM b2core.clients)", "(SQLSTATE 21000: cardinality violation)"),
    ],
)
def test_what_a_row_breaks_off_is_told_without_the_row(
    own_sql: World, column: str, said: str
) -> None:
    """By PostgreSQL's name of it, and what to do; before the first run, too, which asks for values
    that the other questions don't need."""
    own_sql.seed()
    replace_in(own_sql, "clients.sql", "clients.last_name::text", f"({column})::text")
    assert said in findings(own_sql)[-1].text
    with pytest.raises(FatalError) as raised:
        own_sql.run()
    assert said in str(raised.value)
    assert "Correct the row, or the statement" in str(raised.value)
    assert "Zoë" not in str(raised.value)


def test_a_row_without_an_id_stops_a_run_where_it_is_a_client(own_sql: World) -> None:
    """And nowhere else: a phone that belongs to nobody may change."""
    own_sql.seed()
    replace_in(
        own_sql, "changed_xmin.sql", "SELECT clients.id", "SELECT nullif(clients.id, clients.id)"
    )
    own_sql.run()
    own_sql.edit(1, first_name="Ana")
    assert own_sql.run()["counts"].get("read", 0) == 0
    replace_in(own_sql, "scan.sql", "clients.id::bigint", "nullif(clients.id, 1)::bigint")
    with pytest.raises(FatalError, match=r"scan\.sql gives rows without a client_id"):
        own_sql.run()


def test_a_source_without_clients_is_told(own_sql: World) -> None:
    """It may be an empty B2CORE, or a condition that is always false."""
    assert "scan.sql: it gives no client" in said(own_sql, Judgement.WARNING)


def test_a_table_that_is_read_and_not_watched_is_named(own_sql: World) -> None:
    """A change there would reach SendGrid with the next full run only."""
    own_sql.seed()
    replace_in(own_sql, "changed_xmin.sql", "b2core.client_phones", "b2core.client_addresses")
    assert said(own_sql, Judgement.WARNING).startswith(
        "changed_xmin.sql: it doesn't look at b2core.client_phones, which clients.sql reads"
    )
    lookups = said(own_sql, Judgement.WARNING, "updated_at")
    assert "b2core.countries" in lookups
    assert "b2core.client_phones" not in lookups


def test_a_time_without_a_zone_is_named(own_tables: World) -> None:
    """It is compared as UTC; a view that says its zone is right."""
    assert "no time zone" not in said(own_tables, Judgement.WARNING, "updated_at")
    own_tables.sql("ALTER TABLE b2core.client_phones ALTER updated_at TYPE timestamp")
    warned = said(own_tables, Judgement.WARNING, "updated_at")
    assert "b2core.client_phones.updated_at has no time zone" in warned
    assert "b2core.clients.updated_at" not in warned


@pytest.fixture
def foreign(own_tables: World) -> World:
    """The phones are a foreign table of the same server."""
    own_tables.sql("ALTER TABLE b2core.client_phones RENAME TO local_phones")
    own_tables.sql("CREATE EXTENSION file_fdw")
    own_tables.sql("CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
    own_tables.sql(
        """CREATE FOREIGN TABLE b2core.client_phones (
               id bigint, client_id bigint, phone text, confirmed boolean, updated_at timestamptz
           ) SERVER files OPTIONS (program 'true')"""
    )
    own_tables.sql("GRANT SELECT ON b2core.client_phones TO contact_sync_reader")
    return own_tables


def test_a_foreign_table_has_no_xmin(foreign: World) -> None:
    """It is always 0 there: changes would never be seen."""
    assert "b2core.client_phones is a foreign table, whose xmin is always 0" in said(foreign)
    assert "foreign table" not in said(foreign, detection="updated_at")


def test_row_level_security_is_refused_and_hides_no_one(own_tables: World) -> None:
    """Rows that a policy hides would look deleted: the server refuses instead."""
    own_tables.sql("ALTER TABLE b2core.client_phones ENABLE ROW LEVEL SECURITY")
    assert "row-level security" in said(own_tables)
    writes = len(own_tables.writes())
    with pytest.raises(ConfigError, match="give the role BYPASSRLS") as raised:
        own_tables.run("full")
    assert "roles.sql" not in str(raised.value)  # it doesn't give it
    assert len(own_tables.writes()) == writes


STATEMENTS = {
    "an unknown placeholder": ("%(first_id)s", "%(first)s", "the placeholder %(first)s"),
    "a semicolon at the end": (None, ";\n-- the end\n", "it ends with a semicolon"),
    "two statements": (None, ";\nSELECT 1", "it holds 2 statements"),
    "a placeholder that isn't complete": ("%(first_id)s AND", "%(first_id) AND", "complete"),
}


@pytest.mark.parametrize("fault", list(STATEMENTS))
def test_a_statement_that_cannot_be_used_stops_the_run(own_sql: World, fault: str) -> None:
    """Before anything is read or sent, with the file's name and what to do."""
    own_sql.seed()
    old, new, expected = STATEMENTS[fault]
    path = own_sql.sql_folder / "clients.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + new if old is None else text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        own_sql.run()
    assert "clients.sql" in str(raised.value)
    assert expected in str(raised.value)
    assert own_sql.writes() == []


def test_a_per_cent_sign_is_an_ordinary_character(own_sql: World) -> None:
    """In LIKE patterns and as modulo; a byte order mark does no harm either."""
    own_sql.seed()
    path = own_sql.sql_folder / "scan.sql"
    text = path.read_text(encoding="utf-8")
    text += "WHERE clients.email NOT LIKE '%@%.invalid%' AND clients.id % 1 = 0"
    path.write_text(text, encoding="utf-8-sig")
    assert own_sql.run()["state"] == "succeeded"
    own_sql.assert_converged()


def test_negative_ids_are_ids(own_tables: World) -> None:
    """As the hash of a uuid gives them."""
    own_tables.sql(
        """ALTER TABLE b2core.client_phones DROP CONSTRAINT IF EXISTS client_phones_client_id_fkey;
           ALTER TABLE b2core.client_addresses
               DROP CONSTRAINT IF EXISTS client_addresses_client_id_fkey;
           UPDATE b2core.clients SET id = -id;
           UPDATE b2core.client_phones SET client_id = -client_id;
           UPDATE b2core.client_addresses SET client_id = -client_id"""
    )
    own_tables.run("full", approve=True)
    own_tables.edit(-1, last_name="Changed")
    report = own_tables.run()
    assert (report["state"], own_tables.fates()[-1]) == ("succeeded", "confirmed")
    assert {f.judgement for f in findings(own_tables)} == {Judgement.OK}


def test_a_change_of_the_statements_makes_the_run_full(own_sql: World) -> None:
    """They may choose other phones, or other clients, although no row has changed."""
    own_sql.seed()
    own_sql.run()
    assert own_sql.run()["kind"] == "incremental"
    replace_in(own_sql, "clients.sql", "clients.last_name::text", "upper(clients.last_name)::text")
    report = own_sql.run()
    assert (report["kind"], report["kind_reason"]) == ("full", "statements_changed")
    assert report["counts"]["changed"] > 0
    assert own_sql.run()["kind"] == "incremental"
