"""A sync's form: from a definition and back, from what a browser sent, as a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.errors import ConfigError
from contact_sync.base.paths import INCLUDE
from contact_sync.base.policy_words import BAD_VALUE, DETECTION, ENABLED, POLICIES, TOO_LONG
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.parse import parse_definition, read_yaml
from contact_sync.web.mapping_form import (
    KEYS,
    FieldRow,
    MappingForm,
    form_of,
    new_form,
    posted_form,
)
from contact_sync.web.mapping_result import PresentFile, Result, written

TEMPLATE = (INCLUDE / "syncs" / "template.yaml.example").read_text(encoding="utf-8")
REMOVAL = st.sampled_from(["unlist", "delete", "keep", ""])
TEXTS = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-z][a-z0-9_]{0,49}", fullmatch=True),
        "caption": st.sampled_from(["West", "Ümläut: a # b", "yes", "1.0", "'quoted\" \\"]),
        "schedule": st.sampled_from(["", "@hourly", "*/15 * * * *", "0 6 * * mon-fri"]),
        "list": st.sampled_from(["no", "null", "A: b", " padded ", "列表", "-"]),
        "b2core": st.from_regex(r"[A-Za-z0-9_.\-]{1,30}", fullmatch=True),
        "sql": st.sampled_from(["b2core", "123", "on"]),
        "enabled": st.sampled_from(["true", "false"]),
        "change_detection": st.sampled_from(["xmin", "updated_at"]),
        "default_country": st.sampled_from(["", "NO", "che"]),
        "full_every_hours": st.integers(1, 720).map(str),
        "on_address_change": st.sampled_from(["unlist", "delete", "keep"]),
        "on_address_lost": REMOVAL,
        "on_client_deleted": REMOVAL,
        "on_exclusion": REMOVAL,
        "on_list_change": st.sampled_from(["keep", "unlist"]),
        "carry_suppressions": st.sampled_from(["true", "false"]),
        "suppress_excluded": st.sampled_from(["true", "false"]),
        "carry_belongings": st.sampled_from(["true", "false"]),
    }
)
ROWS = st.lists(
    st.builds(
        FieldRow,
        st.sampled_from(["city", "Status", "null", "On", "_x9", "phone_number", "Größe", "a b"]),
        st.sampled_from(["", "a", "column_1", "null", "true", "_"]),
        st.sampled_from(["drop", "reject"]),
        st.sampled_from(["cut", "reject"]),
    ),
    max_size=8, unique_by=lambda row: row.name.lower(),
).map(tuple)  # fmt: skip


def as_form(texts: dict[str, str], rows: tuple[FieldRow, ...]) -> MappingForm:
    """A form as a browser gives it."""
    return replace(new_form().with_texts(**texts), rows=rows)


@given(TEXTS, ROWS)
def test_the_file_says_what_the_form_says(
    texts: dict[str, str], rows: tuple[FieldRow, ...]
) -> None:
    """A new file, and the template changed: read by a run, it fills the same form again."""
    form = as_form(texts, rows)
    present = PresentFile("t.yaml", TEMPLATE, read_yaml(TEMPLATE, "t.yaml"))
    mapped = {row.name.lower() for row in rows}
    gone = tuple(FieldRow(name) for name in present.data["fields"] if name.lower() not in mapped)
    for made in (written(form, None), written(replace(form, rows=(*rows, *gone)), present)):
        assert parse_definition(made.text, made.file) == made.definition
        again = form_of(made.definition)
        assert again.texts == form.texts
        wanted = {row.name.lower(): row for row in rows if row.column}
        found = {row.name.lower(): row for row in again.rows or ()}
        for name in ("email", "first_name", "last_name"):
            assert found.pop(name).column == name
        assert found == {name: replace(row, name=found[name].name) for name, row in wanted.items()}


def test_what_the_form_does_not_have_stays() -> None:
    """Limits, alerts, tuning; a file that says the defaults in full is left as it is."""
    data = read_yaml(TEMPLATE, "t.yaml")
    form = form_of(SyncDefinition.model_validate(data))
    assert form.data(data) == data
    changed = form.with_texts(caption="Other").data(data)
    assert changed == {**data, "caption": "Other"}
    assert list(changed) == list(data)


def test_a_new_definition_says_what_people_look_for_first() -> None:
    """Also where it is the default; what is rarely changed is left to the defaults."""
    form = as_form({"name": "west", "caption": "West", "list": "L"}, (FieldRow("email", "email"),))
    assert form.data(None) == {
        "name": "west",
        "caption": "West",
        "schedule": None,
        "connections": {
            "b2core": "b2core_default", "sendgrid": "sendgrid_default",
            "state": "contact_sync_state",
        },
        "source": {"sql": "b2core", "change_detection": "xmin"},
        "list": "L",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((FieldRow("email", ""),), "field 'email' has no column"),
        ((FieldRow("City", "a"), FieldRow("city", "b")), "there twice: city"),
        ((FieldRow("city", "not a column"),), "fields.city.column"),
        ((FieldRow("city", "a", "whatever"),), "fields.city.on_bad_value"),
    ],
)
def test_rows_that_make_no_sense_are_named(rows: tuple[FieldRow, ...], said: str) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(ConfigError, match=said):
        written(as_form({"name": "west", "caption": "West"}, rows), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ({"enabled": "perhaps"}, "enabled"), ({"full_every_hours": "soon"}, "full_every_hours"),
        ({"full_every_hours": "9" * 400}, "full_every_hours"), ({"sql": "../x"}, "source.sql"),
        ({"b2core": "a b"}, "connections.b2core"), ({"name": "A\0"}, "name"),
        ({"caption": ""}, "caption"), ({"on_exclusion": "burn"}, "on_exclusion"),
        ({"list": "", "on_exclusion": "unlist"}, "unlist needs a `list`"),
        ({"default_country": "Switzerland"}, "default_country"),
    ],
)  # fmt: skip
def test_texts_that_make_no_sense_are_named(text: dict[str, str], said: str) -> None:
    """By the definition's own checks."""
    with pytest.raises(ConfigError, match=said):
        written(as_form({"name": "west", "caption": "West"} | text, ()), None)


