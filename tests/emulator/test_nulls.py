"""What `null` does in a JSON upsert: nobody knows, but in a Number, so it is a switch."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.support.api_caller import CONTACTS, SendGrid, first_error

ANNA = "anna@example.com"
TYPES = {"Text": "text", "Number": 1, "Date": "2021-02-11T00:00:00Z"}


def put(sendgrid: SendGrid, contact: dict[str, Any]) -> requests.Response:
    """Upsert what the API description forbids, so without comparing it, and wait."""
    body = {"contacts": [contact]}
    answer = sendgrid.http.put(sendgrid.base_url + CONTACTS, json=body, timeout=30)
    if answer.ok:
        assert sendgrid.wait(answer.json()["job_id"])["status"] == "completed"
    return answer


@pytest.mark.parametrize(
    ("mode", "city"), [(None, "Paphos"), ("keep", "Paphos"), ("clear", ""), ("refuse", None)]
)
def test_null_in_a_reserved_field_keeps_unless_told_otherwise(
    sendgrid: SendGrid, mode: str | None, city: str | None
) -> None:
    sendgrid.upsert({"email": ANNA, "city": "Paphos", "first_name": "An"})
    if mode is not None:
        sendgrid.admin.settings(null_values=mode)
    contact = {"email": ANNA, "city": None, "first_name": "Anna"}
    if city is None:
        assert first_error(put(sendgrid, contact)) == (400, "", "invalid input")
        return
    assert put(sendgrid, contact).status_code == 202
    shown = sendgrid.contact(ANNA)
    assert (shown["city"], shown["first_name"]) == (city, "Anna")


@pytest.mark.parametrize("mode", [None, "refuse", "keep", "clear"])
@pytest.mark.parametrize("field_type", TYPES)
def test_null_in_a_custom_field_is_refused_unless_told_otherwise(
    sendgrid: SendGrid, field_type: str, mode: str | None
) -> None:
    field = sendgrid.admin.create_field("extra", field_type)
    value = TYPES[field_type]
    sendgrid.upsert({"email": ANNA, "custom_fields": {field: value}})
    if mode is not None:
        sendgrid.admin.settings(custom_null_values=mode)
    answer = put(sendgrid, {"email": ANNA, "custom_fields": {field: None}})
    if field_type == "Number" or mode in (None, "refuse"):
        assert first_error(answer) == (400, None, f'custom field "{field}" cannot be null')
    else:
        assert answer.status_code == 202
    cleared = mode == "clear" and field_type != "Number"
    assert sendgrid.contact(ANNA)["custom_fields"] == ({} if cleared else {"extra": value})


def test_null_takes_no_identifier(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(null_values="clear", identifiers="ignore")
    sendgrid.upsert({"email": ANNA, "external_id": "7"})
    assert put(sendgrid, {"email": ANNA, "external_id": None}).status_code == 202
    assert sendgrid.contact(ANNA)["external_id"] == "7"
