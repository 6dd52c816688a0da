"""The questions about values: what becomes of an empty, a wrong or a long one, in both lanes."""

from __future__ import annotations

from contact_sync.base.account_question import CALL, CLEAR, KEEP, ROW, STORED, Question

_KINDS = {
    "text": "a reserved text field",
    "custom_text": "a custom field of type Text",
    "number": "a custom field of type Number",
    "date": "a custom field of type Date",
}
_EMPTY_STRING = {
    "text": "clears it (recorded in 2021)",
    "custom_text": "nothing; production code relies on its clearing",
}
_NULL = {
    "text": "nothing; two vendors' production code sends it",
    "number": "refused: `custom field … cannot be null` (sendgrid/docs#6323, 2020)",
}
_LOOK = "a contact with a value is sent again with {}; the field is read back"
_NEVER = "Number and Date are never cleared"


def _empty_strings() -> tuple[Question, ...]:
    return tuple(
        Question(
            code=f"json_empty_{kind}",
            asks=f'JSON: what does `""` do in {words}?',
            part="json",
            answers=CLEAR | KEEP | ROW | CALL,
            documented=_EMPTY_STRING.get(kind, "nothing"),
            assumed="it clears" if "text" in kind else f"it isn't sent: {_NEVER}",
            observed=_LOOK.format('`""`'),
        )
        for kind, words in _KINDS.items()
    )


def _nulls() -> tuple[Question, ...]:
    return tuple(
        Question(
            code=f"json_null_{kind}",
            asks=f"JSON: what does `null` do in {words}?",
            part="json",
            answers=CLEAR | KEEP | CALL,
            documented=_NULL.get(kind, "nothing"),
            assumed="it isn't sent",
            observed=_LOOK.format("`null`"),
        )
        for kind, words in _KINDS.items()
    )


def _empty_cells() -> tuple[Question, ...]:
    return tuple(
        Question(
            code=f"csv_empty_{kind}",
            asks=f"CSV: what does an empty cell do in {words}?",
            part="csv",
            answers=CLEAR | KEEP | ROW,
            assumed="undefined: contacts that lose a value are sent by JSON",
            observed=_LOOK.format("an empty cell"),
        )
        for kind, words in _KINDS.items()
    )


JSON_VALUES = (
    *_empty_strings(),
    *_nulls(),
    Question(
        "json_long_text", "JSON: what becomes of a text that is longer than documented?", "json",
        ROW | CALL | {"cut": "it is cut"},
        documented="lengths, but not what happens beyond them",
        assumed="texts are cut before they are sent",
        observed="a contact gets a `first_name` of 51 characters",
    ),
    Question(
        "country_length", "How long may `country` be?", "json",
        {"fields": "50 characters", "segmentation": "55 characters"},
        documented="50 by the page of reserved fields, 55 by the segmentation reference",
        assumed="50", observed="a contact gets a `country` of 52 characters",
    ),
    Question(
        "json_bad_date", "JSON: what becomes of a text that is no date, in a Date?", "json", ROW,
        documented="202, and the value isn't stored (recorded in 2021)",
        assumed="what is no date isn't sent", observed="a contact gets the date `AAAAA`",
    ),
    Question(
        "json_bad_phone", "JSON: what becomes of a phone number that is none?", "json", ROW,
        documented="202, and the value isn't stored (recorded in 2021)",
        assumed="what is no number isn't sent", observed="a contact gets the phone number `000`",
    ),
    Question(
        "shared_phone", "May two contacts have the same `phone_number`?", "json",
        STORED | {"row": "the second one's row is lost"},
        documented="must be unique, by the table of reserved fields",
        assumed="they may; a refusal is reported as one of its client",
        observed="two contacts get the same number",
    ),
    Question(
        "own_alternate", "What becomes of an alternate address that is the contact's own?", "json",
        STORED | {"left_out": "it is left out"} | ROW,
        assumed="alternate addresses aren't sent", observed="a contact gets its own as alternate",
    ),
    Question(
        "identifier_missing", "What becomes of an update that omits an identifier which the "
        "contact has?", "json", STORED | {"row": "the row is lost"} | CALL,
        documented="all existing identifiers must be present; not what happens otherwise",
        assumed="only the address is ever sent; a loss is reported",
        observed="a contact with an `external_id` is sent again without it",
    ),
    Question(
        "deprecated_field", "JSON: what becomes of `facebook`, which only answers describe?",
        "json", STORED | CALL | {"ignored": "it is ignored"},
        assumed="it isn't sent", observed="a contact gets a value there",
    ),
    Question(
        "unknown_key", "JSON: what becomes of a key that no description has?", "json",
        CALL | {"ignored": "it is ignored"}, assumed="none is sent",
        observed="a contact has the key `contact_sync_probe`",
    ),
)  # fmt: skip
"""Asked by JSON upserts, each by a call of its own."""

CSV_VALUES = (
    *_empty_cells(),
    Question(
        "csv_bad_date", "CSV: what becomes of a cell that is no date, in a Date?", "csv", ROW,
        documented="a wrong date fails silently (sendgrid/docs, pull request 4426)",
        assumed="what is no date isn't sent", observed="a row has the date `AAAAA`",
    ),
    Question(
        "csv_iso_date", "CSV: is an ISO date taken?", "csv",
        STORED | ROW,
        documented="only MM/DD/YYYY and its kind; production code sends ISO",
        assumed="MM/DD/YYYY is sent", observed="a row has the date `2021-02-11`",
    ),
    Question(
        "csv_negative_number", "CSV: is a negative number taken?", "csv", STORED | ROW,
        documented="an error, by Formatting a CSV",
        assumed="it is sent, and a refusal is reported", observed="a row has the number `-12`",
    ),
    Question(
        "csv_decimals", "CSV: are three decimals taken?", "csv", STORED | ROW,
        documented="an error, by Formatting a CSV",
        assumed="numbers are rounded to two", observed="a row has the number `1.234`",
    ),
    Question(
        "csv_long_number", "CSV: does a whole number of 17 digits stay exact?", "csv",
        {"exact": "yes", "rounded": "it is rounded as a double"} | ROW,
        documented="up to 309 digits", assumed="long numbers belong into a Text",
        observed="a row has the number `12345678901234567`",
    ),
    Question(
        "csv_duplicates", "CSV: which row of an address counts?", "csv",
        {"last": "the last one", "first": "the first one"},
        documented="duplicates are removed", assumed="no file has an address twice",
        observed="two rows have the same address",
    ),
    Question(
        "csv_ragged_row", "CSV: what becomes of a row that lacks a cell?", "csv_ragged",
        {"file": "the whole file fails", "row": "only this row is lost"},
        documented="the numbers of columns and mappings must be equal",
        assumed="no row lacks one", observed="the second file has such a row; a third one shows "
        "whether it was by chance that no row took effect",
    ),
)  # fmt: skip
"""Asked by two or three CSV imports: all rows in the first one, save what may fail a whole file."""