def test_what_a_browser_sends_is_read_in_its_order() -> None:
    """A typed id comes before a chosen one; empty rows are none; the rest has its default."""
    row = ("field", "column", "on_bad_value", "on_too_long")
    pairs = [
        ("name", " west "), ("b2core", "chosen"), ("b2core_typed", "typed"), ("state", "s"),
        ("state_typed", " "), ("list", " as it is"), ("surprise", "x"),
        *zip(row, ("city", "town", "reject", "cut"), strict=True),
        *zip(row, ("", "ignored", "drop", "cut"), strict=True),
    ]  # fmt: skip
    form = posted_form(pairs)
    assert form.rows == (FieldRow("city", "town", "reject"),)
    said = {name: form[name] for name in ("name", "b2core", "state", "list", "sql")}
    assert said == {
        "name": "west", "b2core": "typed", "state": "s", "list": " as it is", "sql": "b2core"
    }  # fmt: skip
    assert posted_form([("name", "x")]).rows is None
    with pytest.raises(ConfigError, match="came in parts"):
        posted_form([("field", "city"), ("column", "a"), ("column", "b")])


def test_every_value_of_a_policy_has_words() -> None:
    """As the schema knows them, in the form's keys."""
    schema: dict[str, Any] = SyncDefinition.model_json_schema()
    source = schema["$defs"]["ChangeDetection"]["enum"]
    row = schema["$defs"]["FieldMapping"]["properties"]
    assert [list(DETECTION), list(BAD_VALUE), list(TOO_LONG), list(ENABLED)] == [
        source, row["on_bad_value"]["enum"], row["on_too_long"]["enum"], ["true", "false"]
    ]  # fmt: skip
    for name, (_, words) in POLICIES.items():
        assert name in KEYS
        given = schema["properties"][name]
        kinds = given.get("anyOf", [given])
        values = {value for kind in kinds for value in kind.get("enum", ())}
        values |= {"true", "false"} if given.get("type") == "boolean" else set()
        values |= {""} if {"type": "null"} in kinds else set()
        assert set(words) == values


def test_a_difference_is_shown_line_by_line() -> None:
    """What goes, what comes, and where; a line that begins with a dash is no sign of its own."""
    present = PresentFile("t.yaml", TEMPLATE, read_yaml(TEMPLATE, "t.yaml"))
    form = form_of(SyncDefinition.model_validate(present.data)).with_texts(caption="- Other")
    result = Result(written=written(form, present), present=present)
    kinds = [kind for kind, _ in result.differences]
    assert kinds.count("added") == kinds.count("removed") == kinds.count("place") == 1
    assert ("added", "+caption: '- Other'       # what people see in Airflow") in result.differences
