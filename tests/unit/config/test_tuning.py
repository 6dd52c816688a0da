"""The `tuning` block, and definitions from before there was one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from contact_sync.base.errors import ConfigError
from contact_sync.config.files import read_definitions
from contact_sync.config.parse import parse_definition
from contact_sync.config.tuning import LaneChoice, Tuning

GOOD = "name: north\ncaption: North\n"
OLD = {"lane": "json", "csv_from_contacts": 7, "csv_batch_contacts": 8, "slice_clients": 9}


def told(text: str) -> str:
    """What is said of a definition that is wrong."""
    with pytest.raises(ConfigError) as caught:
        parse_definition(text, "north.yaml")
    return str(caught.value)


@pytest.mark.parametrize(("key", "value"), OLD.items())
def test_a_key_at_its_old_place_is_told_with_the_new_one(key: str, value: str | int) -> None:
    """And with the lines to write instead."""
    assert told(f"{GOOD}{key}: {value}\n") == (
        f"north.yaml: {key}: moved to tuning.{key}; write\n  tuning:\n    {key}: {value}"
    )


def test_every_key_of_the_block_is_known_at_its_old_place() -> None:
    """No key of today's block was missed above."""
    assert set(OLD) == set(Tuning.model_fields)


@pytest.mark.parametrize("block", ["", "tuning: {slice_clients: 5}\n"])
def test_what_is_told_is_right_as_it_stands(block: str) -> None:
    """One block for all keys; whoever has begun to move them keeps what the block says."""
    old = {key: value for key, value in OLD.items() if key != "slice_clients"}
    first, _, advice = told(GOOD + block + yaml.safe_dump(old, sort_keys=False)).partition("\n")
    assert first == (
        "north.yaml: lane, csv_from_contacts, csv_batch_contacts: moved to tuning.lane, "
        "tuning.csv_from_contacts, tuning.csv_batch_contacts; write"
    )
    tuning = parse_definition(GOOD + yaml.safe_dump(yaml.safe_load(advice)), "north.yaml").tuning
    assert tuning == Tuning(
        lane=LaneChoice.JSON,
        csv_from_contacts=7,
        csv_batch_contacts=8,
        slice_clients=5 if "5" in block else 250_000,
    )


def test_other_mistakes_are_told_beside_it() -> None:
    """All at once, as ever."""
    said = told(f"{GOOD}lane: json\nfilds: {{}}\ntuning: {{slice_clients: 0}}\n")
    assert "north.yaml: lane: moved to tuning.lane; write\n  tuning:\n" in said
    assert "north.yaml: filds: unknown key" in said
    assert "north.yaml: tuning.slice_clients: Input should be greater than" in said
    assert "lane: unknown key" not in said
    assert "north.yaml: tuning: holds keys" in told(f"{GOOD}lane: json\ntuning: null\n")


def test_only_the_old_definition_is_broken(tmp_path: Path) -> None:
    """The syncs beside it go on."""
    (tmp_path / "new.yaml").write_text(f"{GOOD}tuning: {{lane: csv}}\n")
    (tmp_path / "old.yaml").write_text(f"{GOOD.replace('north', 'south')}lane: csv\n")
    found = read_definitions(tmp_path)
    assert found.by_name["north"].tuning.lane is LaneChoice.CSV
    assert set(found.broken) == {"old.yaml"}
    assert found.broken["old.yaml"].startswith("old.yaml: lane: moved to tuning.lane; write")
