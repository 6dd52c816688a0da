"""The layer rule: inside the package, imports go down only; each library is used at its edge."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.airflow_home import ROOT

PLUGINS = ROOT / "plugins"
PACKAGE = PLUGINS / "contact_sync"
MAX_LINES = 320

LAYERS = [
    {"", "models", "errors", "failpoints"},
    {
        "definition", "mapping", "converters", "transform", "payloads", "errors_file",
        "refused_contacts", "report",
    },
    {
        "arrow_reader", "b2core", "definition_files", "sendgrid", "sendgrid.api",
        "sendgrid.transport", "state", "state.addresses", "state.batches", "state.copying",
        "state.database", "state.ledger", "state.migrate", "state.runs", "state.settling",
        "state.staging",
    },
    {
        "steps", "steps.check", "steps.drain", "steps.finish", "steps.plan", "steps.remove",
        "steps.run_all", "steps.select", "steps.settle", "steps.stage", "steps.start",
        "steps.submit",
    },
    {
        "__main__", "cli", "airflow_edge", "airflow_edge.handles", "airflow_edge.hook",
        "airflow_edge.operators", "airflow_edge.tasks", "airflow_edge.triggers",
    },
]  # fmt: skip
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
AT_ITS_EDGE = {
    "airflow": {"airflow_edge."},
    "requests": {"sendgrid."},
    "urllib3": {"sendgrid."},
    "psycopg": {"state."},
    "sqlalchemy": {"state."},
    "alembic": {"state."},
    "adbc_driver_postgresql": {"arrow_reader", "b2core"},
    "adbc_driver_manager": {"arrow_reader"},
}


def module_name(path: Path) -> str:
    """`state.runs` for plugins/contact_sync/state/runs.py, "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions and under TYPE_CHECKING."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own_modules(path: Path) -> set[str]:
    """The modules of the package that a file imports."""
    found = set()
    for name in imports_of(path):
        if name.split(".")[0] == "contact_sync":
            inner = name.removeprefix("contact_sync").removeprefix(".")
            while inner not in MODULES:
                inner = inner.rpartition(".")[0]
            found.add(inner)
    return found


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def test_every_module_has_its_layer() -> None:
    """A new module is put into a layer on purpose; a deleted one is taken out."""
    assert set(MODULES) == set(LAYER)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_down_only(name: str) -> None:
    """Nothing imports a module of a layer above its own."""
    above = {m for m in own_modules(MODULES[name]) if LAYER[m] > LAYER[name]}
    assert above == set()


def test_the_walk_sees_imports_inside_functions() -> None:
    """cli imports the Airflow edge only when a command needs it."""
    assert "airflow_edge.handles" in own_modules(MODULES["cli"])


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


def test_what_judges_the_package_shares_no_code_with_it() -> None:
    """The emulator, the source and the oracle can't repeat the package's mistakes."""
    judges = [p for p in (ROOT / "local").rglob("*.py") if "stack" not in p.name]
    assert len(judges) > 20
    for path in judges:
        text = path.read_text(encoding="utf-8")
        names = {
            node.module or ""
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ImportFrom)
        }
        assert not any(name.startswith("contact_sync") for name in names), path.name


@pytest.mark.parametrize("folder", ["plugins", "dags", "local"])
def test_files_are_small_and_say_what_they_are(folder: str) -> None:
    """A reader finds one subject a file, and its purpose at the top."""
    paths = [p for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts]
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
