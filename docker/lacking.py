"""Print the lines of a requirements file whose package is not installed in this Python.

For the Dockerfile:  python lacking.py FILE [NAME ...]
Without names, every line of the file is meant. Standard library only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> int:
    """Read the command line and print the lines."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    for line in lacking(text, sys.argv[2:]):
        print(line)
    return 0


def lacking(text: str, names: list[str]) -> Iterator[str]:
    """Yield the wanted requirements that are not installed. Raise SystemExit on unknown names."""
    listed = list(all_lines(text))
    wanted = [line for line in listed if name_of(line) in names]
    if len(wanted) != len(names):
        raise SystemExit(f"The file does not list all of: {', '.join(names)}")
    for line in wanted if names else listed:
        if not is_installed(name_of(line)):
            yield line


def all_lines(text: str) -> Iterator[str]:
    """Yield every requirement without its comment; another file that is named isn't read."""
    for line in text.splitlines():
        requirement = line.partition("#")[0].strip()
        if requirement and not requirement.startswith("-"):
            yield requirement


def name_of(requirement: str) -> str:
    """Return the package's name: `psycopg` of `psycopg[binary]==3.3.6`."""
    match = NAME.match(requirement)
    if match is None:
        raise SystemExit(f"Not a requirement: {requirement}")
    return match.group()


def is_installed(name: str) -> bool:
    """Return whether this Python has the package, in whatever version."""
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
