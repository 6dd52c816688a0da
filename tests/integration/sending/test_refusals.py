"""Refusals of whole calls: the contacts that are the cause are found, the set-up's faults stop."""

from __future__ import annotations

import time

import pytest
import requests

from contact_sync.base.errors import AuthError, FatalError, RequestRefused, SyncError
from contact_sync.run.sending import cut_refused, new_fields, send_json
from contact_sync.sendgrid.api import SendGridApi
from tests.support.allowed_calls import AS_TEST
from tests.support.steps import staged
from tests.support.world import API_KEY, World

CONTACTS = "/v3/marketing/contacts"
KEY = {"Authorization": f"Bearer {API_KEY}", **AS_TEST}
LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def only_rejected(world: World) -> set[int]:
    """The rejected clients; everybody else is confirmed."""
    fates = world.fates()
    assert {fate.split(":")[0] for fate in fates.values()} <= {"confirmed", "rejected"}
    return {client for client, fate in fates.items() if fate.startswith("rejected")}


@pytest.mark.parametrize("how", ["field empty", "field null", "no errors", "text", "422", "413"])
def test_C16_one_contact_that_a_refusal_does_not_name_stops_nobody_else(
    world: World, how: str
) -> None:
    """It is found by halving, in the same run, and rejected in SendGrid's words; jitsu ("provide
    all identifiers"), airbyte#76340, idp-scim-sync#483, csharp#1021."""
    emails = world.add_clients(8)
    world.emulator.admin.settings(
        refused_calls=[emails[2]], refused_calls_as=how,
        refused_calls_say="provide all identifiers",
    )  # fmt: skip
    report = world.run()
    assert only_rejected(world) == {3}
    assert set(world.contacts()) == set(emails) - {emails[2]}
    said = {"no errors": "status 400", "text": "status 400"}.get(how, "provide all identifiers")
    assert world.fates()[3] == f"rejected: contact: refused_by_sendgrid: {said}"
    assert report["counts"]["sent"] == 7
    assert len(world.calls("PUT", CONTACTS)) <= 12
    assert world.run()["counts"]["sent"] == 0
    world.emulator.admin.settings(refused_calls=[])
    world.edit(3, first_name="Taken")
    world.run()
    world.assert_converged()


