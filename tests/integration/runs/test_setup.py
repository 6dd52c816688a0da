"""S03 and S14: what is wrong with the setup is said in words, at once, before anything is sent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from contact_sync.base.errors import AuthError, ConfigError, RetryableError
from contact_sync.cli import main as cli
from contact_sync.run.check_setup import check_setup
from local.sendgrid_emulator.process import Emulator, start_emulator
from tests.support.world import API_KEY, CUSTOM_FIELDS, LIST_NAME, World


def edit(world: World, name: str, old: str, new: str) -> None:
    """Change one of the sync's own copies of the statements."""
    path = world.sql_folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def map_field(world: World, field: str, column: str, *, create: str | None = None) -> None:
    """Map one more field, created in the account with this type if one is given."""
    if create is not None:
        world.emulator.admin.create_field(field, create)
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, field: column})


def unreachable(world: World) -> None:
    """Point the connection to a port that nobody listens on."""
    world.reader_url = world.reader_url.replace(f":{urlsplit(world.reader_url).port}/", ":1/")


@pytest.fixture
def own_sql(world: World, tmp_path: Path) -> World:
    """A world whose statements may be edited."""
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    world.seed()
    return world


BREAKS: dict[str, tuple[Callable[[World], object], type[Exception], list[str]]] = {
    "missing list": (
        lambda w: w.redefine(list="Nowhere"),
        ConfigError,
        ["no list 'Nowhere'", "create it under Marketing > Contacts", "`list`"],
    ),
    "list in another case": (
        lambda w: w.redefine(list="b2core  Clients"),
        ConfigError,
        ["no list 'b2core  Clients': did you mean 'B2CORE clients'? Otherwise create it under"],
    ),
    "list with white space": (
        lambda w: w.redefine(list="B2CORE clients\u00a0"),
        ConfigError,
        ["did you mean 'B2CORE clients'?"],
    ),
    "field with a dash": (
        lambda w: map_field(w, "Client-Type", "city"),
        ConfigError,
        ["no field 'Client-Type': did you mean 'Client_type'? Otherwise create it with"],
    ),
    "misspelt field": (
        lambda w: map_field(w, "Jurisdicton", "city"),
        ConfigError,
        ["no field 'Jurisdicton': did you mean 'Jurisdiction'?"],
    ),
    "misspelt column": (
        lambda w: map_field(w, "city", "citi"),
        ConfigError,
        ["no column 'citi' for field 'city': it gives client_id", "Did you mean 'city'?"],
    ),
    "missing field": (
        lambda w: map_field(w, "Shoe_size", "city"),
        ConfigError,
        ["no field 'Shoe_size'", "create it with `python -m contact_sync fields demo --create`"],
    ),
    "retyped field": (
        lambda w: map_field(w, "Since", "registered_on", create="Number"),
        ConfigError,
        [
            "'registered_on' is date in",
            "the Number field 'Since'",
            "extract(epoch FROM registered_on)",
        ],
    ),
    "read-only field": (
        lambda w: map_field(w, "last_clicked", "registered_on"),
        ConfigError,
        ["'last_clicked' is read-only", "remove it from the definition"],
    ),
    "unsupported field": (
        lambda w: map_field(w, "external_id", "email"),
        ConfigError,
        ["'external_id' can't be mapped", "identifier"],
    ),
    "unknown column": (
        lambda w: map_field(w, "city", "town"),
        ConfigError,
        ["no column 'town' for field 'city'", "it gives client_id, email"],
    ),
    "no client_id": (
        lambda w: edit(w, "clients.sql", "clients.id::bigint AS client_id", "7 AS id"),
        ConfigError,
        ["clients.sql must give column 'client_id' as bigint"],
    ),
    "client_id of another type": (
        lambda w: edit(w, "clients.sql", "clients.id::bigint AS", "clients.id::text AS"),
        ConfigError,
        ["clients.sql must give column 'client_id' as bigint, not text"],
    ),
    "no exclusion": (
        lambda w: edit(w, "clients.sql", "AS exclusion", "AS consent"),
        ConfigError,
        ["clients.sql must give column 'exclusion' as text"],
    ),
    "exclusion of another type": (
        lambda w: edit(w, "clients.sql", "NULL::text AS exclusion", "FALSE AS exclusion"),
        ConfigError,
        ["column 'exclusion' as text, not bool"],
    ),
    "no country code": (
        lambda w: edit(w, "clients.sql", "AS country_code", "AS iso_code"),
        ConfigError,
        ["clients.sql must give column 'country_code' as text"],
    ),
    "scan without exclusion": (
        lambda w: edit(w, "scan.sql", "AS exclusion", "AS consent"),
        ConfigError,
        ["scan.sql must give column 'exclusion' as text"],
    ),
    "unknown table": (
        lambda w: edit(w, "clients.sql", "b2core.clients AS", "b2core.customers AS"),
        ConfigError,
        ["clients.sql:", "42P01", 'relation "b2core.customers" does not exist'],
    ),
    "no clients.sql": (
        lambda w: (w.sql_folder / "clients.sql").unlink(),
        ConfigError,
        ["include/sql/b2core/clients.sql is missing"],
    ),
    "no changed_xmin.sql": (
        lambda w: (w.sql_folder / "changed_xmin.sql").unlink(),
        ConfigError,
        ["include/sql/b2core/changed_xmin.sql is missing"],
    ),
    "B2CORE unreachable": (
        unreachable,
        RetryableError,
        ["B2CORE's database can't be reached", "correct the connection's host and port"],
    ),
    "no state schema": (
        lambda w: w.state("DROP SCHEMA contact_sync CASCADE"),
        ConfigError,
        ["schema is at version none", "run `python -m contact_sync migrate`"],
    ),
}


