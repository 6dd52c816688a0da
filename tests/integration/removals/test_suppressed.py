"""A suppression at SendGrid as a reason not to send: where the definition says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contact_sync.base.vocabulary import RunKind, SuppressionKind
from contact_sync.lookup.explain import explain_client
from contact_sync.reporting.explanation_text import text
from contact_sync.run.context import open_run
from contact_sync.run.sending import prepare
from contact_sync.run.start_run import start_run
from tests.integration.people.test_suppressions_list import LISTS, NAMES, at_sendgrid
from tests.support.consents import opt_out_column
from tests.support.steps import STEPS, go_on
from tests.support.world import World

ANN, BOB, CLEO = (f"{name}@example.com" for name in ("ann", "bob", "cleo"))


def explained(world: World, client: int) -> str:
    """What the look-up prints."""
    with world.sync() as sync:
        return text(explain_client(sync, client))


def lift(world: World, kind: str, email: str) -> None:
    """Lift it at SendGrid, and have the next two runs see it."""
    at_sendgrid(world, "DELETE", f"{LISTS}/{kind}/{email}")
    world.state("UPDATE contact_sync.suppression_reading SET whole_at = NULL")
    world.run()


@pytest.mark.parametrize("policy", ["unlist", "delete"])
def test_F16_a_suppressed_client_leaves_and_comes_back_when_sendgrid_lifts_it(
    world: World, policy: str
) -> None:
    """As an exclusion: off the list before anything is sent, with a reason of its own; the look-up
    says which counts and since when. Then it is sent again, and nothing was changed at SendGrid."""
    world.redefine(suppressions={}, on_exclusion=policy)
    ann, bob = world.add(ANN), world.add(BOB)
    world.run()
    world.emulator.admin.suppress(ANN, kind="spam_reports")
    report = world.run()
    assert report["exclusions"] == {"suppressed_at_sendgrid: spam_report": 1}
    assert world.fates() == {
        ann: "excluded: suppressed_at_sendgrid: spam_report", bob: "confirmed",
    }  # fmt: skip
    unlisted = {ANN} if policy == "unlist" else ()
    world.assert_converged(excluded={ann}, unlisted=unlisted)
    said = explained(world, ann)
    assert "SendGrid suppresses its address: reported a mail as spam since" in said
    assert world.run("full")["counts"]["sent"] == 0
    world.edit(ann, first_name="Changed")
    world.run("resend")
    world.assert_converged(excluded={ann}, unlisted=unlisted)
    lift(world, "spam_reports", ANN)
    world.assert_converged(excluded={ann}, unlisted=unlisted)
    world.run()
    world.assert_converged()
    assert not any("suppression" in call for call in world.writes() if "DELETE" not in call)


@pytest.mark.parametrize("lane", ["json", "csv"])
def test_F16_each_kind_as_the_definition_says_and_a_change_acts_in_the_next_run(
    world: World, lane: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All of them before their first sending; by default spam reports and invalid addresses aren't
    sent, bounces are counted. Another policy sends whom it lets, and takes back whom it doesn't."""
    for kind in SuppressionKind:
        world.add(f"{kind}@example.com")
    for name, word in NAMES.items():
        world.emulator.admin.suppress(f"{word}@example.com", kind=name)
    world.emulator.admin.suppress("unsubscribe@example.com")
    ids = {str(kind): number for number, kind in enumerate(SuppressionKind, 1)}
    world.redefine(suppressions={}, lane=lane)
    report = world.run()
    world.assert_converged(excluded={ids["spam_report"], ids["invalid"]})
    assert report["warned"] == {"bounce": 1}
    assert "Sent although SendGrid suppresses the address: 1 client, bounced" in caplog.text
    world.redefine(suppressions={"spam_report": "nothing", "bounce": "exclude"})
    assert world.run()["warned"] == {}
    out = {ids["invalid"], ids["bounce"]}
    world.assert_converged(excluded=out, unlisted={"bounce@example.com"})
    everything = {str(kind): "exclude" for kind in SuppressionKind}
    world.redefine(suppressions=everything)
    world.run()
    left = set(ids.values()) - {ids["group_unsubscribe"]}
    world.assert_converged(excluded=left, unlisted=None)
    world.redefine(suppressions=None)
    world.run()
    world.assert_converged()


def test_F16_b2cores_exclusion_counts_first_and_either_one_is_enough(
    world: World, tmp_path: Path
) -> None:
    """Whoever is excluded by both stays out until both are gone, with the reason that is left."""
    world.sql_folder = opt_out_column(world.sql_folder, tmp_path / "opt_outs")
    ann = world.add(ANN, last_name="opted out")
    world.emulator.admin.suppress(ANN, kind="spam_reports")
    world.redefine(suppressions={})
    world.run()
    assert world.fates()[ann] == "excluded: excluded_by_b2core: no consent"
    said = explained(world, ann)
    assert re.search(
        r"B2CORE excludes it: no consent\. A run saw that first on \d+ \w+ \d{4}", said
    )
    assert (
        "SendGrid's suppression of its address would count: reported a mail as spam since" in said
    )
    world.edit(ann, last_name="Smith")
    world.run()
    assert world.fates()[ann] == "excluded: suppressed_at_sendgrid: spam_report"
    world.edit(ann, last_name="opted out")
    world.run()
    assert world.fates()[ann] == "excluded: excluded_by_b2core: no consent"
    assert world.contacts() == {}


@pytest.mark.parametrize("since", [None, 1_700_000_000], ids=["now", "long ago"])
def test_F16_who_is_suppressed_while_a_person_is_asked_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, since: int | None
) -> None:
    """B2CORE and SendGrid were read long before the sending: both are asked again, and what is new
    since then counts; the next run says so. What was there before was read."""
    monkeypatch.setattr(prepare, "MAX_AGE_SECONDS", -1e9)
    world.redefine(suppressions={})
    ann = world.add(ANN)
    world.add(BOB)
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="submit")
        world.emulator.admin.suppress(ANN, kind="spam_reports", created=since)
        for name in ("submit", "settle", "remove", "finish"):
            STEPS[name](sync, open_run(sync, run_id))
    assert (ANN in world.contacts()) is (since is not None)
    if since is None:
        assert world.fates()[ann] == "pending: changed_since_read"
        assert world.run()["exclusions"] == {"suppressed_at_sendgrid: spam_report": 1}


def test_F16_B03_a_suppressed_clients_new_address_gets_its_opt_out_first(world: World) -> None:
    """Also where nothing was ever sent to the old one: nobody is resubscribed by a new address."""
    ann = world.add(ANN)
    world.emulator.admin.suppress(ANN, kind="spam_reports")
    world.redefine(suppressions={})
    world.run()
    assert world.contacts() == {}
    world.edit(ann, email=BOB)
    world.run()
    assert set(world.emulator.admin.suppressions()) == {BOB}
    world.assert_converged()
