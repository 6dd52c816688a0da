"""Answers that hold something else than the API's description says.

They are taken for what they can only mean, or told in one sentence: never an error of Python's,
never a conclusion that nothing supports.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from contact_sync.base.errors import FateUnknown, RetryableError, SyncError
from contact_sync.base.vocabulary import JobStatus
from contact_sync.sendgrid.api import SendGridApi
from tests.support.scripted_server import ADDRESS, Script

EMAIL = {"id": "1", "name": "email", "field_type": "Text", "read_only": False}
Call = Callable[[SendGridApi], object]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try; the pauses between tries are tested elsewhere."""
    monkeypatch.setattr("contact_sync.sendgrid.retries.MAX_TRIES", 1)


def field_names(api: SendGridApi) -> list[str]:
    """All fields of the account."""
    return [field.name for field in api.fields()]


@pytest.mark.parametrize(
    ("call", "body", "becomes"),
    [
        (SendGridApi.lists, {"result": None}, {}),
        (SendGridApi.lists, {"result": [{"name": "A", "id": 7}], "_metadata": None}, {"A": "7"}),
        (SendGridApi.lists, {"result": [], "_metadata": {"next": None}}, {}),
        (field_names, {"reserved_fields": [EMAIL], "custom_fields": None}, ["email"]),
        (field_names, {"reserved_fields": [EMAIL | {"read_only": None}]}, ["email"]),
        (lambda api: api.contact_ids([ADDRESS]), {"result": None}, {}),
        (lambda api: api.contact_ids([ADDRESS]), {"result": {ADDRESS: None}}, {}),
        (lambda api: api.contact_ids([ADDRESS]), {"result": {ADDRESS: {"contact": None}}}, {}),
        (SendGridApi.suppressed_addresses, [], set()),
        (SendGridApi.scopes, {"scopes": None}, set()),
        (lambda api: api.create_import(["e1"], None).headers,
         {"job_id": "j", "upload_uri": "https://x.example/", "upload_headers": None}, {}),
        (lambda api: api.job("j").status, {"status": None, "results": None}, JobStatus.PENDING),
        (lambda api: api.job("j").errors_url,
         {"status": "errored", "results": {"errors_url": {"x": 1}}}, None),
    ],
)  # fmt: skip
def test_D05_null_is_an_empty_list_or_object(
    server: Script, api: SendGridApi, call: Call, body: Any, becomes: object
) -> None:
    """As services write it whose language doesn't tell them apart."""
    server.say(200, body)
    assert call(api) == becomes


@pytest.mark.parametrize(
    ("call", "body", "said"),
    [
        (SendGridApi.lists, {}, "nothing as 'result' in place of a list"),
        (SendGridApi.lists, {"result": {}}, "an object as 'result' in place of a list"),
        (SendGridApi.lists, {"result": [None]}, "null among the objects in 'result'"),
        (SendGridApi.lists, {"result": [[]]}, "a list among the objects in 'result'"),
        (SendGridApi.lists, {"result": [{"id": "1"}]}, "nothing as 'name' in place of a text"),
        (SendGridApi.lists, {"result": [{"name": "A", "id": None}]}, "null as 'id' in place of a"),
        (SendGridApi.lists, {"result": [{"name": "A", "id": ""}]}, "an empty 'id'"),
        (SendGridApi.lists, {"result": [], "_metadata": "x"}, "a text as '_metadata' in place of"),
        (SendGridApi.fields, {"reserved_fields": None}, "has no reserved field"),
        (SendGridApi.fields, {"custom_fields": []}, "nothing as 'reserved_fields' in place of"),
        (SendGridApi.fields, {"reserved_fields": [EMAIL | {"field_type": None}]}, "'field_type'"),
        (lambda api: api.contact_ids([ADDRESS]), {"result": []}, "a list as 'result'"),
        (lambda api: api.contact_ids([ADDRESS]),
         {"result": {ADDRESS: {"contact": {"email": ADDRESS, "id": None}}}}, "null as 'id'"),
        (lambda api: api.is_suppressed(ADDRESS), [], "doesn't say whether"),
        (lambda api: api.is_suppressed(ADDRESS), None, "isn't JSON, is null"),
        (lambda api: api.is_suppressed(ADDRESS), {"recipient_email": None}, "doesn't say whether"),
        (SendGridApi.suppressed_addresses, None, "isn't JSON, is null"),
        (SendGridApi.suppressed_addresses, [{"email": None}], "null as 'email'"),
        (SendGridApi.scopes, {"scopes": "all"}, "a text as 'scopes' in place of a list"),
        (lambda api: api.create_import(["e1"], None),
         {"job_id": "j", "upload_uri": None, "upload_headers": []}, "null as 'upload_uri'"),
        (lambda api: api.create_import(["e1"], None),
         {"job_id": "j", "upload_uri": "https://x.example/", "upload_headers": [{"header": "a"}]},
         "nothing as 'value'"),
        (lambda api: api.job("j"), {"status": "errored", "results": []}, "a list as 'results'"),
    ],
)  # fmt: skip
def test_D05_an_answer_of_another_kind_is_told_in_a_sentence(
    server: Script, api: SendGridApi, call: Call, body: Any, said: str
) -> None:
    """With the call, and without what the answer holds; the same call may succeed later."""
    server.say(200, json.dumps(body).encode())
    with pytest.raises(RetryableError) as caught:
        call(api)
    assert said in str(caught.value)
    assert str(caught.value).startswith(("GET /v3/", "POST /v3/", "PUT /v3/"))
    assert ADDRESS not in str(caught.value)


