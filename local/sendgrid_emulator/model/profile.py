"""An account profile, as `contact_sync probe` writes it, becomes the settings of this emulator.

It shares no code with the probe: which answer means which setting is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

VERSION = 1
COUNT_ROUTE = "GET /v3/marketing/lists/{list_id}/contacts/count"
Changes = dict[str, object]


def _modes(setting: str, **answers: str) -> dict[str, Changes]:
    """Return answer → changes of one setting."""
    return {answer: {setting: mode} for answer, mode in answers.items()}


def _lost(setting: str | None = None, mode: str = "error") -> dict[str, Changes]:
    """Return what makes a wrong value lose its row, or only itself."""
    own: Changes = {} if setting is None else {setting: mode}
    return {"row": own | {"row_error": "row"}, "value": own | {"row_error": "value"}}


def _empty_string(setting: str) -> dict[str, Changes]:
    return _modes(setting, clear="clear", keep="keep", call="refuse") | _lost(setting)


def _null(setting: str) -> dict[str, Changes]:
    return _modes(setting, clear="clear", keep="keep", call="refuse")


def _empty_cell(setting: str) -> dict[str, Changes]:
    return _modes(setting, clear="clear", keep="keep") | _lost(setting)


def _yes_no(setting: str) -> dict[str, Changes]:
    return {"yes": {setting: True}, "no": {setting: False}}


ANSWERS: dict[str, dict[str, Changes]] = {
    "unknown_list": {"404": {"unknown_list_status": 404}, "400": {"unknown_list_status": 400}},
    "bad_email_field": _modes("email_error_field", email="email", identifier="identifier"),
    "bad_email_place": _modes("error_places", true="true", first="first", next="next"),
    "empty_search": _modes("search_404", errors="errors", result="result"),
    "segment_ids": _modes("segment_ids", array="array", null="null"),
    "newest_segment_ids": _modes("newest_segment_ids", null="null", left_out="left out"),
    "reset_form": _modes("rate_limit_reset", delta="delta", epoch="epoch"),
    "rate_buckets": _modes("rate_buckets", template="template", list="list", path="path"),
    "retry_after": _yes_no("retry_after"),
    "too_large": _modes("too_large", **{"400": "400", "413": "413", "413_page": "413 page"}),
    "list_removal_job": _modes("list_removal_jobs", served="served", unknown="unknown"),
    "list_removal_effect": _modes("list_removal_effect", removes="removes", nothing="nothing"),
    "identifier_removal_job": _modes("identifier_removal_jobs", served="served", unknown="unknown"),
    "many_ids": _modes("many_ids", accepted="accept", refused="refuse"),
    "no_ids": _modes("no_ids", accepted="accept", refused="refuse"),
    "json_empty_text": _empty_string("empty_strings"),
    "json_empty_custom_text": _empty_string("empty_custom_strings"),
    "json_empty_number": _empty_string("empty_number_strings"),
    "json_empty_date": _empty_string("empty_date_strings"),
    "json_null_text": _null("null_values"),
    "json_null_custom_text": _null("custom_null_values"),
    "json_null_number": _null("number_null_values"),
    "json_null_date": _null("date_null_values"),
    "json_long_text": _lost("long_values") | _modes("long_values", cut="truncate", call="refuse"),
    "country_length": _modes("lengths", fields="fields", segmentation="segmentation"),
    "json_bad_date": _lost(),
    "json_bad_phone": _lost(),
    "shared_phone": _modes("shared_phones", stored="accept", row="refuse"),
    "own_alternate": _lost("own_alternate")
    | _modes("own_alternate", stored="store", left_out="leave out"),
    "identifier_missing": _modes("identifiers", stored="ignore", row="error", call="refuse"),
    "deprecated_field": _modes(
        "deprecated_fields", stored="store", call="refuse", ignored="ignore"
    ),
    "unknown_key": _modes("unknown_keys", call="refuse", ignored="ignore"),
    "csv_empty_text": _empty_cell("empty_cell"),
    "csv_empty_custom_text": _empty_cell("empty_custom_cell"),
    "csv_empty_number": _empty_cell("empty_number_cell"),
    "csv_empty_date": _empty_cell("empty_date_cell"),
    "csv_bad_date": _lost(),
    "csv_iso_date": _modes("csv_dates", stored="us_and_iso") | _lost("csv_dates", "us"),
    "csv_negative_number": _modes("csv_negatives", stored="accept")
    | _lost("csv_negatives", "refuse"),
    "csv_decimals": _modes("csv_decimals", stored="accept") | _lost("csv_decimals", "refuse"),
    "csv_long_number": _modes("long_numbers", exact="exact", rounded="rounded")
    | _lost("long_numbers"),
    "csv_duplicates": _modes("duplicates", last="last", first="first"),
    "csv_ragged_row": _modes("ragged_rows", file="fail", row="error"),
    "errors_file": {
        "served": {"errors_url": True, "errors_file": "whole"},
        "none": {"errors_url": False},
        "missing": {"errors_url": True, "errors_file": "missing"},
    },
    "errors_layout": _modes(
        "errors_layout", uploaded="uploaded", short="short", json="json", json_lines="json_lines"
    ),
    "errors_separator": _modes("errors_separator", comma=",", semicolon=";", tab="\t"),
    "errors_encoding": _modes(
        "errors_encoding", **{name: name for name in ("utf-8", "utf-8-sig", "utf-16")}
    ),
    "errors_packed": _yes_no("errors_gzip"),
    "export_packed": _yes_no("export_gzip"),
    "export_json": _modes("export_json", lines="lines", array="array"),
    "export_lists": _modes("export_lists", yes="shown", no="left out"),
    "export_unset": _modes("export_unset", yes="empty", no="left out"),
    "export_dates": _modes("export_dates", iso="iso", day="day", us="us"),
    "export_numbers": _modes("export_numbers", number="number", text="text"),
    "export_links": _modes("export_links", once="once", each_look="each look"),
}
"""By question: answer → changes of the settings."""
NUMBERS = {
    "json_limit": "max_json_bytes",
    "job_seconds": "delay",
    "field_seconds": "field_delay",
    "search_lag": "search_lag",
    "count_lag": "count_lag",
    "errors_seconds": "errors_lifetime",
    "export_seconds": "export_lifetime",
    "rate_limit": "rate_limits",
}
"""Of a question whose answer is a number: the setting."""
NO_SETTING = {
    "write_scopes": "a key of the emulator says by itself what it may do",
    "region": "an emulator is on this machine",
}
GENERAL = ("unseen", "other")


class ProfileError(ValueError):
    """A profile that can't be read, or that says what there is no setting for."""


