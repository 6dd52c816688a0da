"""F18: whoever said no is in nothing that is sent. Every test with a world is audited at its end;
here the rules are switched off, and the audit has to say so."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.decision import decide
from contact_sync.run.start_run import start_run
from tests.mutants.removing import exclusions_unheeded
from tests.support.steps import go_on
from tests.support.world import World

ANN, BOB = "ann@example.com", "bob@example.com"
LANES = pytest.mark.parametrize("lane", ["json", "csv"])


def found(world: World) -> list[str]:
    """What the audit says, once: this test's own violations aren't to fail it."""
    wrong = world.audit.wrong(world)
    world.audit.known.clear()
    return wrong


@LANES
def test_F18_an_excluded_client_that_is_sent_is_named(
    consenting: World, monkeypatch: pytest.MonkeyPatch, lane: str
) -> None:
    """In a request and in a file, by the sync that sent it."""
    unheeded = partial(exclusions_unheeded, decide)
    monkeypatch.setattr("contact_sync.run.compare.decide", unheeded)
    consenting.redefine(lane=lane)
    consenting.add(ANN, last_name="opted out")
    consenting.add(BOB)
    consenting.run()
    assert found(consenting) == ["a***@example.com was sent by demo, although B2CORE excludes it"]


def test_F18_a_suppressed_client_that_is_sent_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a kind that the definition excludes; not of one that it only warns of."""
    nobody = "contact_sync.run.scan_clients.suppressed_kinds"
    monkeypatch.setattr(nobody, lambda emails, _: np.zeros(len(emails), np.int8))
    world.redefine(suppressions={})
    world.add(ANN)
    world.add(BOB)
    world.emulator.admin.suppress(ANN, kind="spam_reports")
    world.emulator.admin.suppress(BOB, kind="bounces")
    world.run()
    said = "a***@example.com was sent by demo, although SendGrid suppresses it"
    assert found(world) == [said]


def test_F18_what_is_said_after_a_run_has_read_is_no_violation(consenting: World) -> None:
    """A run may send what it has read within five minutes; what was said before, it knows."""
    consenting.add(ANN)
    with consenting.sync() as sync:
        run_id = start_run(sync, RunKind.INCREMENTAL, holder="test")
        go_on(sync, run_id, before="submit")
        consenting.edit(1, last_name="opted out")
        go_on(sync, run_id, after="exclude", before="finish")
    assert ANN in consenting.contacts()
    assert found(consenting) == []


def test_F18_who_has_agreed_again_may_be_sent(consenting: World) -> None:
    """And who has opted out isn't, by whatever run."""
    consenting.add(ANN, last_name="opted out")
    consenting.add(BOB)
    consenting.run()
    consenting.edit(1, last_name="Smith")
    consenting.edit(2, last_name="opted out")
    consenting.run()
    consenting.run("resend")
    assert len(consenting.audit.known) >= 5
    assert found(consenting) == []
