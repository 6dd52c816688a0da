"""A sync whose account has a profile: it uses what is known, and the contacts come out the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contact_sync.base.degraded import Degraded
from contact_sync.base.verdicts import Count, Verdict, told
from contact_sync.config.account_profile import AccountProfile, Answer
from local.sendgrid_emulator.model.profile import settings_of
from tests.support.verified import findings, verify
from tests.support.world import World

CLEARS = {f"csv_empty_{kind}": "clear" for kind in ("text", "custom_text", "number", "date")}
KEEPS = {f"csv_empty_{kind}": "keep" for kind in ("text", "custom_text", "number", "date")}
ACCOUNTS: dict[str, dict[str, str | int]] = {
    "nothing is known": {},
    "everything clears and is served": {
        **CLEARS,
        "csv_negative_number": "stored",
        "list_removal_job": "served",
        "list_removal_effect": "removes",
        "errors_layout": "short",
        "json_limit": 200_000,
    },
    "everything keeps and is refused": {
        **KEEPS,
        "csv_negative_number": "row",
        "list_removal_job": "unknown",
        "errors_file": "none",
        "many_ids": "refused",
        "unknown_key": "call",
        "too_large": "413",
        "json_limit": 200_000,
    },
}
GONE = "client2@example.com"


@pytest.fixture(params=list(ACCOUNTS.values()), ids=list(ACCOUNTS))
def known(world: World, request: pytest.FixtureRequest) -> World:
    """A world whose account behaves so, and whose sync knows it."""
    know(world, request.param)
    return world


def know(world: World, answers: dict[str, str | int]) -> None:
    """Have the account behave as a profile says, and the sync rely on it."""
    changes, in_vain = settings_of(answers)
    assert in_vain == []
    world.emulator.admin.settings(**changes)
    seen = {code: Answer(answer, "in this test") for code, answer in answers.items()}
    world.profile = AccountProfile("sendgrid_default", date(2026, 11, 28), seen)


def jobs_of(world: World, **options: Any) -> list[tuple[str, int]]:
    """Run; the lanes of what was sent, with the numbers of contacts."""
    return [(job["lane"], job["rows"]) for job in world.run(**options)["jobs"]]


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_the_core_of_a_sync_under_each_account(known: World, lane: str) -> None:
    """Lanes, clearing, a moved address, a refusal, an unlisting, and a verification of it all."""
    world = known
    world.redefine(lane=lane, on_exclusion="unlist", on_client_deleted="unlist")
    world.seed()
    world.emulator.admin.settings(refused_emails={"client1@example.com": "no"})
    assert world.run("full")["rejections"] != {}
    world.emulator.admin.settings(refused_emails={})
    world.run(retry_rejected=True)
    world.assert_converged()
    world.change()
    world.run()
    world.assert_converged()
    world.sql("DELETE FROM b2core.clients WHERE id = 2")
    for _ in range(3):
        world.run("full", approve_removals=1)
    world.assert_converged(unlisted=[GONE])
    assert findings(world, verify(world)) == []


def test_cleared_texts_go_by_csv_where_an_empty_cell_clears(world: World) -> None:
    know(world, ACCOUNTS["everything clears and is served"])
    world.redefine(lane="csv")
    world.seed()
    world.run("full")
    world.sql("UPDATE b2core.clients SET first_name = NULL WHERE id = 1")
    assert jobs_of(world) == [("csv", 1)]
    world.assert_converged()


@pytest.mark.parametrize("answer", ["keep", "unseen", None])
def test_Q07_they_go_by_json_unless_that_is_certain(world: World, answer: str | None) -> None:
    answers = {} if answer is None else {"csv_empty_text": answer, "csv_empty_custom_text": "clear"}
    know(world, dict(answers))
    world.redefine(lane="csv")
    world.seed()
    world.run("full")
    world.sql("UPDATE b2core.clients SET first_name = NULL WHERE id = 1")
    assert jobs_of(world) == [("json", 1)]


def test_no_file_is_sent_to_an_account_that_loses_rows_with_empty_cells(world: World) -> None:
    know(world, {"csv_empty_number": "keep", "csv_empty_text": "row"})
    world.redefine(lane="csv")
    world.seed()
    assert jobs_of(world, kind="full") == [("json", 4)]
    world.assert_converged()


def test_a_job_that_is_never_known_is_not_asked_for(world: World) -> None:
    know(world, ACCOUNTS["everything keeps and is refused"])
    world.redefine(on_client_deleted="unlist")
    world.seed()
    world.run("full")
    world.sql("DELETE FROM b2core.clients WHERE id = 2")
    before = len(world.emulator.admin.calls())
    for _ in range(2):
        world.run("full", approve_removals=1)
    calls = world.emulator.admin.calls()[before:]
    assert any(call["route"] == "/v3/marketing/lists/{list_id}/contacts" for call in calls)
    assert [call for call in calls if call["status"] == 404] == []
    world.assert_converged(unlisted=[GONE])


def test_bodies_are_as_large_as_the_account_takes(world: World) -> None:
    know(world, {"json_limit": 120_000})
    world.redefine(lane="json")
    world.add_clients(600)
    jobs = jobs_of(world, kind="full")
    assert sum(rows for _, rows in jobs) == 600
    assert len(jobs) > 1
    upserts = world.calls("PUT", "/v3/marketing/contacts")
    assert {call["status"] for call in upserts} == {202}  # none was refused to learn the size


def test_Q08_a_text_that_files_dont_clear_any_more_is_reported_by_a_verification(
    world: World,
) -> None:
    know(world, ACCOUNTS["everything clears and is served"])
    world.redefine(lane="csv")
    world.seed()
    world.run("full")
    world.emulator.admin.settings(empty_cell="keep")  # SendGrid has changed
    world.sql("UPDATE b2core.clients SET first_name = NULL, last_name = 'Other' WHERE id = 1")
    world.run()
    contact = world.contacts()["client2@example.com"]
    world.emulator.admin.put_contacts({"email": contact["email"], "last_name": "Typed in"})
    verified = verify(world)
    assert verified.counts[Count.UNCLEARED] == 1  # the other one only has another value
    assert verified.counts[Verdict.DIFFERENT] == 2
    assert "run `probe` again" in told(Count.UNCLEARED, 1)


def test_Q08_what_contradicts_the_profile_is_reported(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    know(world, {"json_limit": 120_000})
    world.emulator.admin.settings(max_json_bytes=30_000)  # SendGrid has changed
    world.redefine(lane="json", account="sendgrid_default")
    world.add_clients(300)
    report = world.run("full")
    assert report["state"] == "succeeded"
    assert any("account profile" in said for said in report["degraded"])
    assert "says json_limit: 120000, but SendGrid refused an upsert" in caplog.text
    stored = world.state("SELECT result->'degraded' FROM contact_sync.run ORDER BY run_id DESC")
    assert stored[0][0][str(Degraded.PROFILE_CONTRADICTED)] == 1
