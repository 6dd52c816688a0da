"""Who may call what, and what is no route at all."""

from __future__ import annotations

import pytest
import requests

from local.sendgrid_emulator.process import Emulator
from tests.emulator.conftest import POWERLESS_KEY, READ_KEY
from tests.support.api_caller import CONTACTS, FIELDS, LISTS, SendGrid, first_error


def test_a_call_without_a_key_is_refused_with_401(emulator: Emulator) -> None:
    answer = requests.get(emulator.base_url + LISTS, timeout=30)
    assert first_error(answer) == (401, None, "authorization required")


def test_an_unknown_key_is_refused_with_401(emulator: Emulator) -> None:
    answer = SendGrid(emulator, "SG.unknown").call("GET", LISTS)
    message = "The provided authorization grant is invalid, expired, or revoked"
    assert first_error(answer) == (401, None, message)


def test_a_read_key_reads_and_searches_but_does_not_write(emulator: Emulator) -> None:
    reader = SendGrid(emulator, READ_KEY)
    assert reader.call("GET", f"{CONTACTS}/count").status_code == 200
    assert reader.call("POST", f"{CONTACTS}/search", {"query": "city = 'x'"}).status_code == 200
    for method, path in [("PUT", CONTACTS), ("POST", LISTS), ("POST", FIELDS)]:
        assert first_error(reader.call(method, path, {})) == (403, None, "access forbidden")


def test_a_key_without_permissions_only_sees_its_scopes(emulator: Emulator) -> None:
    powerless = SendGrid(emulator, POWERLESS_KEY)
    assert powerless.call("GET", LISTS).status_code == 403
    assert powerless.call("GET", "/v3/scopes").json() == {"scopes": []}


def test_scopes_tell_a_full_key_from_a_read_key(emulator: Emulator) -> None:
    full = SendGrid(emulator).call("GET", "/v3/scopes").json()["scopes"]
    read = SendGrid(emulator, READ_KEY).call("GET", "/v3/scopes").json()["scopes"]
    assert "marketing.read" in read
    assert set(read) < set(full)


def test_scopes_can_be_given_extra_ones(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(extra_scopes=["mail.send"])
    assert "mail.send" in sendgrid.call("GET", "/v3/scopes").json()["scopes"]


def test_the_account_is_told_to_a_key_with_its_scope(sendgrid: SendGrid) -> None:
    assert sendgrid.call("GET", "/v3/user/account").status_code == 403
    sendgrid.admin.settings(extra_scopes=["user.account.read"])
    answer = sendgrid.call("GET", "/v3/user/account")
    assert (answer.status_code, answer.json()) == (200, {"type": "paid", "reputation": 100})


def test_an_unknown_route_is_a_recorded_404(sendgrid: SendGrid) -> None:
    assert first_error(sendgrid.call("GET", "/v3/marketing/nothing")) == (404, None, "not found")
    call = sendgrid.admin.calls()[-1]
    assert (call["path"], call["route"], call["status"]) == ("/v3/marketing/nothing", None, 404)


def test_a_wrong_method_is_a_405(sendgrid: SendGrid) -> None:
    assert sendgrid.call("POST", CONTACTS, {}).status_code == 405


def test_the_legacy_product_is_forbidden(sendgrid: SendGrid) -> None:
    answer = sendgrid.call("GET", "/v3/contactdb/recipients")
    assert first_error(answer) == (403, None, "access forbidden")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/"])
def test_nothing_else_is_served(sendgrid: SendGrid, path: str) -> None:
    assert sendgrid.call("GET", path).status_code == 404


def test_the_administrator_needs_no_key_and_leaves_no_trace(emulator: Emulator) -> None:
    emulator.admin.create_list("clients")
    assert emulator.admin.calls() == []
