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
def agreed(consenting: World) -> World:
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
def test_F17_the_address_is_unsubscribed_before_the_contact_leaves(
    agreed: World, policy: str
) -> None:
    """Once, also where the contact stays; who was never sent is none of ours; who agrees again is
    sent, and no run lifts what only a person may lift."""
    agreed.redefine(on_exclusion=policy)
    agreed.add("never@example.com", **OUT)
    agreed.edit(1, **OUT)
    before = len(agreed.writes())
    report = agreed.run()
    made = writes_since(agreed, before)
    assert made[0] == SUPPRESS
    assert [call.startswith(LEAVES.get(policy, "none")) for call in made[1:]] == [True] * (
        policy != "keep"
    )
    assert (unsubscribed(agreed), report["degraded"]) == ({ANN}, [])
    assert agreed.run("full")["degraded"] == []
    agreed.edit(1, **IN)
    agreed.run()
    assert unsubscribed(agreed) == {ANN}
    assert writes_since(agreed, before).count(SUPPRESS) == 1
    assert not any("DELETE" in call and "suppression" in call for call in agreed.writes())
    assert agreed.list_id in agreed.contacts()[ANN]["list_ids"]
    assert agreed.state("SELECT * FROM contact_sync.suppression_due") == []


def test_F17_nothing_is_unsubscribed_unless_the_definition_says_so(agreed: World) -> None:
    """Also not later, for what was noted while it did."""
    agreed.redefine(suppress_excluded=False)
    agreed.edit(1, **OUT)
    agreed.run()
    agreed.redefine(suppress_excluded=True)
    agreed.run("full")
    assert unsubscribed(agreed) == set()
    assert ANN not in [e for e, c in agreed.contacts().items() if c["list_ids"]]


def test_F17_whom_sendgrid_suppresses_already_is_not_unsubscribed(agreed: World) -> None:
    """A bounce is no withdrawn consent: it may be lifted, and then the client is sent again."""
    agreed.redefine(suppressions={"bounce": "exclude"})
    agreed.emulator.admin.suppress(ANN, kind="bounces")
    agreed.run()
    assert agreed.fates()[1] == "excluded: suppressed_at_sendgrid: bounce"
    assert unsubscribed(agreed) == set()


def test_F17_B02_another_clients_address_is_left_alone(agreed: World) -> None:
    """Who opts out has left its address to somebody who hasn't; a moved one's former address is
    nobody's, and is unsubscribed."""
    agreed.edit(1, email=NEW, **OUT)
    agreed.add(ANN, first_name="Cy")
    agreed.run()
    assert unsubscribed(agreed) == set()
    agreed.edit(2, email="later@example.com", **OUT)
    agreed.run()
    assert unsubscribed(agreed) == {BOB}


def test_F17_a_contact_that_another_sync_has_is_not_unsubscribed(agreed: World) -> None:
    """Its clients have said nothing: the contact leaves this sync's list only."""
    first = agreed.definition
    other = {"name": "other", "list": "Other", "source": agreed.definition.source.model_dump()}
    agreed.emulator.admin.create_list("Other")
    agreed.definition = define(**other)
    folder, agreed.sql_folder = agreed.sql_folder, World.sql_folder
    agreed.run()
    agreed.definition, agreed.sql_folder = first, folder
    agreed.edit(1, **OUT)
    agreed.run()
    assert unsubscribed(agreed) == set()
    assert agreed.list_id not in agreed.contacts()[ANN]["list_ids"]


def test_F17_what_sendgrid_refuses_is_told_and_tried_again(agreed: World) -> None:
    """The key may not write suppressions: the contact leaves all the same."""
    agreed.emulator.admin.add_key(API_KEY, "marketing")
    agreed.edit(1, **OUT)
    report = agreed.run()
    told = ["1 address of excluded clients isn't unsubscribed at SendGrid yet"]
    assert (report["degraded"], unsubscribed(agreed)) == (told, set())
    assert agreed.contacts()[ANN]["list_ids"] == []
    agreed.emulator.admin.add_key(API_KEY, "full")
    assert agreed.run()["degraded"] == []
    assert unsubscribed(agreed) == {ANN}


def test_F17_only_what_sendgrid_shows_is_done(agreed: World) -> None:
    """An answer is no proof: it accepts, and shows nothing; the next run asks again."""
    answer = {"body": "{}", "headers": {"content-type": "application/json"}}
    agreed.emulator.admin.fault("POST", GLOBAL, status=201, times=2, **answer)
    agreed.edit(1, **OUT)
    assert len(agreed.run()["degraded"]) == 1
    assert agreed.run()["degraded"] == []
    assert unsubscribed(agreed) == {ANN}


def test_F17_one_bad_address_keeps_no_other_one(agreed: World) -> None:
    """SendGrid refuses the call for both: each is sent by itself."""
    said = json.dumps({"errors": [{"field": "recipient_emails", "message": "not valid"}]})
    agreed.emulator.admin.fault("POST", GLOBAL, status=400, body=said)
    agreed.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    assert agreed.run()["degraded"] == []
    assert unsubscribed(agreed) == {ANN, BOB}
    assert agreed.writes().count(SUPPRESS) == 3


def test_F17_many_are_looked_up_among_the_newest(
    agreed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was unsubscribed long before isn't among those, and is asked for by itself."""
    monkeypatch.setattr(suppress_excluded, "MAX_SINGLE_LOOKS", 1)
    agreed.emulator.admin.suppress(BOB, created=1_700_000_000)
    agreed.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    assert agreed.run()["degraded"] == []
    assert len(agreed.calls("GET", "/v3/suppression/unsubscribes")) == 1
    asked = [call["path"] for call in agreed.calls("GET", f"{GLOBAL}/{{email}}")]
    assert [path.rpartition("/")[2] for path in asked] == [BOB]


@pytest.mark.parametrize("policy", ["unlist", "keep"])
def test_F17_F06_too_many_at_once_wait_for_a_person(agreed: World, policy: str) -> None:
    """Under the limit of removals, also where the contacts stay."""
    agreed.redefine(on_exclusion=policy, limits={"removals": {"contacts": 1, "share": 0.0}})
    agreed.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    with pytest.raises(SyncError, match="2 contacts would be removed, the limit is 1"):
        agreed.run()
    assert unsubscribed(agreed) == set()
    agreed.run(approve=True)
    assert unsubscribed(agreed) == {ANN, BOB}


def test_F17_who_agrees_again_before_it_happens_is_not_unsubscribed(
    agreed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2CORE was read long ago, because a person took their time: it is asked again."""
    monkeypatch.setattr(suppress_excluded, "MAX_AGE_SECONDS", -1.0)
    agreed.sql("UPDATE b2core.clients SET last_name = 'opted out'")
    with agreed.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="exclude")
        agreed.edit(1, **IN)
        STEPS["exclude"](sync, open_run(sync, run_id))
    assert unsubscribed(agreed) == {BOB}
    agreed.run()
    assert unsubscribed(agreed) == {BOB}
