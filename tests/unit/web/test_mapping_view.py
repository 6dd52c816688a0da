"""A sync's form as its page shows it: what can be chosen, and what is told of what can't."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.lookup.both_sides import Account, Columns, SourceColumn
from contact_sync.web.mapping_form import FieldRow, new_form
from contact_sync.web.mapping_view import BLANK_ROWS, FieldLine, MappingView, proposed

SOURCE = Columns(
    [
        SourceColumn(pa.field("email", pa.string()), ("a***",)),
        SourceColumn(pa.field("deposits", pa.int64())),
        SourceColumn(pa.field("born", pa.date32())),
    ]
)
ACCOUNT = Account(
    ["A", "B"],
    [
        SendGridField("email", "1", FieldType.TEXT, custom=False),
        SendGridField("external_id", "2", FieldType.TEXT, custom=False),
        SendGridField("created_at", "3", FieldType.DATE, custom=False, read_only=True),
        SendGridField("Deposits", "4", FieldType.NUMBER, custom=True),
    ],
)


def view(*rows: FieldRow, account: Account = ACCOUNT, source: Columns = SOURCE) -> MappingView:
    """The form with these rows."""
    form = replace(new_form().with_texts(list="C"), rows=rows)
    connections = {"b2core": ["b2core_default"], "sendgrid": [], "state": ["other"]}
    return MappingView(form, connections, ["b2core"], account, source)


def line(name: str, shown: MappingView) -> FieldLine:
    """The line of a field."""
    (found,) = [each for each in shown.lines if each.row.name == name]
    return found


def texts(found: FieldLine) -> list[str]:
    """Its columns as people read them."""
    return [option.text for option in found.columns or []]


def test_a_field_is_offered_the_columns_that_fit_it() -> None:
    """And none, unless it is always mapped; what was chosen stays, whatever it is."""
    shown = view(FieldRow("email", "email"), FieldRow("deposits", "born"), FieldRow("Gone", "x"))
    assert texts(line("email", shown)) == ["email (text)"]
    assert texts(line("deposits", shown)) == [
        "born (doesn't fit the field)", "not mapped", "email (text)", "deposits (bigint)",
    ]  # fmt: skip
    assert texts(line("Gone", shown))[:2] == ["x (clients.sql gives none)", "not mapped"]
    assert line("email", shown).samples == "a***"


def test_what_sendgrid_keeps_to_itself_is_not_offered() -> None:
    """Unless the definition maps it, which the check refuses in words."""
    names = [each.row.name for each in view(FieldRow("email", "email")).lines]
    assert names == ["email", "Deposits", *[""] * BLANK_ROWS]
    assert line("created_at", view(FieldRow("created_at", "born"))).kind == (
        "Date, SendGrid's own, read-only"
    )


def test_a_missing_field_says_as_what_it_would_be_created() -> None:
    """As far as that is known."""
    shown = view(FieldRow("New", "deposits"), FieldRow("Other", "x"))
    assert line("New", shown).kind == "missing, create it as Number"
    assert line("Other", shown).kind == "missing, create it"


def test_a_side_that_was_not_seen_is_typed() -> None:
    """Lists, columns; names of SendGrid's own fields are known all the same."""
    away = view(
        FieldRow("city", "town"), FieldRow("Status", "status"),
        account=Account(None, None, "it is away"), source=Columns(None, "so is it"),
    )  # fmt: skip
    assert away.list_choice is None
    assert [line(name, away).columns for name in ("city", "Status")] == [None, None]
    assert line("city", away).kind == "SendGrid's own"
    assert line("Status", away).kind == "not known"
    assert away.problems == [
        "SendGrid can't be asked, so type names of lists and fields: it is away",
        "B2CORE gave no columns: so is it",
    ]
    assert away.seen == ""


def test_lists_and_connections_show_what_is_chosen() -> None:
    """Also what isn't there, with words that say so."""
    shown = view()
    assert shown.list_choice is not None
    assert [option.text for option in shown.list_choice.options] == [
        "C (SendGrid has none: create it there)", "no list: all contacts", "A", "B",
    ]  # fmt: skip
    state = {each.name: each for each in shown.connection_choices}["state"]
    assert [(o.text, o.chosen) for o in state.options] == [
        ("contact_sync_state (Airflow lists no such one)", True), ("other", False),
    ]  # fmt: skip
    assert shown.seen == "Seen just now: 2 lists, 4 fields, 3 columns."


def test_rows_that_were_filled_in_are_not_proposed_again() -> None:
    """A proposal is for the first look only."""
    form = new_form()
    assert FieldRow("Deposits", "deposits") in proposed(form, ACCOUNT, SOURCE)
    kept = (FieldRow("email", "email"),)
    assert proposed(replace(form, rows=kept), ACCOUNT, SOURCE) == kept
