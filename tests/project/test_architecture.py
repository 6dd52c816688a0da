"""The layer rule: inside the package, imports go down only; each library is used at its edge."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.airflow_home import ROOT
from tests.support.source_files import MODULES, PLUGINS, files, imports_of, own_modules, roots_of

MAX_LINES = 320
AT_ITS_EDGE = {
    "airflow": {"airflow_edge."},
    "requests": {"sendgrid."},
    "urllib3": {"sendgrid."},
    "psycopg": {"state.", "postgres."},
    "sqlalchemy": {"state.", "airflow_edge.dag_runs"},
    "fastapi": {"web.", "airflow_edge.access", "airflow_edge.start_dag_run"},
    "starlette": {"web."},
    "jinja2": {"web."},
    "alembic": {"state."},
    "adbc_driver_postgresql": {"postgres.arrow_reader", "b2core."},
    "adbc_driver_manager": {"postgres.arrow_reader"},
    "pgpq": {"postgres.copying"},
    "isal": {"run.sending.submit"},
}


def test_imports_go_down_only() -> None:
    """The contracts of pyproject.toml, import-linter's: layers, no circle, nothing left out."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{PLUGINS}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_walk_sees_imports_inside_functions() -> None:
    """cli imports the Airflow edge only when a command needs it."""
    assert "airflow_edge.handles" in own_modules(MODULES["cli.main"])


def test_what_airflow_asks_while_it_is_imported_imports_nothing_of_it() -> None:
    """Else it depends on who is imported first whether the package can be imported at all."""
    path = MODULES["airflow_edge.provider"]
    assert own_modules(path) == set()
    assert "airflow" not in {name.split(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize(("library", "edges"), AT_ITS_EDGE.items())
def test_each_library_is_used_at_its_edge_only(library: str, edges: set[str]) -> None:
    """The only Airflow, the only SQL, the only HTTP."""
    users = {
        name
        for name, path in MODULES.items()
        if any(i.split(".")[0] == library for i in imports_of(path))
    }
    assert users
    assert {u for u in users if not u.startswith(tuple(edges))} == set()


@pytest.mark.parametrize("place", ["local", "tests"])
def test_the_package_knows_nothing_of_its_surroundings(place: str) -> None:
    """What exists for the demo and the tests stays out of the product."""
    for path in [*MODULES.values(), *(ROOT / "dags").glob("*.py")]:
        assert place not in {name.split(".")[0] for name in imports_of(path)}, path.name


WRITES_FILES = {
    "write_text", "write_bytes", "mkdir", "makedirs", "touch", "rename", "copyfile",
    "NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "SpooledTemporaryFile", "mkdtemp",
    "mkstemp",
}  # fmt: skip


def test_nothing_between_two_tasks_goes_through_a_folder() -> None:
    """No shared disk: the one file of the package has no name and ends with its task."""
    written = {
        (name, node.func.attr)
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in WRITES_FILES
    }
    assert written == {("run.sending.submit", "TemporaryFile")}


def test_what_judges_the_package_shares_no_code_with_it() -> None:
    """The emulator, the demo source and the oracle can't repeat the package's mistakes."""
    judges = files("local/sendgrid_emulator", "local/b2core_demo", "local/oracle.py")
    assert len(judges) > 20
    assert [path.name for path in judges if "contact_sync" in roots_of(path)] == []


def test_airflow_is_imported_by_its_edge_the_dags_and_tests_only() -> None:
    """The stack of the demo starts Airflow as a process; it doesn't import it."""
    users = {path for path in files("plugins", "dags", "local") if "airflow" in roots_of(path)}
    assert users
    outside = {p for p in users if p.parent.name not in ("airflow_edge", "dags", "plugins")}
    assert outside == set()


def test_nothing_is_imported_by_a_computed_name() -> None:
    """So these tests see every import."""
    for path in files("plugins", "dags"):
        assert "importlib" not in roots_of(path), path.name
        calls = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert "__import__" not in calls, path.name


@pytest.mark.parametrize("folder", ["plugins", "dags", "local"])
def test_files_are_small_and_say_what_they_are(folder: str) -> None:
    """A reader finds one subject a file, and its purpose at the top."""
    paths = files(folder)
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path.name} has no docstring"
        assert text.count("\n") <= MAX_LINES, f"{path.name} is too long"


def test_the_state_schema_version_is_the_newest_migration() -> None:
    """`check_schema` asks for what `migrate` makes."""
    from contact_sync.state.database import SCHEMA_VERSION
    from contact_sync.state.migrate import MIGRATIONS

    newest = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))
    assert newest == SCHEMA_VERSION
