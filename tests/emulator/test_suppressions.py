"""Suppressions: by address, apart from contacts, and with scopes of their own."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute

from local.sendgrid_emulator.model.suppressions import Undelivered
from local.sendgrid_emulator.process import Emulator
from local.sendgrid_emulator.routes import suppressions, undelivered
from tests.support import openapi
from tests.support.api_caller import CONTACTS, SendGrid, first_error

GLOBAL, UNSUBSCRIBES = "/v3/asm/suppressions/global", "/v3/suppression/unsubscribes"
ANNA, BEN, CLEO = "anna@example.com", "ben@example.com", "cleo@example.com"


def page(sendgrid: SendGrid, **query: Any) -> list[str]:
    """Return the addresses of a page of unsubscribes."""
    answer = sendgrid.call("GET", UNSUBSCRIBES, params=query)
    assert answer.status_code == 200, answer.text
    return [item["email"] for item in answer.json()]


def test_suppressing_echoes_and_is_seen_by_address(sendgrid: SendGrid) -> None:
    body = {"recipient_emails": ["Anna@Example.com", BEN]}
    answer = sendgrid.call("POST", GLOBAL, body)
    assert (answer.status_code, answer.json()) == (201, body)
    assert sendgrid.call("GET", f"{GLOBAL}/{ANNA}").json() == {"recipient_email": ANNA}
    assert sendgrid.call("GET", f"{GLOBAL}/Ben%40Example.com").json() == {"recipient_email": BEN}
    assert sendgrid.call("GET", f"{GLOBAL}/{CLEO}").json() == {}
    assert set(sendgrid.admin.suppressions()) == {ANNA, BEN}


def test_an_address_may_have_a_slash(sendgrid: SendGrid) -> None:
    sendgrid.admin.suppress("a/b@example.com")
    answer = sendgrid.call("GET", f"{GLOBAL}/a%2Fb%40example.com")
    assert answer.json() == {"recipient_email": "a/b@example.com"}
    assert sendgrid.admin.calls()[-1]["route"] == GLOBAL + "/{email}"


def test_lifting_is_a_204_either_way(sendgrid: SendGrid) -> None:
    sendgrid.admin.suppress(ANNA, BEN)
    for email in (ANNA, CLEO):
        assert sendgrid.call("DELETE", f"{GLOBAL}/{email}").status_code == 204
    assert list(sendgrid.admin.suppressions()) == [BEN]


@pytest.mark.parametrize("emails", [None, [], "a@b.co", [1], [ANNA, "nobody"]])
def test_bad_addresses_refuse_the_call(sendgrid: SendGrid, emails: object) -> None:
    answer = sendgrid.call("POST", GLOBAL, {"recipient_emails": emails})
    assert first_error(answer)[:2] == (400, "recipient_emails")
    assert sendgrid.admin.suppressions() == {}


def test_unsubscribes_have_pages_and_times(sendgrid: SendGrid) -> None:
    for created, email in ((100, ANNA), (200, BEN), (300, CLEO)):
        sendgrid.admin.suppress(email, created=created)
    assert sendgrid.call("GET", UNSUBSCRIBES).json()[0] == {"created": 300, "email": CLEO}
    assert page(sendgrid) == [CLEO, BEN, ANNA]
    assert page(sendgrid, start_time=200) == [CLEO, BEN]
    assert page(sendgrid, end_time=200) == [BEN, ANNA]
    assert page(sendgrid, limit=2) == [CLEO, BEN]
    assert page(sendgrid, limit=2, offset=2) == [ANNA]
    assert page(sendgrid, email=BEN.upper()) == [BEN]
    assert page(sendgrid, email="be") == [BEN]
    assert page(sendgrid, email="%n") == [BEN, ANNA]
    assert page(sendgrid, email="%n%a@") == [ANNA]


@pytest.mark.parametrize("query", ["limit=501", "limit=0", "offset=x", "start_time=-1", "page=2"])
def test_wrong_parameters_are_refused(sendgrid: SendGrid, query: str) -> None:
    answer = sendgrid.call("GET", f"{UNSUBSCRIBES}?{query}")
    assert first_error(answer)[:2] == (400, query.partition("=")[0])


def test_contacts_and_suppressions_know_nothing_of_each_other(sendgrid: SendGrid) -> None:
    sendgrid.admin.suppress(ANNA)
    sendgrid.upsert({"email": ANNA})
    contact_id = sendgrid.contact(ANNA)["id"]
    job = sendgrid.call("DELETE", f"{CONTACTS}?ids={contact_id}").json()
    sendgrid.wait(job["job_id"])
    sendgrid.upsert({"email": ANNA})
    assert list(sendgrid.admin.suppressions()) == [ANNA]


def test_groups_suppress_apart(sendgrid: SendGrid) -> None:
    group = f"/v3/asm/groups/{sendgrid.admin.create_group()}/suppressions"
    assert sendgrid.call("POST", group, {"recipient_emails": [ANNA]}).status_code == 201
    assert sendgrid.call("GET", group).json() == [ANNA]
    assert sendgrid.admin.suppressions() == {}
    assert sendgrid.call("GET", "/v3/asm/groups/99/suppressions").status_code == 404


@pytest.mark.parametrize(
    ("permission", "reads", "writes"),
    [("marketing", 403, 403), ("read", 403, 403), ("sees_suppressions", 200, 403)],
)
def test_a_key_needs_their_scopes(
    emulator: Emulator, permission: str, reads: int, writes: int
) -> None:
    emulator.admin.add_key("SG.other", permission)
    other = SendGrid(emulator, "SG.other")
    assert other.call("GET", f"{CONTACTS}/count").status_code == 200
    assert other.call("GET", f"{GLOBAL}/{ANNA}").status_code == reads
    assert other.call("GET", UNSUBSCRIBES).status_code == reads
    assert other.call("POST", GLOBAL, {"recipient_emails": [ANNA]}).status_code == writes
    assert other.call("DELETE", f"{GLOBAL}/{ANNA}").status_code == writes
    scopes = other.call("GET", "/v3/scopes").json()["scopes"]
    assert ("suppression.read" in scopes) is (reads == 200)
    assert "suppression.create" not in scopes


def test_a_key_may_lose_its_scopes_until_the_reset(sendgrid: SendGrid, emulator: Emulator) -> None:
    sendgrid.admin.add_key(emulator.api_key, "marketing")
    assert sendgrid.call("GET", UNSUBSCRIBES).status_code == 403
    sendgrid.admin.reset()
    assert sendgrid.call("GET", UNSUBSCRIBES).status_code == 200


def test_they_have_their_own_rate_limit(sendgrid: SendGrid) -> None:
    sendgrid.admin.settings(rate_limits={f"POST {GLOBAL}": 1})
    statuses = [
        sendgrid.call("POST", GLOBAL, {"recipient_emails": [ANNA]}).status_code for _ in range(2)
    ]
    assert statuses == [201, 429]
    assert page(sendgrid) == [ANNA]


def test_groups_are_listed_searched_and_known_of_an_address(sendgrid: SendGrid) -> None:
    groups = [sendgrid.admin.create_group() for _ in range(2)]
    url = f"/v3/asm/groups/{groups[1]}/suppressions"
    posted = sendgrid.call("POST", url, {"recipient_emails": [ANNA]})
    assert posted.headers["content-type"].startswith("text/plain")
    assert posted.json() == {"global": False, "recipient_emails": [ANNA]}
    listed = sendgrid.call("GET", "/v3/asm/groups").json()
    assert [(item["id"], item["unsubscribes"]) for item in listed] == [
        (groups[0], 0),
        (groups[1], 1),
    ]
    found = sendgrid.call("GET", f"/v3/asm/suppressions/{ANNA}").json()["suppressions"]
    assert [(item["id"], item["suppressed"]) for item in found] == [
        (groups[0], False), (groups[1], True),
    ]  # fmt: skip
    searched = sendgrid.call("POST", f"{url}/search", {"recipient_emails": [ANNA, BEN]})
    assert searched.json() == [ANNA]
    assert sendgrid.call("POST", "/v3/asm/groups/99/suppressions/search",
                         {"recipient_emails": [ANNA]}).status_code == 404  # fmt: skip


def test_a_group_that_is_gone_suppresses_everywhere(sendgrid: SendGrid) -> None:
    answer = sendgrid.call("POST", "/v3/asm/groups/99/suppressions", {"recipient_emails": [ANNA]})
    assert answer.json()["global"] is True
    assert list(sendgrid.admin.suppressions()) == [ANNA]


@pytest.mark.parametrize(
    ("method", "route"),
    sorted(
        (method, route.path_format)
        for router in (suppressions.router, undelivered.router)
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ),
)
def test_every_route_is_one_that_is_described_and_answers_so(
    sendgrid: SendGrid, method: str, route: str
) -> None:
    """Whatever the answer calls itself: with somebody in it, its body has the described shape."""
    group = sendgrid.admin.create_group()
    member = {"recipient_emails": [ANNA]}
    sendgrid.call("POST", f"/v3/asm/groups/{group}/suppressions", member)
    sendgrid.admin.suppress(ANNA)
    for kind in get_args(Undelivered):
        sendgrid.admin.suppress(ANNA, kind=kind)
    path = route.replace("{email}", ANNA).replace("{group_id}", str(group))
    lifts_many = method == "DELETE" and "{" not in route
    body = {"emails": [ANNA]} if lifts_many else member if method == "POST" else None
    answer = sendgrid.call(method, path, body)
    operation = openapi.operation_of(method, path)
    assert operation is not None
    assert answer.ok
    assert str(answer.status_code) in operation.described["responses"]
    if answer.content:
        schema = operation.answer_schema(answer.status_code)
        assert schema is not None
        assert list(openapi.disagreements(schema, answer.json())) == []
