"""One version number: of the project, of what Airflow finds beside plugins/, of the changelog."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

from tests.support.airflow_home import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_what_airflow_finds_has_the_projects_version() -> None:
    """The folder's name and the file in it."""
    (folder,) = (ROOT / "plugins").glob("contact_sync-*.dist-info")
    assert folder.name == f"contact_sync-{VERSION}.dist-info"
    assert version("contact-sync") == VERSION


def test_the_changelog_begins_with_what_is_unreleased_and_the_version() -> None:
    """Newest first, every release with its day."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, newest, *older = re.findall(r"(?m)^## (.+)$", text)
    assert first == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", newest)
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in older)
