"""F17: a consent withdrawn in B2CORE holds at SendGrid, too, where the definition says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contact_sync.base.errors import SyncError
from contact_sync.base.vocabulary import RunKind
from contact_sync.run.context import open_run
from contact_sync.run.sending import suppress_excluded
from contact_sync.run.start_run import start_run
from tests.support.steps import STEPS, go_on
from tests.support.world import API_KEY, World, define

ANN, BOB, NEW = "ann@example.com", "bob@example.com", "new@example.com"
OUT: dict[str, Any] = {"last_name": "opted out"}
IN = {"last_name": "Smith"}
GLOBAL = "/v3/asm/suppressions/global"
SUPPRESS = f"POST {GLOBAL}"
LEAVES = {"unlist": "DELETE /v3/marketing/lists/", "delete": "DELETE /v3/marketing/contacts"}


@pytest.fixture
def two(consenting: World) -> World:
    """Two clients, sent long ago, whose opt-outs shall hold at SendGrid."""
    consenting.redefine(suppress_excluded=True)
    consenting.add(ANN, first_name="Ann")
    consenting.add(BOB, first_name="Bob")
    consenting.run()
    return consenting


def unsubscribed(world: World) -> set[str]:
    """Who is unsubscribed from everything."""
    return set(world.emulator.admin.suppressions())


def writes_since(world: World, before: int) -> list[str]:
    """What has been changed at SendGrid."""
    return world.writes()[before:]


@pytest.mark.parametrize("policy", ["unlist", "delete", "keep"])
def test_F17_the_address_is_unsubscribed_before_the_contact_leaves(two: World, policy: str) -> None:
    """Once, also where the contact stays; who was never sent is none of ours; who agrees again is
    sent, and no run lifts what only a person may lift."""
    two.redefine(on_exclusion=policy)
    two.add("never@example.com", **OUT)
    two.edit(1, **OUT)
    before = len(two.writes())
    report = two.run()
    made = writes_since(two, before)
    assert made[0] == SUPPRESS
    assert [call.startswith(LEAVES.get(policy, "none")) for call in made[1:]] == [True] * (
        policy != "keep"
    )
    assert (unsubscribed(two), report["degraded"]) == ({ANN}, [])
    assert two.run("full")["degraded"] == []
    two.edit(1, **IN)
    two.run()
    assert unsubscribed(two) == {ANN}
    assert writes_since(two, before).count(SUPPRESS) == 1
    assert not any("DELETE" in call and "suppression" in call for call in two.writes())
    assert two.list_id in two.contacts()[ANN]["list_ids"]
    assert two.state("SELECT * FROM contact_sync.suppression_due") == []


def test_F17_nothing_is_unsubscribed_unless_the_definition_says_so(two: World) -> None:
    """Also not later, for what was noted while it did."""
    two.redefine(suppress_excluded=False)
    two.edit(1, **OUT)
    two.run()
    two.redefine(suppress_excluded=True)
    two.run("full")
    assert unsubscribed(two) == set()
    assert ANN not in [e for e, c in two.contacts().items() if c["list_ids"]]


def test_F17_whom_sendgrid_suppresses_already_is_not_unsubscribed(two: World) -> None:
    """A bounce is no withdrawn consent: it may be lifted, and then the client is sent again."""
    two.redefine(suppressions={"bounce": "exclude"})
    two.emulator.admin.suppress(ANN, kind="bounces")
    two.run()
    assert two.fates()[1] == "excluded: suppressed_at_sendgrid: bounce"
    assert unsubscribed(two) == set()


def test_F17_B02_another_clients_address_is_left_alone(two: World) -> None:
    """Who opts out has left its address to somebody who hasn't; a moved one's former address is
    nobody's, and is unsubscribed."""
    two.edit(1, email=NEW, **OUT)
    two.add(ANN, first_name="Cy")
    two.run()
    assert unsubscribed(two) == set()
    two.edit(2, email="later@example.com", **OUT)
    two.run()
    assert unsubscribed(two) == {BOB}


