"""Text from definitions and clients is a value wherever it goes: SQL, CSV, JSON and URLs."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.config.parse import parse_definition
from tests.support.world import LIST_NAME, World

HOSTILE = [
    "x'; DROP SCHEMA contact_sync CASCADE; --",
    'x"; DROP SCHEMA contact_sync CASCADE; --',
    "x\\'; DROP SCHEMA contact_sync CASCADE; --",
    "$$; DROP SCHEMA contact_sync CASCADE; --",
    "%s %(n)s {n} {0} {{ conn.crm.password }}",
    "../../../etc/passwd",
    "a?b&c=d#e/f",
]
TEXT = """name: {name}
caption: One
list: A list
fields:
  city: {column}
source:
  sql: {sql}
"""


@pytest.mark.parametrize("key", ["name", "column", "sql"])
@pytest.mark.parametrize("text", HOSTILE)
def test_names_that_become_identifiers_or_paths_are_plain(key: str, text: str) -> None:
    """Letters, digits and underscores: nothing that could end a quote or leave a folder."""
    good = {"name": "one", "column": "city", "sql": "b2core"}
    parse_definition(TEXT.format(**good), "one.yaml")
    quoted = "'" + text.replace("'", "''") + "'"
    with pytest.raises(ConfigError, match=r"one\.yaml"):
        parse_definition(TEXT.format(**good | {key: quoted}), "one.yaml")


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_hostile_values_arrive_as_they_are(world: World, lane: str) -> None:
    """Through a run and back: every table, column and contact is still what it was."""
    world.redefine(lane=lane)
    for number, text in enumerate(HOSTILE):
        world.add(f"hostile{number}@example.com", first_name=text, last_name=f"=1+1|{text}")
    world.run()
    for number, text in enumerate(HOSTILE):
        contact: dict[str, Any] = world.contact(f"hostile{number}@example.com")
        assert (contact["first_name"], contact["last_name"]) == (text, f"=1+1|{text}")
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_list_name_is_a_name(world: World, text: str) -> None:
    """It is compared, never pasted; a missing one is told as it is written."""
    world.add("client1@example.com", first_name="Ann")
    world.redefine(list=text)
    with pytest.raises(ConfigError) as caught:
        world.run()
    assert f"SendGrid has no list {text!r}" in str(caught.value)
    world.list_id = world.emulator.admin.create_list(text)
    assert text != LIST_NAME
    world.run()
    world.assert_converged()
