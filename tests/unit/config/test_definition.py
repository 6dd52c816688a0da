"""Definitions: what a file may say, and how a wrong one is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.config import files
from contact_sync.config.definition import SyncDefinition, json_schema
from contact_sync.config.files import read_definition, read_definitions
from contact_sync.config.parse import parse_definition

SYNCS = INCLUDE / "syncs"
TEMPLATE = SYNCS / "template.yaml.example"
GOOD = "name: north\ncaption: North\n"
MANY = "\n".join(f"  field_{number}: city" for number in range(60))


def test_S07_required_fields_are_mapped_without_saying_so() -> None:
    """E-mail, first and last name are always there; the rest only when it is mapped (S11)."""
    fields = parse_definition(GOOD, "north.yaml").fields
    assert {name: field.column for name, field in fields.items()} == {
        "email": "email",
        "first_name": "first_name",
        "last_name": "last_name",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "north.yaml: line 1 is not YAML"),
        ("- a list", "north.yaml: the file must hold keys"),
        ("caption: North", "north.yaml: name: is missing; add it"),
        (GOOD + "filds: {}", "north.yaml: filds: unknown key; did you mean 'fields'? Otherwise"),
        ("name: \x07", "north.yaml: is not YAML"),
        ("name: !!python/object:os.system x", "north.yaml: line 1 is not YAML"),
        ("caption: 2024-13-45", "north.yaml: a value can't be read (month must be in 1..12)"),
        pytest.param(
            "[" * 5_000, "north.yaml: a value can't be read (it is nested too deeply)", id="deep"
        ),
        (GOOD + "caption: South", "line 3 is not YAML: the key 'caption' is there twice"),
        (GOOD + "fields:\n  city: a\n  city: b", "line 5 is not YAML: the key 'city' is there"),
        (GOOD + "? [city]\n: a", "line 3 is not YAML: a key is a list or a mapping"),
        (GOOD + "fields: {? {a: b} : c}", "line 3 is not YAML: a key is a list or a mapping"),
        ("name: north\ncaption: ' '", "north.yaml: caption: is empty"),
        ('name: north\ncaption: "a\\0b"', "caption: holds U+0000, which no one can see"),
        ('name: north\ncaption: "a\\ud800"', "caption: holds U+D800, which no one can see"),
        (GOOD + 'list: "a\\nb"', "north.yaml: list: holds U+000A, which no one can see"),
        (GOOD + 'fields: {"a\\0": city}', "holds U+0000, which no one can see"),
        (GOOD + "fields: [city]", "north.yaml: fields: holds keys, indented on lines of"),
        (GOOD + "fields: {7: city}", "north.yaml: fields.7"),
        (GOOD + "deadlines: {job_hours: .inf}", "north.yaml: deadlines.job_hours: Input should"),
        (GOOD + "source: {zz: x}", "source.zz: unknown key; delete it or correct its spelling"),
        (GOOD + "limits: {aproval_hours: 1}", "unknown key; did you mean 'approval_hours'?"),
        (GOOD + "limits:", "north.yaml: limits: holds keys, indented on lines of their own"),
        (GOOD + "default_country: no", "default_country: must be a text: write it in quotes"),
        ("name: north\ncaption: " + "a" * 101, "has more than 100 characters"),
        ('name: north\ncaption: "\u200b"', "north.yaml: caption: is empty"),
        ('name: north\ncaption: "a\u202eb"', "caption: holds U+202E, which no one can see"),
        (GOOD + "enabled: perhaps", "north.yaml: enabled: must be true or false"),
        (GOOD + "tuning: {slice_clients: 0}", "north.yaml: tuning.slice_clients: Input should be"),
        (GOOD + "tuning: {lane: pigeon}", "tuning.lane: Input should be 'auto', 'json' or 'csv'"),
        (GOOD.replace("north", "North"), "north.yaml: name: String should match pattern"),
        (GOOD + "fields: {email: null}", "field 'email' has no column. It can't be unmapped"),
        (GOOD + "fields: {last_name: null}", "field 'last_name' has no column. It can't be"),
        (GOOD + "fields: {city: null}", "field 'city' has no column. Delete the line"),
        (GOOD + "fields: {City: city, city: city}", "without case; twice: ['city']"),
        (GOOD + "fields: {city: 'a; DROP TABLE'}", "north.yaml: fields.city"),
        (GOOD + f"fields:\n{MANY}", "63 fields are mapped; 60 are possible"),
    ],
)
def test_a_broken_definition_names_file_key_and_fix(text: str, said: str) -> None:
    """Each kind of mistake is told so that it can be fixed without reading code."""
    with pytest.raises(ConfigError) as caught:
        parse_definition(text, "north.yaml")
    assert said in str(caught.value)


def test_yaml_merge_keys_still_work() -> None:
    """A key that overrides a merged one doesn't stand there twice."""
    text = GOOD + "fields:\n  city: &c {column: city}\n  country: {<<: *c, column: country}\n"
    assert parse_definition(text, "north.yaml").fields["country"].column == "country"


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    """Two mistakes, two lines."""
    with pytest.raises(ConfigError) as caught:
        parse_definition("name: A\nbogus: 1\n", "a.yaml")
    keys = [line.split(":")[1].strip() for line in str(caught.value).splitlines()]
    assert sorted(keys) == ["bogus", "caption", "name"]


