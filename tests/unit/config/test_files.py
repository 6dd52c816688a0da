"""Files in the folder of definitions that nobody would write, and that would stop every sync."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import MOST_BYTES, read_definitions, source_folder
from contact_sync.config.parse import parse_definition

GOOD = "name: {}\ncaption: North\n"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "it is a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a pipe or a device"),
        (lambda path: path.write_text("#" * (MOST_BYTES + 1)), "the file has 200,001 bytes"),
    ],
    ids=["pipe", "device", "size"],
)
def test_a_file_that_would_keep_its_reader_for_ever_is_not_read(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    """Airflow gives the whole folder half a minute; the other syncs go on."""
    (tmp_path / "north.yaml").write_text(GOOD.format("north"))
    make(tmp_path / "a.yaml")
    found = read_definitions(tmp_path)
    assert set(found.by_name) == {"north"}
    assert said in found.broken["a.yaml"]


def test_a_file_name_of_any_bytes_can_be_shown_and_stored(tmp_path: Path) -> None:
    """In an import error, which Airflow stores, and in JSON on standard output."""
    for content, name in ((GOOD.format("north"), b"a\xff.yaml"), ("[", b"b\xfe\n.yaml")):
        (tmp_path / os.fsdecode(name)).write_text(content)
    found = read_definitions(tmp_path)
    told = [*found.broken, *found.broken.values(), *found.warnings["north"]]
    assert "\n" not in "".join(told)
    assert json.dumps(told, ensure_ascii=False).encode()
    assert "a\\udcff.yaml" in found.warnings["north"][0]


def test_S01_of_two_files_of_one_sync_none_is_used_if_their_names_do_not_tell(
    tmp_path: Path,
) -> None:
    """One of them would be sent with, and nobody knows whether it is the one that is meant."""
    for name in ("a.yaml", "b.yaml", "south.yaml", "south.yml"):
        (tmp_path / name).write_text(GOOD.format("south" if "south" in name else "north"))
    found = read_definitions(tmp_path)
    assert found.by_name == {}
    assert sorted(found.broken) == ["a.yaml", "b.yaml", "south.yaml", "south.yml"]
    assert "another file, b.yaml; names are unique, and none of them" in found.broken["a.yaml"]


def test_of_very_many_mistakes_some_are_told() -> None:
    """The message is stored by Airflow and shown on a page."""
    text = GOOD.format("north") + "".join(f"k{number}: 1\n" for number in range(2_000))
    with pytest.raises(ConfigError) as caught:
        parse_definition(text, "north.yaml")
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (51, "north.yaml: 1,950 more mistakes")


def test_a_folder_of_sql_without_statements_is_told() -> None:
    """With those that have some: include/sql/state/ holds other SQL."""
    definition = SyncDefinition.model_validate(
        {"name": "north", "caption": "North", "source": {"sql": "state"}}
    )
    with pytest.raises(ConfigError, match=r"has no clients\.sql; those that have one: b2core"):
        source_folder(definition)
