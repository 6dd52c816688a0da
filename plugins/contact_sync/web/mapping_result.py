"""What becomes of a sync's form: the definition, its differences, and what a check found. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contact_sync.config.definition import SyncDefinition
from contact_sync.config.parse import parse_definition, validated
from contact_sync.config.write import changed_text, definition_text
from contact_sync.web.findings_view import FindingsView
from contact_sync.web.mapping_form import MappingForm

NOTHING_CHECKED = FindingsView()
SIGNS = {"+": "added", "-": "removed", "@": "place"}
MAX_ROWS = 40


@dataclass(frozen=True, slots=True)
class PresentFile:
    """A definition's file: its name, its text, and the keys that it holds."""

    name: str
    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """The definition that the form makes, as a file."""

    file: str
    text: str
    definition: SyncDefinition


@dataclass(frozen=True, slots=True)
class Result:
    """What the page shows below the form. `problem`: why there is no definition."""

    problem: str = ""
    written: Written | None = None
    present: PresentFile | None = None
    checked: FindingsView = NOTHING_CHECKED

    @property
    def text_rows(self) -> int:
        """How many lines of the text show at once."""
        return min(len(self.written.text.splitlines()) + 1, MAX_ROWS) if self.written else 0

    @property
    def differences(self) -> list[tuple[str, str]]:
        """Lines of a unified diff with the present file, each with what it is; [] = none."""
        if self.written is None or self.present is None:
            return []
        before, after = self.present.text.splitlines(), self.written.text.splitlines()
        found = list(difflib.unified_diff(before, after, lineterm=""))[2:]
        return [(SIGNS.get(line[:1], "same"), line) for line in found]


def written(form: MappingForm, present: PresentFile | None) -> Written:
    """The file that the form makes, read again as a run reads it.

    Raises ConfigError that names every wrong key.
    """
    file = present.name if present else f"{form['name'] or 'NAME'}.yaml"
    data = form.data(present.data if present else None)
    validated(data, file)  # first: what it refuses might not be written as it is meant
    text = changed_text(present.text, data) if present else definition_text(data)
    return Written(file, text, parse_definition(text, file))