def test_C16_a_refusal_raised_below_the_protocol_is_no_different(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case as it was reported."""
    real = SendGridApi.upsert_contacts

    def picky(self: SendGridApi, body: bytes) -> str:
        if b"client3@example.com" in body:
            raise RequestRefused(
                "PUT /v3/marketing/contacts: SendGrid answered 400: provide all identifiers",
                status=400, is_json=True,
                errors=[{"field": "", "message": "provide all identifiers"}],
            )  # fmt: skip
        return real(self, body)

    monkeypatch.setattr(SendGridApi, "upsert_contacts", picky)
    world.add_clients(8)
    world.run()
    assert len(world.contacts()) == 7


def test_C16_several_contacts_that_nobody_names_are_all_found(world: World) -> None:
    """Also where every eighth of the batch has one, so that the first refusals look like a fault of
    the set-up; the number of calls is bounded."""
    emails = world.add_clients(64)
    bad = set(range(1, 65, 5))
    world.emulator.admin.settings(refused_calls=[emails[n - 1] for n in bad])
    world.run()
    assert only_rejected(world) == bad
    assert len(world.contacts()) == 64 - len(bad)
    assert len(world.calls("PUT", CONTACTS)) <= 4 * len(bad) * 4


def test_C09_bad_ones_that_are_named_one_an_answer_are_all_found(world: World) -> None:
    """25 of them need 25 answers: more than one batch gets."""
    emails = world.add_clients(60)
    bad = dict.fromkeys(emails[::2][:25], "email '{email}' is not valid")
    world.emulator.admin.settings(refused_contacts=bad, reported_errors=1)
    world.run()
    assert len(only_rejected(world)) == 25 > send_json.MAX_REFUSAL_ROUNDS
    assert set(world.contacts()) == set(emails) - set(bad)
    assert len(world.calls("PUT", CONTACTS)) <= 25 + 4


@pytest.mark.parametrize("places", ["first", "next", "true"])
@pytest.mark.parametrize("says", ["email '{email}' is not valid", "contact {email}: no", "no"])
def test_C09_an_address_wins_over_the_place_and_a_place_alone_is_tried(
    world: World, places: str, says: str
) -> None:
    """Twilio's own connector test has the bad address second, and contacts[0] in the field."""
    emails = world.add_clients(5)
    world.emulator.admin.settings(refused_contacts={emails[3]: says}, error_places=places)
    world.run()
    assert only_rejected(world) == {4}
    world.assert_converged(excluded=[4])


def test_C16_a_single_contact_is_rejected_where_the_set_up_has_worked_before(world: World) -> None:
    """A run without anybody else to compare it with is no fault for ever."""
    world.add("ann@example.com")
    world.emulator.admin.settings(refused_calls=["ann@example.com", "bob@example.com"])
    with pytest.raises(FatalError, match="invalid input"):
        world.run()
    assert world.fates() == {1: "pending: request_refused"}
    world.emulator.admin.settings(refused_calls=["bob@example.com"])
    world.run()
    world.add("bob@example.com")
    world.run()
    assert only_rejected(world) == {2}


def test_C16_a_cause_that_is_no_contact_rejects_nobody_and_stops_soon(world: World) -> None:
    """Whatever is sent is refused, in words that nobody knows: all are pending, the message has
    them, and the next run sends them."""
    emails = world.add_clients(40)
    world.emulator.admin.settings(refused_calls=emails, refused_calls_say="we are closed")
    with pytest.raises(FatalError, match="lastly: we are closed"):
        world.run()
    assert set(world.fates().values()) == {"pending: request_refused"}
    calls = len(world.calls("PUT", CONTACTS))
    assert calls <= cut_refused.MAX_BEFORE_SUCCESS + (40).bit_length()
    assert staged(world) == (0, 0)
    world.emulator.admin.settings(refused_calls=[])
    world.run()
    world.assert_converged()


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"refused_calls_say": "you have hit your contact limit"}, RequestRefused, "plan"),
        ({"refused_calls_say": "list 'x' does not exist"}, RequestRefused, "the list doesn't"),
        ({"refused_calls_say": "missing scope marketing"}, RequestRefused, "lacks permission"),
        ({"refused_calls_say": "invalid content-type: x"}, RequestRefused, "form of its requests"),
    ],
)
def test_C08_C16_a_fault_of_the_set_up_stops_at_once_and_is_named(
    world: World, settings: dict[str, str], error: type[SyncError], said: str
) -> None:
    """It is never cut: one call."""
    emails = world.add_clients(4)
    world.emulator.admin.settings(refused_calls=emails, **settings)
    with pytest.raises(error, match=said):
        world.run()
    assert len(world.calls("PUT", CONTACTS)) == 1
    assert world.fates() == {}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_C08_an_answer_about_the_set_up_stops_at_once(world: World, status: int) -> None:
    """A key or a list that is refused."""
    world.add_clients(4)
    world.emulator.admin.fault("PUT", CONTACTS, status=status, times=9)
    with pytest.raises((AuthError, RequestRefused)):
        world.run()
    assert len(world.calls("PUT", CONTACTS)) == 1


@pytest.mark.parametrize("too_large", ["400", "413", "413 page"])
def test_C17_a_limit_below_ours_is_met_with_smaller_batches(world: World, too_large: str) -> None:
    """swc-web ac21da87e: the real limit wasn't the documented one. What was learned holds for the
    whole run: a refusal for each halving, not for each batch."""
    world.emulator.admin.settings(max_json_bytes=10_000, too_large=too_large)
    for n in range(120):
        world.add(f"client{n}@example.com", first_name="x" * 40, last_name="y" * 40)
    world.run()
    assert len(world.contacts()) == 120
    refused = [call for call in world.calls("PUT", CONTACTS) if call["status"] != 202]
    assert 1 <= len(refused) <= 2
    assert world.run()["counts"]["sent"] == 0


