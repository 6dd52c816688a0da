"""Whom a refusal names, and what it is due to, in words from public reports and others."""

from __future__ import annotations

import pytest

from contact_sync.base.errors import RequestRefused
from contact_sync.sendgrid.refusal_causes import Cause, advice, cause_of, is_unknown_field
from contact_sync.sendgrid.refused_contacts import complaints

EMAILS = ["a@example.com", "b@example.com", "o'brien@example.com", "x+tag@example.com"]


def refused(*errors: dict[str, object], status: int = 400) -> RequestRefused:
    """A refusal that says this."""
    return RequestRefused("refused", status=status, errors=list(errors), is_json=True)


@pytest.mark.parametrize(
    ("field", "message", "email", "place"),
    [
        ("contacts[1].email", "email 'b@example.com' is not valid", 1, None),
        ("contacts[0].email", "email 'b@example.com' is not valid", 1, None),
        (None, "email 'B@example.com' is not valid", 1, None),
        (None, "email 'o'brien@example.com' is not valid", 2, None),
        ("", 'invalid identifier "x+tag@example.com".', 3, None),
        ("", "b@example.com: duplicate", 1, None),
        ("", "<b@example.com> bounced", 1, None),
        ("", "b@example.com is a duplicate of c@example.com", 1, None),
        ("contacts[1].identifier", "?", None, 1),
        ("contact[1]", "no", None, 1),
        ("contacts[1].email", "email 'gone@example.com' is not valid", None, None),
        ("contacts[7].email", "?", None, None),
        ("contacts[99999999999999999999].email", "?", None, None),
        ("contacts[-1].email", "?", None, None),
        ("list_ids", "no such list", None, None),
        ({"odd": 1}, ["odd"], None, None),
        (None, None, None, None),
    ],
)
def test_C09_an_address_in_the_message_counts_alone(
    field: object, message: object, email: int | None, place: int | None
) -> None:
    """Of an address that isn't in the request nobody is blamed, whatever place stands beside it."""
    (found,) = complaints(refused({"field": field, "message": message}), EMAILS)
    assert found.email == (None if email is None else EMAILS[email])
    assert found.place == place


@pytest.mark.parametrize(
    "message",
    ["email ''ann@example.com' is not valid", "'ann@example.com: duplicate", "<'ann@example.com>",
     "invalid identifier \"'ann@example.com\".", "('ann@example.com) bounced"],
)  # fmt: skip
def test_C09_an_address_that_begins_with_a_quote_is_not_somebody_elses(message: str) -> None:
    """Both may be in the request; and one that is quoted is named without its quotes."""
    both = ["ann@example.com", "'ann@example.com"]
    (found,) = complaints(refused({"field": None, "message": message}), both)
    assert found.email == "'ann@example.com"
    (found,) = complaints(refused({"message": "email 'ann@example.com' is not valid"}), both)
    assert found.email == "ann@example.com"


def test_an_answer_without_errors_says_nothing() -> None:
    """Nor does a page."""
    assert complaints(refused(), EMAILS) == []


@pytest.mark.parametrize(
    ("status", "field", "message", "cause"),
    [
        (400, "", "invalid input", Cause.CONTACTS),
        # Words of the set-up, said of a contact's field
        (400, "", "last_name contains forbidden characters", Cause.CONTACTS),
        (400, None, "state is not an authorized value", Cause.CONTACTS),
        (400, "contacts[9].phone_number", "permission to use this number denied", Cause.CONTACTS),
        (400, "first_name", "may not contain the word credit", Cause.CONTACTS),
        (400, "", "last_name must not contain a quota sign", Cause.CONTACTS),
        (400, "contacts[9].custom_fields.e1_T", "unauthorized characters", Cause.CONTACTS),
        (400, "", "the plan field is invalid", Cause.CONTACTS),
        (400, "", "access forbidden", Cause.SETUP),
        (400, "", "you are not authorized to do this", Cause.SETUP),
        (400, "", "no credits left", Cause.SETUP),
        (400, "list_ids", "the list of this phone_number is not found", Cause.SETUP),
        (400, "", "provide all identifiers", Cause.CONTACTS),
        (400, None, 'custom field "e1_N" cannot be null', Cause.CONTACTS),
        (400, "contacts[0].email", "email 'list x does not exist' is forbidden", Cause.CONTACTS),
        (400, "contacts[0].first_name", "over your credits limit", Cause.CONTACTS),
        (422, "", "unprocessable entity", Cause.CONTACTS),
        (409, "", "conflict", Cause.CONTACTS),
        (400, None, "invalid custom field ids supplied - e1_T,e2_N", Cause.UNKNOWN_FIELD),
        (400, "contacts[0].custom_fields", "unknown custom field e1_T", Cause.UNKNOWN_FIELD),
        (400, "", "custom field e1_T does not exist", Cause.UNKNOWN_FIELD),
        (400, "", "Field not found", Cause.UNKNOWN_FIELD),
        (400, "list_ids", "list '1-2' does not exist", Cause.SETUP),
        (400, "", "invalid list id", Cause.SETUP),
        (404, None, "not found", Cause.SETUP),
        (400, "", "you have hit your contact limit", Cause.SETUP),
        (400, "", "Upgrade your plan to add more contacts", Cause.SETUP),
        (400, "", "Maximum credits exceeded", Cause.SETUP),
        (400, "", "missing required scope marketing.write", Cause.SETUP),
        (400, None, "invalid content-type: application/json; charset=utf-8", Cause.SETUP),
        (405, None, "method not allowed", Cause.SETUP),
        (302, None, "", Cause.SETUP),
        (413, "", "", Cause.TOO_LARGE),
        (400, None, "request body is larger than 4194304 bytes", Cause.TOO_LARGE),
        (400, "contacts", "contacts must contain at least 1 and at most 30000 contacts",
         Cause.TOO_LARGE),
        (400, "", "grpc: received message larger than max (5000000 vs. 4194304)", Cause.TOO_LARGE),
        (400, "", "Request Entity Too Large", Cause.TOO_LARGE),
        (400, "", "payload size exceeds the limit", Cause.TOO_LARGE),
        (400, "", "EntityTooLarge", Cause.TOO_LARGE),
        (400, "", "first_name is too long", Cause.CONTACTS),
    ],
)  # fmt: skip
def test_C08_C09_causes_are_told_apart(
    status: int, field: str | None, message: str, cause: Cause
) -> None:
    """A fault of the set-up isn't a contact's, whatever a contact's own values say."""
    error = refused({"field": field, "message": message}, status=status)
    assert cause_of(error, complaints(error, EMAILS)) is cause
    assert advice(error, complaints(error, EMAILS))


@pytest.mark.parametrize(
    ("said", "unknown"),
    [("invalid custom field ids supplied - e9_T", True), ("field type does not match", False)],
)
def test_a_row_refused_for_a_field_that_is_too_new_is_no_bad_row(said: str, unknown: bool) -> None:
    """It is sent again."""
    assert is_unknown_field(said) is unknown
