"""What the folders promise: who imports whom, how long a file is, and what lies where."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.airflow_home import ROOT
from tests.support.source_files import (
    MODULES,
    PACKAGE,
    PLUGINS,
    files,
    imports_of,
    own_modules,
    roots_of,
)

MAX_LINES = 300
CODE = ("plugins", "dags", "local", "docker", "benchmarks", "tests")
LINTED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = LINTED["contracts"]


def test_every_import_is_allowed() -> None:
    """The contracts of pyproject.toml: layers, no circle, libraries at their edges."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{PLUGINS}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("library", "edge"),
    [
        (library, edge)
        for contract in CONTRACTS
        for library in contract.get("protected_modules", ())
        for edge in contract.get("allowed_importers", ())
        if edge.startswith("contact_sync.")
    ],
)
def test_each_edge_uses_its_library(library: str, edge: str) -> None:
    """import-linter doesn't mind a contract about a library, or an edge, that is gone."""
    inner = edge.removeprefix("contact_sync.")
    inside = {p for n, p in MODULES.items() if n == inner or n.startswith(f"{inner}.")}
    assert inside
    users = {path for path in MODULES.values() if library in roots_of(path)}
    assert users & inside


@pytest.mark.parametrize("place", ["local", "tests", "benchmarks", "docker"])
def test_the_dags_know_nothing_of_the_surroundings_either(place: str) -> None:
    """What exists for the demo and the tests stays out of the product."""
    for path in files("dags", "plugins/contact_sync_plugin.py"):
        assert place not in roots_of(path), path.name


def test_the_walk_sees_imports_inside_functions() -> None:
    """cli imports the Airflow edge only when a command needs it."""
    assert "airflow_edge.handles" in own_modules(MODULES["cli.commands"])


def test_what_airflow_asks_while_it_is_imported_imports_nothing_of_it() -> None:
    """Else it depends on who is imported first whether the package can be imported at all."""
    path = MODULES["airflow_edge.provider"]
    assert own_modules(path) == set()
    assert "airflow" not in {name.split(".")[0] for name in imports_of(path)}


WRITES_FILES = {
    "write_text", "write_bytes", "mkdir", "makedirs", "touch", "rename", "copyfile",
    "NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "SpooledTemporaryFile", "mkdtemp",
    "mkstemp",
}  # fmt: skip


def test_nothing_between_two_tasks_goes_through_a_folder() -> None:
    """No shared disk: both files of the package have no name and end with their task. The command
    line and a probe, which no task calls, keep a mark and a profile in one."""
    written = {
        (name, node.func.attr)
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in WRITES_FILES and not name.startswith(("cli.", "probe."))
    }
    assert written == {
        ("run.sending.send_csv", "TemporaryFile"),
        ("run.sending.settle_upsert", "TemporaryFile"),
    }


def test_no_task_probes() -> None:
    """A probe makes contacts of its own and waits for minutes: only a person starts one."""
    callers = {
        name
        for name, path in MODULES.items()
        if any(own.startswith("probe.") for own in own_modules(path))
    }
    assert {name.partition(".")[0] for name in callers} == {"cli", "probe"}


def test_nothing_is_imported_by_a_computed_name() -> None:
    """So these tests see every import."""
    for path in files("plugins", "dags"):
        assert "importlib" not in roots_of(path), path.name
        calls = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert "__import__" not in calls, path.name


@pytest.mark.parametrize("folder", CODE)
def test_files_are_small_and_say_what_they_are(folder: str) -> None:
    """A reader finds one subject a file, and its purpose at the top."""
    paths = files(folder)
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text == "" or ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        assert text.count("\n") <= MAX_LINES, f"{path} is too long"


def test_files_of_sql_are_small_too() -> None:
    """All but the listing that `make docs` writes."""
    paths = [path for path in (ROOT / "include" / "sql").rglob("*.sql") if path.stem != "schema"]
    assert paths
    for path in paths:
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= MAX_LINES, f"{path} is too long"


def test_unit_tests_mirror_the_rooms_of_the_package() -> None:
    """Who changes a room finds its tests by its name."""
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    mirrors = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir()}
    assert mirrors - {"__pycache__"} <= rooms


def test_helpers_of_the_tests_are_no_tests() -> None:
    """tests/support is imported, never collected."""
    paths = files("tests/support")
    assert paths
    assert [path.name for path in paths if path.name.startswith("test_")] == []


def test_the_state_schema_version_is_the_newest_migration() -> None:
    """`check_schema` asks for what `migrate` makes."""
    from contact_sync.state.database import SCHEMA_VERSION
    from contact_sync.state.migrate import MIGRATIONS

    newest = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))
    assert newest == SCHEMA_VERSION
