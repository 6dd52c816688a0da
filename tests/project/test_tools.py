"""The files around the code that name tools and packages: each names what exists."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest
import yaml

from docker import lacking
from tests.support.airflow_home import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]


def text_of(name: str) -> str:
    """A file of the top folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def pins() -> list[str]:
    """The lines of both lists of packages."""
    files = ("requirements-product.txt", "requirements.txt")
    return [line for name in files for line in lacking.all_lines(text_of(name))]


def test_hooks_run_the_commands_of_make_check() -> None:
    """Local hooks only, with programs of .venv that `make check` runs too."""
    assert [repository["repo"] for repository in HOOKS] == ["local"]
    targets = dict(re.findall(r"(?m)^(\w+):.*\n((?:\t.*\n)+)", text_of("Makefile")))
    assert targets["check"].rstrip().endswith(" types sql")
    check = "".join(targets[name] for name in ("check", "types", "sql"))
    checked = set(re.findall(r"\$\(BIN\)/(\w+)", check))
    for hook in HOOKS[0]["hooks"]:
        program = Path(shlex.split(hook["entry"])[0])
        assert program.parent == Path(".venv/bin")
        assert (ROOT / program).exists()
        assert program.name in checked
        assert hook["language"] == "system"


def test_the_editors_settings_are_those_of_the_formatters() -> None:
    """Sections are read as INI, with the line length of pyproject.toml."""
    settings = configparser.ConfigParser(default_section="")
    settings.read_string("[top]\n" + text_of(".editorconfig"))
    assert settings["top"]["root"] == "true"
    lengths = dict(
        re.findall(r"(?m)^(line-length|max_line_length) = (\d+)", text_of("pyproject.toml"))
    )
    assert settings["*.{py,toml}"]["max_line_length"] == lengths["line-length"]
    assert settings["*.sql"]["max_line_length"] == lengths["max_line_length"]
    assert settings["Makefile"]["indent_style"] == "tab"


def test_the_table_of_dependencies_has_every_pin() -> None:
    """And none that isn't pinned any more."""
    table = text_of("CONTRIBUTING.md").partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`[^|]+) \|", table)
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    pinned = [lacking.name_of(line) for line in pins()]
    assert sorted(named) == sorted(pinned)


def test_every_pin_is_exact_and_locked() -> None:
    """`make lock` was run after the last change of the lists."""
    locked = text_of("requirements.lock").lower()
    for line in pins():
        pin = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)(?: ;.*)?", line)
        assert pin is not None, line
        assert re.search(
            rf"(?m)^{re.escape(pin[1].lower())}(\[\w+\])?=={re.escape(pin[2])} ", locked
        ), line


@pytest.mark.parametrize("host", ["index-url", "find-links", "file:", "://"])
def test_the_lock_names_no_registry(host: str) -> None:
    """Whoever installs has a registry of their own."""
    assert host not in text_of("requirements.lock")