@pytest.mark.parametrize("broken", list(BREAKS))
def test_S14_what_is_wrong_is_said_before_anything_is_sent(own_sql: World, broken: str) -> None:
    """The message names what, and how to fix it."""
    break_it, kind, words = BREAKS[broken]
    break_it(own_sql)
    with pytest.raises(kind) as raised:
        own_sql.run()
    for word in words:
        assert word in str(raised.value)
    assert own_sql.writes() == []
    assert own_sql.contacts() == {}


def test_S14_all_problems_come_in_one_message(own_sql: World) -> None:
    """List, field, column and contract at once; the failed run's report repeats them."""
    for broken in ("missing list", "missing field", "unknown column", "no exclusion",
                   "scan without exclusion", "no changed_xmin.sql"):  # fmt: skip
        BREAKS[broken][0](own_sql)
    with pytest.raises(ConfigError) as raised:
        own_sql.run()
    for word in ("'Nowhere'", "'Shoe_size'", "'town'", "clients.sql must give column 'exclusion'",
                 "scan.sql must give", "changed_xmin.sql is missing"):  # fmt: skip
        assert word in str(raised.value)
    report = own_sql.report()
    assert (report["state"], report["cause"]) == ("failed", str(raised.value))
    assert own_sql.writes() == []


def test_S14_B16_text_into_a_field_that_became_a_number_is_reported(world: World) -> None:
    """Runs by schedule stop and say so; a full run by hand accepts it and counts."""
    world.add("ann@example.com")
    world.run()
    world.recreate_field("Status", "Number")
    with pytest.raises(ConfigError, match="was Text at the last run and is Number now"):
        world.run()
    assert world.run("full")["dropped"] == {"Status: not_a_number": 1}
    assert world.run()["jobs"] == []


def test_B16_B17_renamed_and_deleted_at_sendgrid_are_told_as_such(world: World) -> None:
    """The run stops with what changed: a field and the list deleted since the last run."""
    world.add("ann@example.com")
    world.run()
    world.recreate_field("Status", None)
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    with pytest.raises(ConfigError) as told:
        world.run()
    assert "field 'Status' was deleted since the last run, with all its values" in str(told.value)
    assert "list 'B2CORE clients' was deleted since the last run" in str(told.value)
    assert "has no field" not in str(told.value)


def test_S14_check_setup_reads_only(world: World) -> None:
    """A check without a run makes GET calls and leaves no trace in the state database."""
    world.seed()
    with world.sync() as sync:
        assert check_setup(sync, None).list_id == world.list_id
    assert {call["method"] for call in world.emulator.admin.calls()} == {"GET"}
    assert world.state("SELECT count(*) FROM contact_sync.sync") == [(0,)]


def test_S14_validate_connect_on_the_command_line(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Says that all is right, or each problem, without the key."""
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", world.reader_url)
    monkeypatch.setenv("AIRFLOW_CONN_CONTACT_SYNC_STATE", world.state_url)
    host = world.emulator.base_url.replace("://", "%3A%2F%2F").replace(":", "%3A")
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", f"sendgrid://:{API_KEY}@{host}")
    assert cli.main(["validate", "demo", "--connect"]) == 0
    assert "demo: definition and setup are right" in capsys.readouterr().out
    assert world.emulator.admin.calls()
    assert {call["method"] for call in world.emulator.admin.calls()} == {"GET"}
    world.delete_at_sendgrid(f"lists/{world.list_id}")
    world.recreate_field("Jurisdiction", None)
    assert cli.main(["validate", "demo", "--connect"]) == 1
    said = capsys.readouterr().err
    assert f"SendGrid has no list {LIST_NAME!r}" in said
    assert "SendGrid has no field 'Jurisdiction'" in said
    assert API_KEY not in said


@pytest.fixture(scope="module")
def keyed() -> Iterator[Emulator]:
    """A SendGrid with weaker keys as well."""
    keys = {"SG.read-only": "read", "SG.nothing": "none"}
    with start_emulator(api_key=API_KEY, empty_cell="keep", delay=0.05, keys=keys) as running:
        yield running


@pytest.fixture
def keyed_world(world: World, keyed: Emulator) -> World:
    """The world with that SendGrid."""
    keyed.admin.reset()
    for name in CUSTOM_FIELDS:
        keyed.admin.create_field(name, "Text")
    world.seed()
    return replace(world, emulator=keyed, list_id=keyed.admin.create_list(LIST_NAME))


@pytest.mark.parametrize("lane", ["json", "csv"])
@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        ("SG.wrong", AuthError, "401: The provided authorization grant is invalid"),
        ("SG.nothing", ConfigError, "lacks the scope marketing.read: give it Marketing: Full"),
        ("SG.read-only", AuthError, "the API key lacks permission; it needs Marketing: Full"),
    ],
)
def test_S03_a_key_that_is_not_enough_is_named_and_nothing_is_stored(
    keyed_world: World, key: str, kind: type[Exception], words: str, lane: str
) -> None:
    """Wrong, without rights, read only; with the full key the next run sends everything."""
    keyed_world.redefine(lane=lane)
    with pytest.raises(kind, match=words) as raised:
        keyed_world.run(api_key=key)
    assert key not in str(raised.value)
    assert keyed_world.contacts() == {}
    keyed_world.run()
    keyed_world.assert_converged()
