"""`python -m contact_sync fields`: what the account has, what is missing, and creating that."""

from __future__ import annotations

import ast
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from contact_sync.cli import main as cli
from tests.support.source_files import MODULES
from tests.support.world import World

Command = Callable[..., tuple[int, str, str]]
SHOWN = "POST /v3/marketing/field_definitions"


@pytest.fixture
def command(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command with an answer on standard input; gives exit code, output and errors."""
    world.connect_airflow(monkeypatch)

    def call(*options: str, answer: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        code = cli.main(["fields", "demo", *options])
        return code, *capsys.readouterr()

    return call


def test_a_complete_account_is_listed(command: Command, world: World) -> None:
    """Lists, all fields with their types, the column of each mapped one; nothing is written."""
    world.emulator.admin.create_list("Newsletter")
    world.emulator.admin.create_field("birthday", "Date")
    code, said, _ = command("--create", "--yes")
    assert code == 0
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[:4] == ["Lists", "B2CORE clients <- the list of this sync", "Newsletter", ""]
    assert "first_name Text reserved <- first_name" in lines
    assert "Status Text custom <- status" in lines
    assert "birthday Date custom not mapped" in lines
    assert lines[-2:] == ["Missing fields", "none"]
    assert SHOWN not in world.writes()


@pytest.mark.parametrize(
    ("options", "answer", "creates"),
    [
        ([], "", False),
        (["--create"], "", False),
        (["--create"], "n\n", False),
        (["--create"], "y\n", True),
        (["--create", "--yes"], "", True),
    ],
)
def test_missing_fields_are_shown_and_created_when_asked(
    command: Command, world: World, options: list[str], answer: str, creates: bool
) -> None:
    """By their column's type; then a run works with them."""
    world.recreate_field("Status", None)
    world.recreate_field("Jurisdiction", None)
    code, said, _ = command(*options, answer=answer)
    missing = said.partition("Missing fields\n")[2]
    assert "Status" in missing.splitlines()[0]
    assert "Jurisdiction" in missing.splitlines()[1]
    assert "birthday" not in missing
    assert (code, world.writes().count(SHOWN)) == ((0, 2) if creates else (1, 0))
    if creates:
        world.emulator.admin.advance(10)  # SendGrid knows a new field after some seconds
        world.seed()
        world.run()
        world.assert_converged()


def test_a_field_that_can_not_be_created_stops_before_any_call(
    command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that SendGrid refuses, or a column that isn't there; also what could be created."""
    world.recreate_field("Status", None)
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields=fields | {"my field": "city", "Nickname": "nick"})
    monkeypatch.setattr(
        "contact_sync.airflow_edge.handles.read_definition", lambda _name: world.definition
    )
    code, said, errors = command("--create", "--yes")
    assert code == 1
    assert "Nothing was created" in errors
    assert "my field: a field's name has letters, digits and _ only" in errors
    assert "can't be created: clients.sql gives no column 'nick'" in said
    assert SHOWN not in world.writes()


def test_a_field_is_created_with_the_type_of_its_column(
    command: Command, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SendGrid never changes it again: numeric is a Number, days are a Date; a column of a type
    that fits none is told with its cast, before anything is created."""
    world.sql_folder = shutil.copytree(world.sql_folder, tmp_path / "b2core")
    clients = world.sql_folder / "clients.sql"
    columns = {
        "n1": ("1.5::numeric(12, 2)", "Number"), "n2": ("1.5::numeric", "Number"),
        "n3": ("7::bigint", "Number"), "n4": ("7::smallint", "Number"),
        "n5": ("0.5::float4", "Number"), "d1": ("current_date", "Date"), "d2": ("now()", "Date"),
        "d3": ("now()::timestamp", "Date"), "t1": ("'a'::varchar(3)", "Text"),
        "t2": ("true", "Text"), "t3": ("'a'::char(2)", "Text"),
    }  # fmt: skip

    def give(more: dict[str, str]) -> None:
        text, end = clients.read_text(encoding="utf-8"), "    NULL::text AS exclusion"
        given = "".join(f"    {sql} AS {name},\n" for name, sql in more.items())
        clients.write_text(text.replace(end, given + end), encoding="utf-8")
        fields = world.definition.model_dump(mode="json")["fields"]
        world.redefine(fields=fields | {f"Field_{name}": name for name in more})

    handles = "contact_sync.airflow_edge.handles"
    monkeypatch.setattr(f"{handles}.read_definition", lambda _name: world.definition)
    monkeypatch.setattr(f"{handles}.source_folder", lambda _definition: world.sql_folder)
    give({name: sql for name, (sql, _) in columns.items()})
    assert command("--create", "--yes")[0] == 0
    with world.sync() as sync:
        types = {field.name: str(field.type) for field in sync.sendgrid.fields()}
    assert {name: types[f"Field_{name}"] for name in columns} == {
        name: kind for name, (_, kind) in columns.items()
    }
    give({"bad": "12.34::money"})
    code, said, errors = command("--create", "--yes")
    assert code == 1
    assert "column 'bad' is money: write" in errors
    assert "can't be created" in said


def test_what_is_nearly_there_is_named(
    command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody creates a second one."""
    world.emulator.admin.create_field("Client_tier", "Text")
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields=fields | {"ClientTier": "city"}, list="B2CORE Clients")
    monkeypatch.setattr(
        "contact_sync.airflow_edge.handles.read_definition", lambda _name: world.definition
    )
    code, said, _ = command("--create", "--yes")
    assert code == 1  # the list is nothing that it creates
    assert "MISSING, did you mean 'B2CORE clients'? Otherwise create it" in said
    assert "did you mean 'Client_tier'?" in said


def test_no_step_of_a_run_creates_a_field() -> None:
    """Only the command does."""
    callers = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "create_field"
    }
    assert callers == {"lookup.custom_fields"}
