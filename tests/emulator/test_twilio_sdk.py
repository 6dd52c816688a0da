"""Twilio's own Python client works with the emulator, and all of its traffic is as Twilio's
description of the API says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from python_http_client.exceptions import BadRequestsError, UnauthorizedError
from sendgrid import SendGridAPIClient

from local.sendgrid_emulator.process import Emulator
from tests.emulator.conftest import API_KEY
from tests.support import openapi
from tests.support.api_caller import wait_for


class Described:
    """Twilio's client; every answer to it is compared with the description."""

    def __init__(self, emulator: Emulator, api_key: str = API_KEY) -> None:
        """Use the client as its own examples do, at another host."""
        self.marketing = SendGridAPIClient(api_key, host=emulator.base_url).client.marketing
        self.asm = SendGridAPIClient(api_key, host=emulator.base_url).client.asm
        self.emulator = emulator

    def send(self, endpoint: Any, method: str, **what: Any) -> Any:
        """Send one call and return the JSON of its answer."""
        answer = getattr(endpoint, method)(**what)
        call = self.emulator.admin.calls()[-1]
        operation = openapi.operation_of(call["method"], call["path"])
        assert operation is not None, call["path"]
        name = f"{call['method']} {operation.path}"
        query = {part.partition("=")[0] for part in call["query"].split("&") if part}
        body = json.loads(answer.body) if answer.body else None
        asked = openapi.request_deviations(operation, query, what.get("request_body"))
        wrong = [f"{name} {deviation}" for deviation in asked]
        if answer.body:
            schema = operation.answer_schema(answer.status_code)
            said = openapi.disagreements(schema, body)
            wrong += [f"{name} {answer.status_code} {deviation}" for deviation in said]
        assert [one for one in wrong if one not in openapi.KNOWN] == []
        return body


@pytest.fixture
def sdk(emulator: Emulator) -> Described:
    """Twilio's client with full access to the empty account."""
    emulator.admin.settings(field_delay=0)
    return Described(emulator)


def test_its_contacts_lists_fields_and_jobs(sdk: Described) -> None:
    contacts = sdk.marketing.contacts
    created = sdk.send(sdk.marketing.lists, "post", request_body={"name": "Customers"})
    field = {"name": "Status", "field_type": "Text"}
    made = sdk.send(sdk.marketing.field_definitions, "post", request_body=field)
    contact = {"email": "Ada@example.com", "custom_fields": {made["id"]: "gold"}}
    body = {"list_ids": [created["id"]], "contacts": [contact]}
    job = sdk.send(contacts, "put", request_body=body)["job_id"]
    wait_for(lambda: sdk.send(contacts.imports._(job), "get")["status"], lambda s: s != "pending")
    sought = {"emails": ["ada@example.com"]}
    found = sdk.send(contacts.search.emails, "post", request_body=sought)["result"]
    ada = found["ada@example.com"]["contact"]
    assert ada["custom_fields"] == {"Status": "gold"}
    query = {"query": "email = 'ada@example.com'"}
    assert sdk.send(contacts.search, "post", request_body=query)["contact_count"] == 1
    assert sdk.send(contacts.count, "get")["contact_count"] == 1
    assert sdk.send(contacts._(ada["id"]), "get")["email"] == "ada@example.com"
    assert len(sdk.send(sdk.marketing.lists, "get", query_params={"page_size": 10})["result"]) == 1
    off = sdk.marketing.lists._(created["id"]).contacts
    sdk.send(off, "delete", query_params={"contact_ids": ada["id"]})
    sdk.send(contacts, "delete", query_params={"ids": ada["id"]})
    sdk.send(contacts.exports, "post", request_body={"file_type": "json"})
    sdk.send(sdk.marketing.lists._(created["id"]), "delete")


def test_its_suppressions(sdk: Described) -> None:
    body = {"recipient_emails": ["ada@example.com"]}
    sdk.send(sdk.asm.suppressions._("global"), "post", request_body=body)
    one = sdk.asm.suppressions._("global")._("ada@example.com")
    assert sdk.send(one, "get") == {"recipient_email": "ada@example.com"}
    sdk.send(one, "delete")


def test_its_errors_are_its_own(sdk: Described, emulator: Emulator) -> None:
    with pytest.raises(BadRequestsError):
        sdk.send(sdk.marketing.contacts, "put", request_body={"contacts": [{"email": "none"}]})
    stranger = Described(emulator, "SG.stranger")
    with pytest.raises(UnauthorizedError):
        stranger.send(stranger.marketing.lists, "get")
