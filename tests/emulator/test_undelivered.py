"""What keeps mail from an address unasked: bounces, blocks, invalid addresses, spam reports."""

from __future__ import annotations

import pytest

from local.sendgrid_emulator.process import Emulator
from tests.support.api_caller import SendGrid, first_error

KINDS = {
    "blocks": {"created", "email", "reason", "status"},
    "bounces": {"created", "email", "reason", "status"},
    "invalid_emails": {"created", "email", "reason"},
    "spam_reports": {"created", "email", "ip"},
}
ANNA, BEN, CLEO = "anna@example.com", "ben@example.com", "cleo@example.com"
EVERY = pytest.mark.parametrize("kind", KINDS)


@EVERY
def test_each_kind_is_a_list_of_its_own_in_pages_between_times(
    sendgrid: SendGrid, kind: str
) -> None:
    for created, email in ((100, ANNA), (200, BEN), (300, CLEO)):
        sendgrid.admin.suppress(email, created=created, kind=kind)
    path = f"/v3/suppression/{kind}"
    newest = sendgrid.call("GET", path).json()[0]
    assert set(newest) == KINDS[kind]
    assert (newest["created"], newest["email"]) == (300, CLEO)
    query = {"start_time": 100, "end_time": 200, "limit": 1, "offset": 1}
    shown = sendgrid.call("GET", path, params=query).json()
    assert [item["email"] for item in shown] == [ANNA]
    assert sendgrid.admin.suppressions() == {}
    for other in set(KINDS) - {kind}:
        assert sendgrid.call("GET", f"/v3/suppression/{other}").json() == []


@EVERY
def test_one_address_is_a_list_of_one_or_none(sendgrid: SendGrid, kind: str) -> None:
    sendgrid.admin.suppress(ANNA, kind=kind)
    path = f"/v3/suppression/{kind}"
    assert len(sendgrid.call("GET", f"{path}/Anna%40Example.com").json()) == 1
    assert sendgrid.call("GET", f"{path}/{BEN}").json() == []


def test_they_are_lifted_singly_by_name_or_all_together(sendgrid: SendGrid) -> None:
    sendgrid.admin.suppress(ANNA, BEN, CLEO, kind="bounces")
    path = "/v3/suppression/bounces"
    assert sendgrid.call("DELETE", f"{path}/{ANNA}").status_code == 204
    assert sendgrid.call("DELETE", f"{path}/{ANNA}").status_code == 404
    assert sendgrid.call("DELETE", path, {"emails": [BEN]}).status_code == 204
    assert [item["email"] for item in sendgrid.call("GET", path).json()] == [CLEO]
    both = sendgrid.call("DELETE", path, {"emails": [CLEO], "delete_all": True})
    assert first_error(both)[:2] == (400, "emails")
    assert sendgrid.call("DELETE", path, {"delete_all": True}).status_code == 204
    assert sendgrid.call("GET", path).json() == []


def test_a_key_for_marketing_only_sees_none(emulator: Emulator) -> None:
    emulator.admin.add_key("SG.other", "marketing")
    other = SendGrid(emulator, "SG.other")
    assert other.call("GET", "/v3/suppression/spam_reports").status_code == 403


def test_groups_can_be_read_one_by_one_and_all_at_once(sendgrid: SendGrid) -> None:
    group = sendgrid.admin.create_group()
    path = f"/v3/asm/groups/{group}"
    sendgrid.call("POST", f"{path}/suppressions", {"recipient_emails": [ANNA]})
    assert sendgrid.call("GET", path).json()["unsubscribes"] == 1
    (one,) = sendgrid.call("GET", "/v3/asm/suppressions").json()
    assert (one["email"], one["group_id"]) == (ANNA, group)
    assert sendgrid.call("DELETE", f"{path}/suppressions/{ANNA}").status_code == 204
    assert sendgrid.call("GET", "/v3/asm/suppressions").json() == []
    assert sendgrid.call("GET", "/v3/asm/groups/99").status_code == 404
