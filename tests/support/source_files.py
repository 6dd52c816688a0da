"""The project's Python files, and what each of them imports."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.airflow_home import ROOT

PLUGINS = ROOT / "plugins"
PACKAGE = PLUGINS / "contact_sync"


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
            assert PACKAGE not in path.parents or node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module or ''}.{alias.name}" for alias in node.names if not node.level}
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


def files(*places: str) -> list[Path]:
    """The Python files of folders, or files themselves."""
    paths = [ROOT / place for place in places]
    found = [f for p in paths for f in ([p] if p.is_file() else p.rglob("*.py"))]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def roots_of(path: Path) -> set[str]:
    """The first parts of what a file imports."""
    return {name.split(".")[0] for name in imports_of(path)}


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}