def read_profile(path: Path) -> tuple[Changes, list[str]]:
    """Return the settings that a profile's file says, and in words what it says in vain.

    Raise ProfileError.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ProfileError(f"{path}: not a profile that can be read") from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ProfileError(f"{path}: not an account profile of version {VERSION}")
    given = content.get("answers")
    if not isinstance(given, dict):
        raise ProfileError(f"{path}: it has no answers")
    if wrong := [code for code, item in given.items() if not isinstance(item, dict)]:
        raise ProfileError(f"{path}: {wrong[0]}: it has no answer")
    return settings_of({code: item.get("answer") for code, item in given.items()})


def settings_of(answers: Mapping[str, Any]) -> tuple[Changes, list[str]]:
    """Return the settings that make the emulator give these answers, and what no setting can.

    What wasn't seen changes nothing. Raise ProfileError for an unknown question or answer.
    """
    changes: Changes = {}
    in_vain: list[str] = []
    for code, answer in answers.items():
        if code in NO_SETTING or (answer in GENERAL and (code in ANSWERS or code in NUMBERS)):
            continue
        wanted = _changes(code, answer)
        for setting, value in wanted.items():
            if changes.setdefault(setting, value) != value:
                in_vain.append(f"{code}: {answer}: {setting} is {changes[setting]} already")
    return changes, in_vain


def _changes(code: str, answer: Any) -> Changes:
    if code in NUMBERS and (type(answer) is not int or answer < 0):
        raise ProfileError(f"{code}: {answer}: it must be a whole number, 0 or more")
    if code == "job_seconds":
        return {"delay": answer, "finish_delay": 0}
    if code == "rate_limit":
        return {"rate_limits": {COUNT_ROUTE: answer}}
    if code in NUMBERS:
        return {NUMBERS[code]: answer}
    found = ANSWERS.get(code, {}).get(str(answer))
    if found is None:
        raise ProfileError(f"{code}: {answer}: there is no such question or answer")
    return found