def test_F17_a_contact_that_another_sync_has_is_not_unsubscribed(two: World) -> None:
    """Its clients have said nothing: the contact leaves this sync's list only."""
    first = two.definition
    other = {"name": "other", "list": "Other", "source": two.definition.source.model_dump()}
    two.emulator.admin.create_list("Other")
    two.definition = define(**other)
    folder, two.sql_folder = two.sql_folder, World.sql_folder
    two.run()
    two.definition, two.sql_folder = first, folder
    two.edit(1, **OUT)
    two.run()
    assert unsubscribed(two) == set()
    assert two.list_id not in two.contacts()[ANN]["list_ids"]


def test_F17_what_sendgrid_refuses_is_told_and_tried_again(two: World) -> None:
    """The key may not write suppressions: the contact leaves all the same."""
    two.emulator.admin.add_key(API_KEY, "marketing")
    two.edit(1, **OUT)
    report = two.run()
    told = ["1 address of excluded clients isn't unsubscribed at SendGrid yet"]
    assert (report["degraded"], unsubscribed(two)) == (told, set())
    assert two.contacts()[ANN]["list_ids"] == []
    two.emulator.admin.add_key(API_KEY, "full")
    assert two.run()["degraded"] == []
    assert unsubscribed(two) == {ANN}


def test_F17_only_what_sendgrid_shows_is_done(two: World) -> None:
    """An answer is no proof: it accepts, and shows nothing; the next run asks again."""
    answer = {"body": "{}", "headers": {"content-type": "application/json"}}
    two.emulator.admin.fault("POST", GLOBAL, status=201, times=2, **answer)
    two.edit(1, **OUT)
    assert len(two.run()["degraded"]) == 1
    assert two.run()["degraded"] == []
    assert unsubscribed(two) == {ANN}


def test_F17_one_bad_address_keeps_no_other_one(two: World) -> None:
    """SendGrid refuses the call for both: each is sent by itself."""
    said = json.dumps({"errors": [{"field": "recipient_emails", "message": "not valid"}]})
    two.emulator.admin.fault("POST", GLOBAL, status=400, body=said)
    two.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    assert two.run()["degraded"] == []
    assert unsubscribed(two) == {ANN, BOB}
    assert two.writes().count(SUPPRESS) == 3


def test_F17_many_are_looked_up_among_the_newest(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was unsubscribed long before isn't among those, and is asked for by itself."""
    monkeypatch.setattr(suppress_excluded, "MAX_SINGLE_LOOKS", 1)
    two.emulator.admin.suppress(BOB, created=1_700_000_000)
    two.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    assert two.run()["degraded"] == []
    assert len(two.calls("GET", "/v3/suppression/unsubscribes")) == 1
    asked = [call["path"] for call in two.calls("GET", f"{GLOBAL}/{{email}}")]
    assert [path.rpartition("/")[2] for path in asked] == [BOB]


@pytest.mark.parametrize("policy", ["unlist", "keep"])
def test_F17_F06_too_many_at_once_wait_for_a_person(two: World, policy: str) -> None:
    """Under the limit of removals, also where the contacts stay."""
    two.redefine(on_exclusion=policy, limits={"removals": {"contacts": 1, "share": 0.0}})
    two.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    with pytest.raises(SyncError, match="2 contacts would be removed, the limit is 1"):
        two.run()
    assert unsubscribed(two) == set()
    two.run(approve=True)
    assert unsubscribed(two) == {ANN, BOB}


def test_F17_who_agrees_again_before_it_happens_is_not_unsubscribed(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2CORE was read long ago, because a person took their time: it is asked again."""
    monkeypatch.setattr(suppress_excluded, "MAX_AGE_SECONDS", -1.0)
    two.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    with two.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
        two.edit(1, **IN)
        STEPS["exclude"](sync, open_run(sync, run_id))
    assert unsubscribed(two) == {BOB}
    two.run()
    assert unsubscribed(two) == {BOB}
