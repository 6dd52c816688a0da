"""The table of commands: each explains itself, with examples that can be typed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from contact_sync.cli import main as cli
from contact_sync.cli.command import PROGRAM, Command
from contact_sync.cli.commands import commands
from tests.support.airflow_home import ROOT

WRITE_ONLY = {"init", "rename", "forget", "migrate"}
"""Commands that are for what they change; every other one answers."""
BY_NAME = {command.name: command for command in commands()}
COMPLETE = """
eval "$(activate-global-python-argcomplete --dest=-)"
COMP_LINE=$1
COMP_WORDS=($1)
COMP_POINT=${#COMP_LINE}
_python_argcomplete_global python
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What docs/command-line.md says, and what bash does then at the tab key."""


@pytest.mark.parametrize("command", BY_NAME.values(), ids=BY_NAME.keys())
def test_every_command_explains_itself(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help`: what it is for, its examples, its exit codes."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command.name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"{command.meaning[:1].upper()}{command.meaning[1:]}." in said
    assert "exit codes: 0 " in said
    for typed in command.usage().examples:
        assert f"  {PROGRAM} {typed}" in said


@pytest.mark.parametrize("command", BY_NAME.values(), ids=BY_NAME.keys())
def test_every_example_can_be_typed(command: Command) -> None:
    """Of this command, not of another one."""
    examples = command.usage().examples
    assert examples
    for typed in examples:
        words = shlex.split(typed.partition(" > ")[0])
        assert "command" in cli.parser([command.name]).parse_args(words), typed


def test_every_command_that_answers_has_json() -> None:
    """And no other one."""
    silent = {name for name, command in BY_NAME.items() if not command.usage().prints_json}
    assert silent == WRITE_ONLY


def test_the_version_is_the_products(capsys: pytest.CaptureFixture[str]) -> None:
    """That of the folder beside the package."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    (folder,) = (ROOT / "plugins").glob("contact_sync-*.dist-info")
    assert capsys.readouterr().out == f"contact_sync {folder.name.split('-')[1][:-5]}\n"


def test_a_command_loads_what_it_needs() -> None:
    """The list of commands neither Airflow nor Arrow, and what only looks at runs no pandas, nor a
    run before it has clients to read: every process would pay for it before it begins."""
    code = """
import sys
from contact_sync.cli.main import main
def lacks(*modules, asked):
    try:
        main(asked)
    except SystemExit:
        pass
    assert not set(modules) & set(sys.modules), set(modules) & set(sys.modules)
lacks("airflow", "alembic", "pandas", "psycopg", "pyarrow", "requests", asked=["--help"])
lacks("alembic", "email_validator", "pandas", asked=["status", "demo"])
lacks("alembic", "email_validator", "pandas", "phonenumbers", "pyarrow.compute",
      asked=["run", "demo"])
"""
    environment = {name: value for name, value in os.environ.items() if "AIRFLOW_CONN" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stderr.count("error: Sync 'demo'") == 2, "it was not opened"


@pytest.mark.parametrize(
    ("line", "offered"),
    [("python -m contact_sync che", ["check-sql"]), ("python -m contact_sync plan de", ["demo"])],
)
def test_a_shell_completes_commands_and_syncs(line: str, offered: list[str]) -> None:
    """In a real bash, as docs/command-line.md switches it on."""
    line_in_docs = COMPLETE.splitlines()[1]
    assert line_in_docs in (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", line],
        env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [word.strip() for word in done.stdout.splitlines()] == offered


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As `schema | head -1` has it: nothing is said, and the code is the one of shells."""
    with subprocess.Popen(
        [sys.executable, "-m", "contact_sync", "schema"], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert (process.wait(), said) == (141, "")
