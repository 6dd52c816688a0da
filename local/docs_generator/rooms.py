"""The rooms of the package: their layers from the import-linter contract, and who imports whom."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from local.docs_generator.markdown import code, table
from local.stack.directory import ROOT

PACKAGE = ROOT / "plugins" / "contact_sync"
NAME = PACKAGE.name


def room_lines() -> list[str]:
    """The layers as a diagram, and each room with its purpose and what it imports."""
    layers = _layers()
    order = [room for rooms in layers for room in rooms]
    nodes = [f'    L{n}["{" · ".join(rooms)}"]' for n, rooms in enumerate(layers)]
    arrows = [f"    L{n} --> L{n + 1}" for n in range(len(layers) - 1)]
    rows = (
        (code(room), _purpose(room), ", ".join(sorted(_imports(room), key=order.index)) or "-")
        for rooms in layers
        for room in rooms
    )
    return [
        "```mermaid", "flowchart TB", *nodes, *arrows, "```", "",
        *table(("Room", "What it is", "Imports"), rows),
    ]  # fmt: skip


def _layers() -> list[list[str]]:
    """From entry to ground; rooms of one layer don't import each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(
        c for c in project["tool"]["importlinter"]["contracts"] if c.get("containers") == [NAME]
    )
    return [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]


def _files(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


def _purpose(room: str) -> str:
    folder = PACKAGE / room
    path = folder / "__init__.py" if folder.is_dir() else PACKAGE / f"{room}.py"
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return told.partition("\n\n")[0]


def _imports(room: str) -> set[str]:
    """Other rooms that this one imports, also inside functions and for types alone."""
    found: set[str] = set()
    for path in _files(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            parts = [name.split(".") for name in names]
            found |= {part[1] for part in parts if part[0] == NAME and len(part) > 1}
    return found - {room}
