"""Numbers in the log have separators, as everywhere; only ids don't."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.airflow_home import ROOT

IDS = {"try", "run", "batch", "slice", "verification", "group", "client"}
"""What stands before a number that is a name and no amount."""


def logged() -> Iterator[tuple[str, str]]:
    """Each format of a log call with its file."""
    for path in (ROOT / "plugins" / "contact_sync").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="info" | "warning" | "error"),
                    args=[ast.Constant(value=str(said)), *_],
                ):
                    yield path.name, said


def test_amounts_are_logged_with_separators() -> None:
    """`%d` writes a million as 1000000: an amount is formatted before."""
    found = list(logged())
    assert len(found) > 100
    bare = [
        (file, said)
        for file, said in found
        for before in re.findall(r"(\S*)\s*%d", said)
        if before.lower().strip("(,") not in IDS and file != "failures.py"  # a status
    ]
    assert bare == []