def test_S01_good_definitions_work_beside_broken_ones_and_names_are_unique(tmp_path: Path) -> None:
    """Every file is judged by itself."""
    (tmp_path / "north.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("north", "south"))
    (tmp_path / "c.yaml").write_text(GOOD)
    (tmp_path / "d.yaml").write_text("name: 7")
    (tmp_path / "e.yaml.example").write_text("not read")
    (tmp_path / "f.yaml").write_bytes(b"caption: Z\xfcrich")
    (tmp_path / "g.yaml").mkdir()
    (tmp_path / "h.yaml").write_text("caption: 2024-02-30")
    (tmp_path / "i.yml").write_text(GOOD.replace("north", "i"))
    (tmp_path / "j.YAML").write_text(GOOD.replace("north", "j"))
    (tmp_path / ".#a.yaml").symlink_to("no-such-file")
    (tmp_path / "._a.yaml").write_bytes(b"\x00\x05")
    found = read_definitions(tmp_path)
    assert set(found.by_name) == {"north", "south", "i", "j"}
    assert set(found.broken) == {f"{letter}.yaml" for letter in "cdfgh"}
    assert all(message.startswith(f"{name}:") for name, message in found.broken.items())
    assert found.broken["f.yaml"] == "f.yaml: the file can't be read: it is not UTF-8"
    assert found.broken["c.yaml"] == (
        "c.yaml: name: 'north' is taken by another file, north.yaml; names are unique"
    )


def test_an_oversight_in_a_definition_is_told_and_stops_nothing(tmp_path: Path) -> None:
    """The file's name and the template's own words, which one copies and forgets."""
    (tmp_path / "north.yaml").write_text(GOOD)
    (tmp_path / "south.yaml").write_text(GOOD.replace("north", "west"))
    (tmp_path / "template.yaml").write_text(TEMPLATE.read_text(encoding="utf-8"))
    found = read_definitions(tmp_path)
    assert set(found.by_name) == {"north", "west", "template"}
    assert found.warnings == {
        "west": [
            "south.yaml: name: the sync is called 'west', not as its file; the DAG is "
            "contact_sync_west"
        ],
        "template": ["template.yaml: name and caption are still the template's: give it its own"],
    }


def test_an_unforeseen_fault_of_a_file_stops_only_its_own_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reader trips over, the other files are read, and the message holds no value."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("north", "south"))

    def trips(text: str, file: str) -> SyncDefinition:
        if file == "a.yaml":
            raise RuntimeError(text)
        return parse_definition(text, file)

    monkeypatch.setattr(files, "parse_definition", trips)
    found = read_definitions(tmp_path)
    assert set(found.by_name) == {"south"}
    assert found.broken["a.yaml"].startswith("a.yaml: the file can't be understood (RuntimeError)")
    assert "North" not in found.broken["a.yaml"]


def test_an_unknown_sync_is_told_with_those_that_exist(tmp_path: Path) -> None:
    """And with the broken files, because it may be one of them."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "d.yaml").write_text("name: 7")
    with pytest.raises(ConfigError, match=r"no sync 'west'.* defines north(.|\n)*d\.yaml"):
        read_definition("west", tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """Instead of silently giving no DAG."""
    with pytest.raises(ConfigError, match="syncs/ with the sync definitions does not exist"):
        read_definitions(tmp_path / "syncs")


def test_the_exported_json_schema_is_up_to_date() -> None:
    """`python -m contact_sync schema > include/syncs/sync.schema.json`."""
    assert json.loads((SYNCS / "sync.schema.json").read_text()) == json_schema()


@pytest.mark.parametrize("path", [SYNCS / "demo.yaml", TEMPLATE], ids=["demo", "template"])
def test_shipped_definitions_fit_the_schema_and_the_model(path: Path) -> None:
    """An editor and Airflow judge them alike."""
    text = path.read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), json_schema())
    parse_definition(text, path.name)


def test_the_schema_refuses_what_the_model_refuses() -> None:
    """An unknown key is underlined in the editor."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "a", "caption": "A", "filds": {}}, json_schema())


def keys(model: type[BaseModel]) -> set[str]:
    """All keys of a model, those of the models in it included."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= keys(part)
    return found


def test_the_template_explains_every_key() -> None:
    """A user finds every option there, perhaps in a comment."""
    text = TEMPLATE.read_text(encoding="utf-8")
    wanted = keys(SyncDefinition)
    assert {"name", "b2core", "overlap_minutes", "on_too_long", "quarantine_minutes"} <= wanted
    assert {key for key in wanted if not re.search(rf"^(# )? *{key}:", text, re.MULTILINE)} == set()


def test_the_template_shows_the_defaults() -> None:
    """Except where it says otherwise."""
    template = parse_definition(TEMPLATE.read_text(encoding="utf-8"), "template").model_dump()
    defaults = SyncDefinition.model_validate({"name": "template", "caption": "x"}).model_dump()
    different = {key for key, value in template.items() if value != defaults[key]}
    by_list = {"on_client_deleted", "on_exclusion"}
    assert different == {"caption", "schedule", "list", "fields"} | by_list
