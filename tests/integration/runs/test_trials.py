"""A trial: a run of chosen clients, which an ordinary run goes on from as if it hadn't been."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contact_sync.base.errors import ConfigError
from contact_sync.base.run_life import KindReason
from contact_sync.cli.main import main
from tests.support.world import World

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"


def loads(world: World) -> tuple[int, int, int]:
    """Three clients, whom no run has seen."""
    return world.add(ANN, first_name="Ann"), world.add(BOB), world.add(EVE)


def watermark(world: World) -> list[tuple[Any, ...]]:
    return world.state("SELECT watermark, mapping_version, last_full_at FROM contact_sync.sync")


def test_before_the_first_load_exactly_the_chosen_ones_are_sent(world: World) -> None:
    """Their rows in the ledger are those of any run; then the first load sends the others."""
    ann, _bob, _eve = loads(world)
    before = watermark(world)
    report = world.run(only=(ann,))
    assert (report["kind"], report["kind_reason"]) == ("incremental", KindReason.TRIAL)
    assert (report["books"]["selected"], report["books"]["confirmed"]) == (1, 1)
    assert (set(world.contacts()), world.fates()) == ({ANN}, {ann: "confirmed"})
    assert watermark(world) in (before, [(None, None, None)])
    again = world.run(only=(ann,))
    assert (again["counts"]["sent"], again["counts"]["unchanged"]) == (0, 1)
    first = world.run()
    assert (first["kind_reason"], first["counts"]["new"]) == ("first_load", 2)
    world.assert_converged()
    assert world.run()["counts"]["sent"] == 0


def test_later_the_changes_of_others_are_found_by_the_next_run(world: World) -> None:
    """Those from before the trial, too; nobody is taken for gone, and nothing is removed."""
    ann, bob, eve = loads(world)
    world.run()
    before = watermark(world)
    for client in (ann, bob):
        world.edit(client, last_name="New")
    world.edit(ann, email="anna@example.com")
    world.sql("DELETE FROM b2core.clients WHERE id = %s", eve)
    for _ in range(3):
        report = world.run(only=(ann,))
        assert report["books"] == {
            "selected": 1, "confirmed": 1, "pending": 0, "rejected": 0, "excluded": 0, "gone": 0,
        }  # fmt: skip
    assert watermark(world) == before
    assert set(world.contacts()) == {ANN, "anna@example.com", BOB, EVE}
    assert world.contact(BOB)["last_name"] == "Lee"
    absent = "SELECT absent FROM contact_sync.ledger WHERE client_id = %s"
    assert world.state(absent, eve) == [(0,)]
    report = world.run()
    assert (report["kind"], report["counts"]["sent"]) == ("incremental", 1)
    assert set(world.contacts()) == {"anna@example.com", BOB, EVE}
    assert world.contact(BOB)["last_name"] == "New"


def test_what_is_judged_of_the_chosen_is_judged_among_all(consenting: World) -> None:
    """Who shares an address with a newer or an excluded client isn't sent by a trial either."""
    older, newer = consenting.add(ANN), consenting.add(ANN)
    barred, excluded = consenting.add(BOB), consenting.add(BOB)
    bad, good = consenting.add("nothing"), consenting.add(EVE)
    consenting.edit(excluded, last_name="opted out")
    report = consenting.run(only=(older, barred, excluded, bad, good))
    assert set(consenting.contacts()) == {EVE}
    assert consenting.fates() == {
        older: "shared", barred: "excluded: excluded_address",
        excluded: "excluded: excluded_by_b2core: no consent", bad: "rejected: email: invalid",
        good: "confirmed",
    }  # fmt: skip
    assert (report["books"]["selected"], report["books"]["excluded"]) == (5, 3)
    consenting.run()
    assert consenting.fates()[newer] == "confirmed"
    consenting.assert_converged(excluded={excluded})


def test_a_trial_sends_nobody_in_place_of_a_rejected_client(world: World) -> None:
    """Who represents the address then is found by the next run."""
    fields = world.definition.model_dump(mode="json")["fields"]
    fields["phone_number"]["on_bad_value"] = "reject"
    world.redefine(fields=fields)
    older, newer = world.add(ANN, first_name="Older"), world.add(ANN, phone="no number")
    world.run(only=(newer,))
    assert (world.contacts(), world.fates().get(older)) == ({}, None)
    world.run()
    assert world.contact(ANN)["first_name"] == "Older"


def test_a_resend_of_chosen_clients_leaves_the_others_alone(world: World) -> None:
    """Not even those between them are read again."""
    ann, _bob, eve = loads(world)
    world.run()
    report = world.run("resend", only=(ann, eve))
    assert (report["kind"], report["counts"]["read"], report["counts"]["sent"]) == ("resend", 2, 2)
    assert BOB not in world.last_upsert()


def test_limits_hold_for_a_trial_too(world: World) -> None:
    """The plan asks; approved, it is sent."""
    world.redefine(limits={"changes": {"contacts": 0, "share": 0}})
    ann, _bob, _eve = loads(world)
    world.run()
    world.edit(ann, last_name="New")
    with pytest.raises(Exception, match="nobody has approved it"):
        world.run(only=(ann,))
    assert world.contact(ANN)["last_name"] == "Lee"
    world.run(only=(ann,), approve=True)
    assert world.contact(ANN)["last_name"] == "New"


def test_a_trial_needs_a_ledger_that_is_believed(world: World) -> None:
    """Only a run of everyone proves it; a client that isn't there is named."""
    ann, _bob, _eve = loads(world)
    world.run()
    with pytest.raises(ConfigError, match="B2CORE has no client 99"):
        world.run(only=(ann, 99))
    world.state("UPDATE contact_sync.sync SET unproven = 'state_restored', unproven_since = now()")
    with pytest.raises(ConfigError, match="Run the sync for all clients first"):
        world.run(only=(ann,))
    assert world.run()["kind"] == "resend"


def test_the_command_line_previews_and_tries(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first load: values masked unless they are asked for, decisions with reasons."""
    world.connect_airflow(monkeypatch)
    ann, _bob, _eve = loads(world)
    bad = world.add("nothing", first_name="Nil")

    def asked(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*words])
        return code, capsys.readouterr().out

    code, said = asked("plan", "demo", "--client", str(ann), "--client", str(bad))
    assert code == 0
    assert f"Client {ann} of sync demo" in said
    assert "The next run sends it for the first time." in said
    assert "its email is not valid" in said
    for value in ("ann@", "Ann", "Nil"):
        assert value not in said
    assert "first_name: Ann" in asked("plan", "demo", "--client", str(ann), "--show-values")[1]
    code, said = asked("plan", "demo", "--sample", "3", "--json")
    assert [len(json.loads(said)["clients"]), json.loads(said)["counts"]["read"]] == [3, 3]
    assert world.contacts() == {}
    code, said = asked("run", "demo", "--client", str(ann))
    assert (code, set(world.contacts())) == (0, {ANN})
    assert f"Client {ann}: SendGrid has confirmed exactly this content" in said
    assert "trial of chosen clients (1)" in said
    for unknown in ("99", "x"):
        assert asked("run", "demo", "--client", unknown)[0] == 1
    assert asked("run", "demo", "--sample", "1", "--approve-removals", "1")[0] == 2
