"""Refusals on demand: contacts and values that SendGrid doesn't take, named or not."""

from __future__ import annotations

import pytest

from tests.support.api_caller import CONTACTS, SendGrid, counts

ANNA, BOB = "anna@example.com", "bob@example.com"
BOTH = [{"email": ANNA, "city": "Bern"}, {"email": "Bob@example.com", "city": "Ulm"}]


@pytest.mark.parametrize(
    ("how", "status", "body"),
    [
        ("field empty", 400, {"errors": [{"field": "", "message": "no"}]}),
        ("field null", 400, {"errors": [{"field": None, "message": "no"}]}),
        ("no errors", 400, {"errors": []}),
        ("422", 422, {"errors": [{"field": "", "message": "no"}]}),
        ("413", 413, {"errors": [{"field": "", "message": "no"}]}),
        ("text", 400, None),
    ],
)
def test_a_call_is_refused_for_a_contact_that_is_not_named(
    sendgrid: SendGrid, how: str, status: int, body: object
) -> None:
    sendgrid.admin.settings(refused_calls=[BOB], refused_calls_as=how, refused_calls_say="no")
    answer = sendgrid.call("PUT", CONTACTS, {"contacts": BOTH})
    assert answer.status_code == status
    assert (answer.json() if body is not None else answer.text) == (body or "no")
    assert sendgrid.upsert(BOTH[0])["status"] == "completed"


@pytest.mark.parametrize(("places", "place"), [("true", 1), ("first", 0), ("next", 2)])
def test_a_contact_is_named_at_a_place_that_may_be_wrong(
    sendgrid: SendGrid, places: str, place: int
) -> None:
    says = {ANNA: "no", BOB: "{email} <b>no</b>"}
    sendgrid.admin.settings(refused_contacts={BOB: says[BOB]}, error_places=places)
    assert sendgrid.refused(BOTH) == (400, f"contacts[{place}]", f"{BOB} <b>no</b>")
    sendgrid.admin.settings(refused_contacts=says, reported_errors=1)
    errors = sendgrid.call("PUT", CONTACTS, {"contacts": BOTH}).json()["errors"]
    assert [error["message"] for error in errors] == ["no"]


def test_a_value_refuses_its_call_or_its_row(sendgrid: SendGrid) -> None:
    says = "{name} {id} '{value}' of {email}"
    sendgrid.admin.settings(
        refused_values={"city": ["Ulm"]}, refused_values_by="call", refused_values_say=says
    )
    error = (400, "contacts[1].city", f"city _rf6_T 'Ulm' of {BOB}")
    assert sendgrid.refused(BOTH) == error
    sendgrid.admin.settings(refused_values_by="row")
    assert counts(sendgrid.upsert(*BOTH)) == {"requested": 2, "created": 1, "errored": 1}
    sendgrid.admin.settings(refused_values={"city": ["*"]}, row_error="value")
    assert counts(sendgrid.upsert({"email": ANNA, "city": "Basel", "first_name": "A"})) == {
        "requested": 1, "updated": 1, "errored": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("how", "status"), [("400", 400), ("413", 413), ("413 page", 413)])
def test_a_body_that_is_too_large_is_refused_in_three_ways(
    sendgrid: SendGrid, how: str, status: int
) -> None:
    sendgrid.admin.settings(max_json_bytes=40, too_large=how)
    answer = sendgrid.call("PUT", CONTACTS, {"contacts": BOTH})
    assert answer.status_code == status
    kind = "text/html" if "page" in how else "application/json"
    assert answer.headers["content-type"].startswith(kind)
