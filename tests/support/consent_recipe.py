"""The recipe for consent, applied to the source's statements as it says itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.support.consents import PLAIN

RECIPE = PLAIN / "consent.sql.example"
TABLE = """CREATE TABLE b2core.consents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client_id bigint NOT NULL, purpose text,
    is_granted boolean, given_at timestamptz DEFAULT clock_timestamp())"""


def parts() -> dict[str, str]:
    """Each part by the line above it: where it goes → its text."""
    text = RECIPE.read_text(encoding="utf-8")
    found = re.split(r"^-- (In .+)\n", text, flags=re.MULTILINE)[1:]
    return {where: part.strip() for where, part in zip(found[::2], found[1::2], strict=True)}


def with_consent(copy: Path) -> tuple[Path, str]:
    """A copy of the source's SQL with the recipe, and the grant for its administrator."""
    shutil.copytree(PLAIN, copy)
    grant = ""
    for where, part in parts().items():
        if where.startswith("In roles.sql"):
            grant = part
            continue
        for name in re.findall(r"\w+\.sql", where):
            path = copy / name
            path.write_text(_placed(path.read_text(encoding="utf-8"), where, part), "utf-8")
    return copy, grant


def _placed(statement: str, where: str, part: str) -> str:
    if " in place of: " in where:
        replaced = where.partition(" in place of: ")[2]
        assert statement.count(replaced) == 1
        return statement.replace(replaced, part)
    if "before its last WHERE" in where:
        head, last, tail = statement.rpartition("\nWHERE\n")
        assert last
        return f"{head}\n{part}{last}{tail}"
    assert where.partition(";")[0].endswith("at the end")
    return f"{statement.rstrip()}\n{part}\n"