def test_C17_what_was_learned_shrinks_the_next_batches_of_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that were planned before are cut without another try."""
    monkeypatch.setattr("contact_sync.contacts.json_bodies.MAX_JSON_CONTACTS", 40)
    monkeypatch.setattr("contact_sync.run.in_one_process.AT_ONCE", 1)  # two batches at a time
    world.emulator.admin.settings(max_json_bytes=8_000)
    for n in range(120):
        world.add(f"client{n}@example.com", first_name="x" * 40, last_name="y" * 40)
    world.run()
    assert len(world.contacts()) == 120
    refused = [call for call in world.calls("PUT", CONTACTS) if call["status"] != 202]
    assert 1 <= len(refused) <= 2


def test_C17_more_contacts_than_a_call_may_have_are_cut(world: World) -> None:
    """The other limit of a call."""
    world.emulator.admin.settings(max_json_contacts=3)
    world.add_clients(10)
    world.run()
    world.assert_converged()


@pytest.mark.parametrize("status", ["400", "413"])
def test_C17_a_file_that_is_too_large_for_the_storage_is_cut(world: World, status: str) -> None:
    """S3 says EntityTooLarge; every part is an import of its own, and no doubt is left."""
    world.redefine(lane="csv", deadlines={"job_hours": 1, "quarantine_minutes": 1})
    world.emulator.admin.settings(max_upload_bytes=300, too_large_upload=status)
    world.add_clients(40)
    world.run()
    assert len(world.contacts()) == 40
    assert len(world.emulator.admin.uploads()) > 1
    assert world.run()["seconds"] < 30


def fresh(world: World, kind: str = "Text") -> None:
    """A field is made, and mapped at once."""
    url = f"{world.emulator.base_url}/v3/marketing/field_definitions"
    body = {"name": "Fresh", "field_type": kind}
    requests.post(url, headers=KEY, json=body, timeout=10).raise_for_status()
    fields = world.definition.model_dump(mode="json")["fields"]
    world.redefine(fields={**fields, "Fresh": "last_name"})


@LANES
def test_C18_a_field_made_seconds_ago_is_waited_for(
    world: World, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """StrongGrid waits 5 s; jitsu repeats this very 400."""
    monkeypatch.setattr(new_fields, "PAUSE_SECONDS", 0.2)
    world.emulator.admin.settings(field_delay=1.0)
    world.redefine(lane=lane)
    world.add("ann@example.com")
    fresh(world)
    world.run()
    assert world.contact("ann@example.com")["custom_fields"]["Fresh"] == "Lee"


@LANES
def test_C18_a_field_that_never_comes_stops_the_run_and_is_named(
    world: World, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded, and nothing is cut."""
    monkeypatch.setattr(new_fields, "PAUSE_SECONDS", 0.01)
    world.emulator.admin.settings(field_delay=3600)
    world.redefine(lane=lane)
    world.add_clients(4)
    fresh(world)
    with pytest.raises(RequestRefused, match="refuses 'Fresh' of the mapping"):
        world.run()
    route = CONTACTS if lane == "json" else f"{CONTACTS}/imports"
    assert len(world.calls("PUT", route)) == new_fields.MAX_WAITS + 1
    assert world.fates() == {}


def test_C18_a_field_that_is_deleted_meanwhile_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SendGrid doesn't show it any more: the run stops and says so."""
    world.add("ann@example.com")
    real = SendGridApi.upsert_contacts

    def late(self: SendGridApi, body: bytes) -> str:
        world.recreate_field("Client_type", None)
        return real(self, body)

    monkeypatch.setattr(SendGridApi, "upsert_contacts", late)
    started = time.monotonic()
    with pytest.raises(FatalError, match="has no field 'Client_type' any more"):
        world.run()
    assert time.monotonic() - started < 10
