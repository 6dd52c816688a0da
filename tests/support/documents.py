"""Every command that the documents tell people to type, and the definitions that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.airflow_home import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    ROOT / "include/sql/b2core/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"(?ms)^ *```(\w*)\n(.*?)^ *```$")
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(
    r"(\w+=\S+ )*(python3? (-m )?\S+\.\w+( |$)|python3? -m \S+( |$)|make \S|airflow \S+ \S"
    r"|docker compose \S|psql -|createdb |pg_dump |pg_restore |apt-get |brew |cp |\.venv/bin/)"
)
"""What an inline piece of code must begin with to be taken for a command."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command and the page it is on; NAME stands for a sync, as the pages say."""

    page: str
    text: str

    def __str__(self) -> str:
        """For a failed test."""
        return f"{self.page}: {self.text}"


def commands() -> list[Command]:
    """All commands in blocks of shell and in the text, each once, in the order of the pages."""
    found = [
        Command(str(page.relative_to(ROOT)), text)
        for page in PAGES
        for text in _commands_of(page.read_text(encoding="utf-8"))
    ]
    return list({command.text: command for command in reversed(found)}.values())[::-1]


def definitions() -> Iterator[tuple[str, str]]:
    """Every block of YAML with its page."""
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "yaml":
                yield page.name, text


def shell_commands(text: str) -> Iterator[str]:
    """The commands of a page's blocks of shell, in their order."""
    for language, block in BLOCK.findall(text):
        if language in ("sh", "bash", "console"):
            yield from _lines(block.replace("\\\n", " "))


def _commands_of(text: str) -> Iterator[str]:
    yield from shell_commands(text)
    for piece in INLINE.findall(BLOCK.sub("", text)):
        command = " ".join(piece.split())
        if COMMAND.match(command):
            yield command


def _lines(block: str) -> Iterator[str]:
    """A block's commands; in quotes, ends of lines and `#` are parts of a word."""
    line, quoted, comment = "", "", False
    for letter in f"{block}\n":
        if letter == "\n" and not quoted:
            if command := " ".join(line.split()):
                yield command
            line, comment = "", False
        elif letter == "#" and not quoted and line[-1:] in ("", " "):
            comment = True
        elif not comment:
            if letter in ("'", '"') and quoted in ("", letter):
                quoted = "" if quoted else letter
            line += letter
