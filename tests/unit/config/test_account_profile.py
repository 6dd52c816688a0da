"""A definition that names an account profile says when there is none that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_sync.config import account_profile
from contact_sync.config.files import read_definitions

DEFINITION = "name: west\ncaption: West\naccount: sendgrid_west\n"
PROFILE = "version: 1\nconnection: sendgrid_west\nseen_on: 2026-11-28\nanswers: {}\n"


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (None, "There is no account profile include/accounts/sendgrid_west.yaml"),
        ("version: 7\n", "this product reads version 1"),
        (PROFILE, None),
    ],
    ids=["missing", "of another version", "right"],
)
def test_Q07_the_profile_of_a_definition_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str | None, says: str | None
) -> None:
    monkeypatch.setattr(account_profile, "FOLDER", tmp_path / "accounts")
    for name, text in (("syncs/west", DEFINITION), ("accounts/sendgrid_west", profile)):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir()
        if text is not None:
            path.write_text(text, encoding="utf-8")
    found = read_definitions(tmp_path / "syncs")
    assert list(found.by_name) == ["west"]
    told = found.warnings.get("west", [])
    assert (told == []) if says is None else (says in told[0])
