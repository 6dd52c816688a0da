"""Which tests prove which failure scenario: their names say it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

NAMED = re.compile(r"test_((?:[A-Z]\d\d_)+)")


@dataclass(frozen=True, slots=True)
class Proof:
    """A test function: its file below tests/ and its name."""

    file: str
    name: str


def proofs_of(sections: Collection[str], folder: Path) -> dict[str, list[Proof]]:
    """Scenario id → its tests, of all test functions in a folder.

    Names may hold other numbers too: G10 is a guarantee, and no section of the list.
    """
    found: dict[str, list[Proof]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (named := NAMED.match(node.name)):
                proof = Proof(path.relative_to(folder).as_posix(), node.name)
                for scenario in named.group(1).strip("_").split("_"):
                    if scenario[0] in sections:
                        found[scenario].append(proof)
    return dict(found)
