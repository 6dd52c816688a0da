"""A definition's keys as a file: a new one, and the present one with what has changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.paths import INCLUDE
from contact_sync.config.parse import read_yaml
from contact_sync.config.write import changed_text, definition_text

FILE = """\
# A sync of ours.
name: west
caption: "West"   # shown

schedule: null    # later: hourly
fields:
  # Their own.
  city: city
  # Ours.
  Status: {column: status}
# Below are limits.
limits:
  removals:
    contacts: 10  # few
    share: 0.1
alerts:
  email:
    - ops@example.com
    # nobody else
  webhook_connection: hook
"""
TEMPLATE = (INCLUDE / "syncs" / "template.yaml.example").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        (("caption",), "East", 'caption: "West"   # shown', "caption: East   # shown"),
        (("schedule",), "@daily", "schedule: null    # later: hourly",
         "schedule: '@daily'    # later: hourly"),
        (("fields", "city"), None, "  city: city\n", ""),
        (("fields", "Status"), "state", "  Status: {column: status}", "  Status: state"),
        (("fields", "New"), "new", "  Status: {column: status}\n",
         "  Status: {column: status}\n  New: new\n"),
        (("fields", "city"), {"column": "town", "on_too_long": "reject"}, "  city: city",
         "  city:\n    column: town\n    on_too_long: reject"),
        (("limits", "removals", "contacts"), 20, "contacts: 10  # few", "contacts: 20  # few"),
        (("limits", "approval_hours"), 5, "    share: 0.1\n",
         "    share: 0.1\n  approval_hours: 5\n"),
        (("alerts", "email"), ["a@example.com"], "    - ops@example.com\n", "  - a@example.com\n"),
        (("limits",), None, "limits:\n  removals:\n    contacts: 10  # few\n    share: 0.1\n", ""),
        (("list",), "no", "  webhook_connection: hook\n",
         "  webhook_connection: hook\nlist: 'no'\n"),
    ],
)  # fmt: skip
def test_only_the_lines_of_what_changes_change(
    path: tuple[str, ...], value: Any, before: str, after: str
) -> None:
    """Comments, blank lines and other ways of writing stay; None = the key goes."""
    data = read_yaml(FILE, "west.yaml")
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    assert before in FILE
    assert changed_text(FILE, data) == FILE.replace(before, after, 1)


@pytest.mark.parametrize(
    "text",
    [FILE, TEMPLATE, "{name: west, caption: West}\n", "name: x\n"],
    ids=["a file", "the template", "in braces", "one key"],
)
def test_a_file_that_says_it_already_stays_as_it_is(text: str) -> None:
    """Byte for byte, as long as it is written line by line."""
    data = read_yaml(text, "west.yaml")
    made = changed_text(text, data)
    assert made == text or text.startswith("{")
    assert read_yaml(made, "west.yaml") == data


@pytest.mark.parametrize(
    "text",
    [
        "name: &n west\ncaption: *n\n",
        "fields: &f {city: city}\nname: west\n",
        "fields:\n  <<: {city: city}\nname: west\n",
        "{name: west, caption: West}",
        "name: !!str west\ncaption: |\n  West\n",
    ],
)
def test_what_cannot_be_changed_by_lines_becomes_a_new_file(text: str) -> None:
    """Anchors, merged keys, tags, one line in braces: the keys are what was wanted."""
    data = {**read_yaml(text, "west.yaml"), "caption": "East", "list": "A: b # c"}
    assert changed_text(text, data) == definition_text(data)
    assert read_yaml(definition_text(data), "new.yaml") == data


KEYS = ["name", "caption", "schedule", "list", "fields", "limits", "alerts", "source", "tuning"]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**6), st.sampled_from([0.5, 1.0]),
    st.sampled_from(["yes", "null", "1e3", "12:30", "a: b", "# no", "-", "", " x ", "'", '"', "ü",
                     "@daily", "2026-01-01", "*/15 * * * *", "x" * 200, "two\nlines"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abcde"), inner, max_size=4)
    ),
    max_leaves=8,
)
FILES = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1)


@given(FILES, FILES, st.booleans())
def test_any_file_can_be_changed_to_any_other(
    present: dict[str, Any], wanted: dict[str, Any], mixed: bool
) -> None:
    """Whatever was there: what is written is read as what was wanted."""
    wanted = {**deepcopy(present), **wanted} if mixed else wanted
    text = "# top\n" + definition_text(present).replace("\n", "  # said\n", 1) + "# end\n"
    assert read_yaml(changed_text(text, wanted), "any.yaml") == wanted


def test_the_template_can_be_changed_everywhere() -> None:
    """Each key of its first level in turn, in the file that people copy."""
    data = read_yaml(TEMPLATE, "template")
    for key in data:
        without = {name: value for name, value in data.items() if name != key}
        made = changed_text(TEMPLATE, without)
        assert read_yaml(made, "x") == without
        assert made.count("#") > TEMPLATE.count("#") - 25