@pytest.mark.parametrize(
    "value", [None, 5, True, "", "x", [], {}, [None], {"x": None}, 1e300, float("nan"), 10**400]
)
@pytest.mark.parametrize(
    "key", ["result", "_metadata", "scopes", "reserved_fields", "custom_fields", "job_id",
            "upload_uri", "upload_headers", "status", "results", "recipient_email", "errors"]
)  # fmt: skip
def test_D05_no_value_in_any_place_is_an_error_of_pythons(
    server: Script, api: SendGridApi, key: str, value: Any
) -> None:
    """Each call, each part of its answer, with what doesn't belong there."""
    whole = {"result": [], "scopes": [], "reserved_fields": [EMAIL], "job_id": "j",
             "upload_uri": "https://x.example/", "upload_headers": [], "results": {}}  # fmt: skip
    calls: list[Call] = [
        SendGridApi.lists, SendGridApi.fields, SendGridApi.scopes,
        SendGridApi.suppressed_addresses, lambda api: api.is_suppressed(ADDRESS),
        lambda api: api.contact_ids([ADDRESS]), lambda api: api.job("j"),
        lambda api: api.create_import(["e1"], None), lambda api: api.upsert_contacts(b"{}"),
    ]  # fmt: skip
    for status in (200, 400, 401):
        server.answers[:] = []
        server.say(status, json.dumps(whole | {key: value}).encode())
        for call in calls:
            try:
                call(api)
            except SyncError as error:
                assert len(str(error)) < 500  # noqa: PT017 errors of other kinds fail the test


@pytest.mark.parametrize(
    ("given", "counted"),
    [(3, 3), ("3", 3), (3.0, 3), (None, 0), (-1, 0), ("many", 0), (True, 0), ([3], 0), ({}, 0),
     (float("nan"), 0), (float("inf"), 0), (10**30, 0), ("9" * 400, 0), ("\u0663", 0), ("-3", 0)],
)  # fmt: skip
def test_D08_a_count_that_is_none_is_as_if_it_were_left_out(
    server: Script, api: SendGridApi, given: Any, counted: int
) -> None:
    """The batch is then judged by looking at its contacts."""
    server.say(200, {"status": "completed", "results": {"created_count": given}})
    job = api.job("j")
    assert (job.status, job.created) == (JobStatus.COMPLETED, counted)


@pytest.mark.parametrize(
    "job_id", [None, "", [], {}, True, 1.5, "a b", "x" * 201, "j\n", "j\x00", "j\u00e9", ["j"]]
)
def test_D12_a_job_id_that_cannot_be_one_is_an_unknown_fate(
    server: Script, api: SendGridApi, job_id: Any
) -> None:
    """The call was accepted, and nothing can be asked about it; it is never stored or logged."""
    server.say(202, {"job_id": job_id})
    with pytest.raises(FateUnknown, match=r"accepted the call but gave (no job id|one that can't)"):
        api.upsert_contacts(b"{}")


@pytest.mark.parametrize("job_id", ["j", "0" * 200, 17, "a/b?c#d%", "../../x"])
def test_D12_a_job_id_of_another_form_is_followed(
    server: Script, api: SendGridApi, job_id: Any
) -> None:
    """And stays one part of the path."""
    server.say(202, {"job_id": job_id})
    assert api.upsert_contacts(b"{}") == str(job_id)
    server.answers[:] = []
    server.say(200, {"status": "completed"})
    api.job(str(job_id))
    assert server.calls[-1][1].count("/") == "/v3/marketing/contacts/imports/{id}".count("/")


def test_a_field_of_an_unknown_type_stops_no_other(server: Script, api: SendGridApi) -> None:
    """SendGrid may come to have more types than three; who maps such a field is told that it can't
    be found."""
    more = [EMAIL | {"name": "Since", "field_type": "Boolean"}, EMAIL | {"name": "Tier"}]
    server.say(200, {"reserved_fields": [EMAIL], "custom_fields": more})
    assert field_names(api) == ["email", "Tier"]
