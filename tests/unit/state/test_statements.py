"""The files of named statements: how they are read, and that each statement is used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from contact_sync.base.batch_life import LIFE
from contact_sync.base.client_life import Fate
from contact_sync.state import statements
from tests.support.airflow_home import ROOT
from tests.support.state_statements import files

STATE = ROOT / "plugins" / "contact_sync" / "state"
FILE = """-- What it is all about; 5 % of it.

-- first --
-- What it is for; with a semicolon.
SELECT 1
FROM contact_sync.run
WHERE run_id = %(run_id)s;

-- second --
SELECT 2;
"""


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> dict[str, str]:
    """Read a file of a test's own; each needs a name of its own, because files are read once."""
    monkeypatch.setattr(statements, "FOLDER", folder)
    (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    return statements.load(name)


def test_statements_come_by_name_without_comments_and_semicolon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg would take a percent sign in a comment for a parameter."""
    found = load(tmp_path, monkeypatch, "two", FILE)
    assert dict(found) == {
        "first": "SELECT 1\nFROM contact_sync.run\nWHERE run_id = %(run_id)s",
        "second": "SELECT 2",
    }


def test_an_unknown_name_is_told_with_the_names_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a typing error is found at once."""
    found = load(tmp_path, monkeypatch, "typing_error", FILE)
    with pytest.raises(
        LookupError, match=r"typing_error.sql has no statement frist, only first, s"
    ):
        found["frist"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("twice", FILE + "-- first --\nSELECT 3;\n", "two statements of the name first"),
        ("nameless", "SELECT 1;\n" + FILE, "a statement that has no name"),
        ("joined", FILE + "SELECT 3;\n", "one statement after the name second"),
        ("empty", FILE + "-- third --\n", "one statement after the name third"),
    ],
)
def test_a_file_that_says_two_things_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str
) -> None:
    """Rather than that a statement is lost in silence."""
    with pytest.raises(ValueError, match=words):
        load(tmp_path, monkeypatch, name, text)


def test_values_are_written_into_a_statement_for_arrow() -> None:
    """COPY binds no parameters; strings are quoted."""
    written = statements.with_values(
        "SELECT 5 %% 3, %(a)s, %(b)s, %(c)s, %(d)s", a=5, b=None, c=True, d="it's"
    )
    assert written == "SELECT 5 % 3, 5, NULL, true, 'it''s'"


def names_used(file: str) -> set[str]:
    """What the modules that load a file of statements take from it: SQL["name"]. The moves of a
    batch are taken by the names of their events."""
    used = set(LIFE) if file == "batch_moves" else set[str]()
    for path in STATE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if f'statements.load("{file}")' in ast.unparse(tree).replace("'", '"'):
            used |= {
                str(node.slice.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Subscript)
                and ast.unparse(node.value) == "SQL"
                and isinstance(node.slice, ast.Constant)
            }
    return used


@pytest.mark.parametrize("name", ["known_clients", "rows_of_clients", "rows_of_range"])
def test_reads_of_the_ledger_know_every_fate(name: str) -> None:
    """A state that a read doesn't number would come as NULL."""
    statement = statements.load("ledger")[name]
    assert {fate.word for fate in Fate} == set(re.findall(r"WHEN '(\w+)' THEN %\(\1\)s", statement))


@pytest.mark.parametrize("file", files())
def test_every_statement_is_used_and_every_used_one_exists(file: str) -> None:
    """Nothing is kept that nothing runs."""
    assert names_used(file) == set(statements.load(file))


SQL_TEXT = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER TABLE|SET LOCAL)\s+\w"
)


def inline_statements(path: Path) -> list[str]:
    """The strings of a module that look like SQL, except docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
                  if isinstance(node, documented)}  # fmt: skip
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text for text in texts if isinstance(text, str) and SQL_TEXT.search(text)
            and text not in docstrings]  # fmt: skip


def test_no_statement_is_written_in_python() -> None:
    """Each is where it is linted and PREPAREd. What `migrate --sql` writes around them for psql is
    run by no statement of ours, and whole by test_migrate_command.py."""
    assert inline_statements(ROOT / "plugins" / "contact_sync" / "b2core" / "reader.py")
    modules = set(STATE.rglob("*.py")) - {STATE / "pending.py"}
    found = {path.name: inline_statements(path) for path in modules}
    assert {name: texts for name, texts in found.items() if texts} == {}
