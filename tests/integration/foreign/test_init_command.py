"""The commands `init` and `check-sql` themselves: what they ask, refuse and leave alone."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
import yaml

from contact_sync.cli.main import main
from local.b2core_demo import create_schema, generate
from tests.integration.foreign.conftest import ForeignWorld, begun, run_roles
from tests.support.world import World


class Terminal(io.StringIO):
    """A person's answers, a line each."""

    def isatty(self) -> bool:
        return True


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("".join(f"{line}\n" for line in lines)))


def files(include: Path) -> set[str]:
    return {str(path.relative_to(include)) for path in include.rglob("*")}


def definition(include: Path, name: str) -> dict[str, object]:
    read = yaml.safe_load((include / "syncs" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


def test_nobody_to_ask_is_told_what_would_be_asked(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Without a terminal and without --yes: exit code 2, and nothing is written."""
    connect("consents")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    before = files(include)
    assert main(["init", "consents"]) == 2
    said = capsys.readouterr().err
    for part in ("deleted_at", "status is deleted", "client_consents", "list", "--yes"):
        assert part in said
    assert files(include) == before


def test_a_person_answers(
    connect: ForeignWorld, include: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom to send, by word, number, or Enter for the proposal; an odd answer is asked again."""
    foreign = connect("consents")
    foreign.emulator.admin.create_list("Other")
    answers(monkeypatch, "", "perhaps", "no", "2", "Other")
    assert main(["init", "consents"]) == 0
    run_roles(foreign)
    text = (include / "sql" / "consents" / "clients.sql").read_text(encoding="utf-8")
    assert "deleted_at IS NOT NULL" in text
    assert "'deleted'" not in text
    assert "NULL::text AS exclusion" in text
    assert definition(include, "consents")["list"] == "Other"
    assert main(["check-sql", "consents"]) == 0


def test_an_end_of_answers_writes_nothing(
    connect: ForeignWorld, include: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C does."""
    connect("consents")
    answers(monkeypatch)
    before = files(include)
    assert main(["init", "consents"]) == 130
    assert files(include) == before


@pytest.mark.parametrize("there", ["sql", "syncs"])
def test_nothing_is_overwritten(
    there: str, connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a folder nor a definition; and then nothing is written at all."""
    connect("one_table")
    if there == "sql":
        (include / "sql" / "one_table").mkdir()
    else:
        shutil.copy(include / "syncs" / "demo.yaml", include / "syncs" / "one_table.yml")
    before = files(include)
    assert main(["init", "one_table", "--yes"]) == 1
    assert f"include/{there}/one_table" in capsys.readouterr().err
    assert files(include) == before


def test_a_definition_that_cannot_be_written_leaves_no_folder(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """All or nothing, also when it is the last file that fails."""
    connect("one_table")

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", fail)
    before = files(include)
    assert main(["init", "one_table", "--yes"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert files(include) == before


def test_without_sendgrid_the_definition_has_no_list(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It is said; the custom fields are lines that wait."""
    foreign = connect("json_phones")
    monkeypatch.delenv("AIRFLOW_CONN_SENDGRID_DEFAULT")
    assert main(["init", "json_phones", "--yes"]) == 0
    assert "SendGrid couldn't be asked" in capsys.readouterr().out
    read = definition(include, "json_phones")
    assert "list" not in read
    text = (include / "syncs" / "json_phones.yaml").read_text(encoding="utf-8")
    assert "# Verification_level: verification_level" in text
    run_roles(foreign)
    assert main(["check-sql", "json_phones"]) == 0
    assert "types are assumed" in capsys.readouterr().out


def test_only_the_schemas_that_are_named_are_looked_at(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A schema without clients has none."""
    foreign = connect("one_table")
    foreign.sql("CREATE SCHEMA other")
    foreign.sql("CREATE TABLE other.goods (id int PRIMARY KEY, name text)")
    foreign.sql("GRANT USAGE ON SCHEMA other TO contact_sync_reader")
    foreign.sql("GRANT SELECT ON other.goods TO contact_sync_reader")
    assert main(["init", "one_table", "--yes", "--schema", "other"]) == 1
    assert "No table looks like clients" in capsys.readouterr().err
    assert main(["init", "one_table", "--yes", "--schema", "crm", "--schema", "other"]) == 0
    assert "nobody is excluded for want of it" in capsys.readouterr().out


def test_a_role_that_may_read_nothing_is_told_so(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to grant."""
    foreign = connect("one_table")
    foreign.sql("REVOKE SELECT ON ALL TABLES IN SCHEMA crm FROM contact_sync_reader")
    assert main(["init", "one_table", "--yes"]) == 1
    assert "grant it USAGE on the schema and SELECT" in capsys.readouterr().err


def test_what_one_table_refuses_is_a_note(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row-level security hides rows; the others are sampled all the same."""
    foreign = connect("one_table")
    foreign.sql("ALTER TABLE crm.newsletter_log ENABLE ROW LEVEL SECURITY")
    assert main(["init", "one_table", "--yes"]) == 0
    assert "crm.newsletter_log couldn't be sampled" in capsys.readouterr().out


def test_the_reader_keeps_only_the_columns(connect: ForeignWorld, include: Path) -> None:
    """After roles.sql: no other column of the same table, no other table named there."""
    foreign = begun(connect("one_table"), include)
    (granted,) = foreign.sql(
        """SELECT has_column_privilege('contact_sync_reader', 'crm.customers', 'email_address',
                  'SELECT'),
                  has_column_privilege('contact_sync_reader', 'crm.customers', 'group', 'SELECT'),
                  has_table_privilege('contact_sync_reader', 'crm.customers', 'SELECT')"""
    )
    assert granted == (True, False, False)


def test_check_sql_shows_what_is_rejected_and_dropped(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With reasons, masked unless a person asks for the values; what a rule chose, too."""
    foreign = connect("uuid_views")
    foreign.sql("UPDATE core_private.person SET mail = 'nothing' WHERE given_name = 'Cleo'")
    foreign.sql("UPDATE core_private.number SET msisdn = '12' WHERE starts_with(msisdn, '0151')")
    begun(foreign, include)
    capsys.readouterr()
    assert main(["check-sql", "uuid_views"]) == 0
    said = capsys.readouterr().out
    assert "not sent: email: not valid" in said
    assert "dropped or changed: phone_number: too short for its country" in said
    assert "a***@e***.com" in said
    assert "phone 1" in said
    assert "ann@example.com" not in said
    assert main(["check-sql", "uuid_views", "--show-values", "--sample", "2"]) == 0
    shown = capsys.readouterr().out
    assert "2 clients were looked at" in shown
    assert "@example.com" in shown


def test_check_sql_says_what_is_wrong(
    connect: ForeignWorld, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the statements, with exit code 1."""
    begun(connect("one_table"), include)
    scan = include / "sql" / "one_table" / "scan.sql"
    scan.write_text(f"{scan.read_text(encoding='utf-8')} LIMIT 2", encoding="utf-8")
    assert main(["check-sql", "one_table"]) == 1
    assert "in clients.sql but not in scan.sql" in capsys.readouterr().out


def test_the_demos_tables_give_the_contacts_of_its_own_statements(
    world: World, include: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What init finds there is what a person wrote, save that deleted clients are left out."""
    create_schema(world.b2core_url)
    generate(world.b2core_url, clients=300, seed=5, replace=True)
    world.connect_airflow(monkeypatch)
    world.run()
    wanted = world.contacts()
    world.sql("GRANT SELECT ON ALL TABLES IN SCHEMA b2core TO contact_sync_reader")
    assert main(["init", "found", "--yes"]) == 0
    gone = world.sql(
        """SELECT email FROM b2core.clients AS c JOIN b2core.client_statuses AS s
           ON c.status_id = s.id WHERE s.name = 'Deleted'"""
    )
    assert gone
    columns = "email, first_name, last_name, phone, address_line_1, address_line_2, city, state, " \
        "postal_code, country, country_code, status, client_type, verification_level, " \
        "jurisdiction, registered_on"  # fmt: skip
    own, found = (
        world.sql(_all(folder, columns)) for folder in (world.sql_folder, include / "sql" / "found")
    )
    status = columns.split(", ").index("status")
    assert {row for row in own if row[status] != "Deleted"} == set(found)
    assert wanted


def _all(folder: Path, columns: str) -> str:
    text = (folder / "clients.sql").read_text(encoding="utf-8")
    for name, value in (("first_id", "0"), ("last_id", "9999999"), ("ids", "NULL")):
        text = text.replace(f"%({name})s", value)
    return f"SELECT {columns} FROM ({text}) AS clients".replace("%", "%%")


@pytest.mark.parametrize(
    ("typed", "kept"), [("ch", "CH"), ("CHE", "CHE"), ("", None), ("xx", None)]
)
def test_the_country_of_phones_is_asked_where_no_table_says_it(
    typed: str, kept: str | None, connect: ForeignWorld, include: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """And of several tables with addresses, which one holds the clients."""
    foreign = connect("one_table")
    foreign.sql("ALTER TABLE crm.customers DROP COLUMN country")
    answers(monkeypatch, "crm.customers", "", typed)
    assert main(["init", "one_table"]) == 0
    assert definition(include, "one_table").get("default_country") == kept
