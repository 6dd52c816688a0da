"""Values that SendGrid refuses: left out as the definition says, until they change."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.lookup.explain import explain_client
from contact_sync.run.sending import settle_upsert
from tests.support.world import World

LANES = pytest.mark.parametrize("lane", ["json", "csv"])
WAYS = pytest.mark.parametrize(("lane", "by"), [("json", "row"), ("json", "call"), ("csv", "row")])
"""By CSV only rows are refused: a call carries none."""
BY = pytest.mark.parametrize("by", ["row", "call"])
PHONE, OTHER = "+41790000001", "+41790000002"
LEFT_OUT = {"phone_number: refused_by_sendgrid": 1}


def refusing(world: World, *values: str, name: str = "phone_number", **more: Any) -> None:
    """SendGrid refuses these values of a field from now on."""
    world.emulator.admin.settings(refused_values={name: list(values)} if values else {}, **more)


def with_policy(world: World, name: str, policy: str) -> None:
    """The definition says what becomes of a bad value of the field."""
    fields = world.definition.model_dump(mode="json")["fields"]
    column = fields[name] if isinstance(fields[name], str) else fields[name]["column"]
    world.redefine(fields={**fields, name: {"column": column, "on_bad_value": policy}})


@WAYS
@pytest.mark.parametrize("row_error", ["row", "value"])
def test_D15_a_refused_value_is_left_out_and_counted(
    world: World, lane: str, by: str, row_error: str
) -> None:
    """In the same run; the others, and its other values, are sent as they are. It isn't sent again
    by later runs, also when something else of the client changes (klaviyo-swift-sdk#122)."""
    world.redefine(lane=lane)
    refusing(world, PHONE, refused_values_by=by, row_error=row_error)
    ann = world.add("ann@example.com", phone=PHONE, first_name="Ann")
    world.add("bob@example.com", phone=OTHER)
    report = world.run()
    assert report["dropped"] == LEFT_OUT
    assert report["books"]["confirmed"] == 2
    assert world.contact("ann@example.com")["first_name"] == "Ann"
    assert "phone_number" not in world.contact("ann@example.com")
    assert world.contact("bob@example.com")["phone_number"] == OTHER
    sent = world.sent().count(PHONE)
    for kind in ("incremental", "full"):
        assert world.run(kind)["counts"]["sent"] == 0
    world.edit(ann, first_name="Anna")
    report = world.run()
    assert (report["counts"]["sent"], report["dropped"]) == (1, LEFT_OUT)
    assert world.contact("ann@example.com")["first_name"] == "Anna"
    assert world.sent().count(PHONE) == sent


@LANES
def test_D15_another_value_is_sent_and_what_was_remembered_is_forgotten(
    world: World, lane: str
) -> None:
    """The old value may even come back later: then it is tried once more."""
    world.redefine(lane=lane)
    refusing(world, PHONE)
    world.add("ann@example.com", phone=PHONE)
    world.run()
    world.sql("UPDATE b2core.client_phones SET phone = %s", OTHER)
    assert world.run()["dropped"] == {}
    assert world.contact("ann@example.com")["phone_number"] == OTHER
    assert world.state("SELECT count(*) FROM contact_sync.refused_value") == [(0,)]
    refusing(world)
    world.sql("UPDATE b2core.client_phones SET phone = %s", PHONE)
    world.run()
    assert world.contact("ann@example.com")["phone_number"] == PHONE
    world.assert_converged()


@WAYS
def test_D15_what_the_contact_holds_in_its_place_is_cleared(
    world: World, lane: str, by: str
) -> None:
    """As for a value that can't be sent: an older one isn't the client's any more."""
    world.redefine(lane=lane)
    world.add("ann@example.com", phone=OTHER)
    world.run()
    refusing(world, PHONE, refused_values_by=by)
    world.sql("UPDATE b2core.client_phones SET phone = %s", PHONE)
    assert world.run()["dropped"] == LEFT_OUT
    assert "phone_number" not in world.contact("ann@example.com")
    assert world.run("full")["counts"]["sent"] == 0


@WAYS
def test_D15_with_reject_the_client_is_rejected_for_the_field(
    world: World, lane: str, by: str
) -> None:
    """And sent when its row changes, like any other."""
    world.redefine(lane=lane)
    with_policy(world, "phone_number", "reject")
    refusing(world, PHONE, refused_values_by=by)
    world.add("ann@example.com", phone=PHONE)
    world.add("bob@example.com", phone=OTHER)
    report = world.run()
    assert report["books"]["rejected"] == 1
    assert report["dropped"] == {}
    fate = "rejected: phone_number: refused_by_sendgrid: phone_number … is not valid"
    assert world.fates()[1] == fate
    assert set(world.contacts()) == {"bob@example.com"}
    assert world.run("full")["counts"]["sent"] == 0
    world.sql("UPDATE b2core.client_phones SET phone = %s", OTHER)
    world.run()
    assert world.fates()[1] == "confirmed"


def test_D15_the_policy_may_change_afterwards(world: World) -> None:
    """From `drop` to `reject`: the value that was refused rejects its client, without a call."""
    refusing(world, PHONE)
    world.add("ann@example.com", phone=PHONE)
    world.run()
    with_policy(world, "phone_number", "reject")
    world.run()
    assert world.fates()[1] == "rejected: phone_number: refused_by_sendgrid"
    with_policy(world, "phone_number", "drop")
    assert world.run()["dropped"] == LEFT_OUT
    assert world.fates()[1] == "confirmed"


@LANES
def test_D15_resend_tries_refused_values_again(world: World, lane: str) -> None:
    """Everything is sent again: what SendGrid takes now is there, what it refuses is left out."""
    world.redefine(lane=lane)
    refusing(world, PHONE)
    world.add("ann@example.com", phone=PHONE)
    world.run()
    assert world.run("resend")["dropped"] == LEFT_OUT
    assert world.fates()[1] == "confirmed"
    refusing(world)
    assert world.run("resend")["dropped"] == {}
    assert world.contact("ann@example.com")["phone_number"] == PHONE
    assert world.run("full")["counts"]["sent"] == 0
    world.assert_converged()


@BY
@pytest.mark.parametrize(
    "says", ["{name} '{value}' is not valid", "field {id}: bad value", 'column "{name}": {value}']
)
def test_D15_the_field_is_named_by_name_id_or_column(world: World, by: str, says: str) -> None:
    """Of custom fields, too; several values of one client are found one after the other."""
    refusing(world, "*", name="Status", refused_values_by=by, refused_values_say=says)
    world.sql("UPDATE b2core.clients SET first_name = first_name")
    world.add("ann@example.com", status_id=1, first_name="Ann")
    report = world.run()
    assert report["dropped"] == {"Status: refused_by_sendgrid": 1}
    assert "Status" not in world.contact("ann@example.com")["custom_fields"]
    assert world.fates()[1] == "confirmed"


@LANES
def test_D15_several_refused_values_of_a_client_are_all_left_out(world: World, lane: str) -> None:
    """Whether they are told at once or one after the other."""
    world.redefine(lane=lane)
    values = {"phone_number": ["*"], "first_name": ["*"], "Status": ["*"]}
    world.emulator.admin.settings(refused_values=values)
    world.add("ann@example.com", status_id=1, first_name="Ann", phone=PHONE)
    assert sum(world.run()["dropped"].values()) == 3
    assert world.fates()[1] == "confirmed"
    assert world.run("full")["counts"]["sent"] == 0


def test_D15_rounds_are_bounded_and_the_next_run_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever isn't through then is pending, and goes without the values found so far."""
    monkeypatch.setattr(settle_upsert, "MAX_VALUE_ROUNDS", 0)
    refusing(world, PHONE)
    world.add("ann@example.com", phone=PHONE)
    world.run()
    assert world.fates() == {1: "pending: value_refused"}
    assert world.run()["dropped"] == LEFT_OUT
    assert world.fates() == {1: "confirmed"}


@LANES
def test_D15_a_refusal_for_a_value_that_is_not_there_is_tried_again(
    world: World, lane: str
) -> None:
    """The reported case: SendGrid names a phone that was never sent, or was left out already. The
    client is pending, so often as any contact that isn't applied."""
    world.redefine(lane=lane)
    world.add("ann@example.com", phone="+10000000000")
    says = "phone_number '+10000000000' is not valid"
    world.emulator.admin.settings(refused_emails={"ann@example.com": says})
    world.run()
    assert world.fates()[1] == "pending: value_refused"
    world.emulator.admin.settings(refused_emails={})
    assert world.run()["books"]["confirmed"] == 1


def test_D15_many_refused_values_of_a_large_import_are_sent_again_by_json(world: World) -> None:
    """Each row that lost one; nobody else is sent twice."""
    world.redefine(lane="csv")
    refusing(world, *(f"+417900000{n:02}" for n in range(0, 60, 2)))
    for n in range(60):
        world.add(f"client{n}@example.com", phone=f"+417900000{n:02}")
    report = world.run()
    assert report["dropped"] == {"phone_number: refused_by_sendgrid": 30}
    assert [(job["lane"], job["rows"]) for job in report["jobs"]] == [("csv", 60), ("json", 30)]
    assert report["books"]["confirmed"] == 60


def test_H08_words_of_sendgrid_are_kept_without_values_markup_and_links(world: World) -> None:
    """In ledger, log and report: they may forge lines of a log, or links in a chat."""
    emails = world.add_clients(3)
    world.edit(2, first_name="mallory", last_name="Smith")
    says = (
        "we don't like mallory Smith <https://evil.example|click> [x](http://evil.example) \u202e"
        "\r\n2026-01-01 ERROR forged +41790000001 other@example.com \x1b[31m *bold*"
    )
    world.emulator.admin.settings(refused_emails={emails[1]: says})
    world.run()
    fate = world.fates()[2]
    assert fate.startswith("rejected: contact: refused_by_sendgrid: we don't like …")
    for bad in ("mallory", "Smith", "evil", "http", "click", "\n", "\r", "\x1b", "\u202e", "@",
                "41790000001", "<", ">", "ERROR", "*"):  # fmt: skip
        assert bad not in fate


@pytest.mark.parametrize("by", ["row", "call"])
def test_H08_a_reason_never_holds_somebody_elses_address(world: World, by: str) -> None:
    """Nor does it name that client instead."""
    emails = world.add_clients(3)
    says = f"duplicate of {emails[0]}"
    if by == "row":
        world.emulator.admin.settings(refused_emails={emails[1]: says})
    else:
        world.emulator.admin.settings(refused_contacts={emails[1]: f"{{email}} {says}"})
    world.run()
    assert world.fates()[2].startswith("rejected: contact: refused_by_sendgrid: ")
    assert "@" not in world.fates()[2]
    assert world.fates()[1] == world.fates()[3] == "confirmed"


def test_D15_refused_values_are_in_the_list_of_dropped_ones_and_in_a_look_up(world: World) -> None:
    """With since when, which stays while the value does."""
    refusing(world, PHONE)
    ann = world.add("ann@example.com", phone=PHONE)
    report = world.run()
    assert report["dropped_now"] == report["dropped_new"] == LEFT_OUT
    rows = "SELECT client_id, field, reason, since FROM contact_sync.dropped_value"
    noted = world.state(rows)
    assert noted[0][:3] == (ann, "phone_number", "refused_by_sendgrid")
    world.edit(ann, first_name="Anna")
    report = world.run("full")
    assert (report["dropped_now"], report["dropped_new"]) == (LEFT_OUT, {})
    assert (
        world.state("SELECT client_id, field, reason, since FROM contact_sync.dropped_value")
        == noted
    )
    with world.sync() as sync:
        fields = {field.name: field for field in explain_client(sync, ann).fields}
    assert fields["phone_number"].problem == "left out: SendGrid refused it"
    assert (fields["phone_number"].value, fields["phone_number"].source) == ("", PHONE)
    world.sql("UPDATE b2core.client_phones SET phone = %s", OTHER)
    assert world.run()["dropped_now"] == {}
