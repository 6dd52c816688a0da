"""What each column of the state database says of a person: include/sql/state/personal_data.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import yaml

from contact_sync.state.statements import FOLDER
from local.docs_generator.markdown import code, table

CLASSES = ("personal", "pseudonymous", "none")


@dataclass(frozen=True, slots=True)
class Classified:
    """A table: the class of each column, and until when its rows are kept ("" = none is about
    anybody)."""

    columns: dict[str, str]
    until: str

    def of(self, kind: str) -> list[str]:
        """The columns of a class, as they are written."""
        return [column for column, its in self.columns.items() if its == kind]


@cache
def classified() -> dict[str, Classified]:
    """Every table by name, in the order of the file. Raises ValueError for a column that has two
    classes, and for a word that is none of CLASSES."""
    text = (FOLDER / "personal_data.yaml").read_text(encoding="utf-8")
    found: dict[str, Classified] = {}
    for name, said in yaml.safe_load(text).items():
        until = " ".join(said.pop("until", "").split())
        if unknown := said.keys() - set(CLASSES):
            raise ValueError(f"{name}: {', '.join(unknown)} is no class")
        columns = {column: kind for kind, named in said.items() for column in named}
        if len(columns) < sum(map(len, said.values())):
            raise ValueError(f"{name}: a column has two classes")
        found[name] = Classified(columns, until)
    return found


def data_rows() -> list[str]:
    """The tables that say anything of a person, as a table in Markdown."""
    cells = (
        (code(name), _named(its.of("personal")), _named(its.of("pseudonymous")), its.until)
        for name, its in classified().items()
        if its.until
    )
    return table(("Table", "Personal", "Pseudonymous", "A row goes when"), cells)


def _named(columns: list[str]) -> str:
    return ", ".join(map(code, columns)) or "\N{EN DASH}"
