"""Where people find values that don't fit: status, look-up, report, alert, lists of any length."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from contact_sync.airflow_edge import alert_texts
from contact_sync.base.moments import moment
from contact_sync.cli.main import main
from contact_sync.lookup.explain import explain_client
from contact_sync.reporting.explanation import Explanation
from contact_sync.reporting.explanation_text import text
from contact_sync.reporting.run_report import text_report
from contact_sync.state.for_people import dropped
from contact_sync.state.for_people.dropped import Filter
from contact_sync.state.for_people.reading import reading
from tests.support.world import World, define

LONG = "Secret" * 10


def loaded(world: World) -> tuple[int, int]:
    """Two clients with three values that don't fit, and one whose values do."""
    ann = world.add("ann@example.com", phone="call me", first_name=LONG)
    bob = world.add("bob@example.com", phone="not me")
    world.add("cleo@example.com", phone="+41790000001")
    world.run()
    return ann, bob


def explain(world: World, client: int) -> Explanation:
    """What the look-up says of a client."""
    with world.sync() as sync:
        return explain_client(sync, client)


def test_B20_status_lists_them_by_id_and_no_value(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words for people, in codes for machines; not more than the limit, and it says so."""
    world.connect_airflow(monkeypatch)
    assert main(["status", "demo", "--dropped", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == []
    ann, bob = loaded(world)
    assert main(["status", "demo", "--dropped"]) == 0
    said = capsys.readouterr().out
    assert "values dropped or cut: 3 now, 3 new" in said
    assert "phone_number: no phone number: 2 now, 2 new" in said
    listed = [line.partition(" since ")[0] for line in said.splitlines() if " since " in line]
    assert listed == [
        f"client {ann}: first_name: too long",
        f"client {ann}: phone_number: no phone number",
        f"client {bob}: phone_number: no phone number",
    ]
    ((since,),) = world.state("SELECT DISTINCT since FROM contact_sync.dropped_value")
    assert said.count(f" since {moment(since)}\n") == 3
    assert not any(value in said for value in (LONG, "call me", "@example.com"))
    assert main(["status", "demo", "--dropped", "--limit", "2"]) == 0
    said = capsys.readouterr().out
    assert (said.count(" since "), said.count("and more: only 2 are listed")) == (2, 1)
    assert main(["status", "demo", "--dropped", "--json", "--limit", "1"]) == 0
    body = json.loads(capsys.readouterr().out)
    (value,) = body["dropped"]
    assert (value["client_id"], value["field"], value["reason"]) == (ann, "first_name", "too_long")
    assert body["runs"][0]["dropped_now"] == {
        "phone_number: no_number": 2, "first_name: too_long": 1,
    }  # fmt: skip


def test_B20_the_reports_of_a_dry_run_and_of_an_old_run_say_what_they_know(world: World) -> None:
    """A dry run says what it would drop and how it stands; before 0009 nothing was counted."""
    loaded(world)
    world.run("full", dry_run=True)
    said = text_report(world.run_report())
    assert "value dropped or cut: 2 x phone_number: no phone number" in said
    assert "values dropped or cut: 3 now\n" in said
    world.state("UPDATE contact_sync.run SET result = result - 'dropped_now' - 'dropped_new'")
    said = text_report(world.run_report(1))
    assert "value dropped or cut: 2 x phone_number: no phone number" in said
    assert " now" not in said
    world.run()
    assert "values dropped or cut: 3 now, 0 new" in text_report(world.run_report())


def test_B20_the_look_up_names_them_with_since(world: World) -> None:
    """As the last run saw it, where it has been corrected since; hidden values stay hidden."""
    ann, bob = loaded(world)
    fields = {field.name: field for field in explain(world, ann).fields}
    ((came,),) = world.state("SELECT DISTINCT since FROM contact_sync.dropped_value")
    assert fields["phone_number"].problem == "left out: no phone number"
    assert fields["phone_number"].since == fields["first_name"].since == came
    assert fields["last_name"].since is None
    said = text(explain(world, ann))
    assert f"[left out: no phone number, since {moment(came)}]" in said
    assert f"[cut: longer than the field holds, since {moment(came)}]" in said

    world.sql("UPDATE b2core.client_phones SET phone = '+41790000002' WHERE client_id = %s", ann)
    world.sql("UPDATE b2core.client_phones SET phone = '+4179' WHERE client_id = %s", bob)
    said = text(explain(world, ann))
    assert "[as the last run saw it: left out: no phone number, since " in said
    (field,) = [field for field in explain(world, bob).fields if field.name == "phone_number"]
    assert (field.problem, field.since) == ("left out: too short for its country", None)
    world.run()
    (field,) = [field for field in explain(world, ann).fields if field.name == "phone_number"]
    assert (field.problem, field.since) == ("", None)
    world.edit(bob, email="no address")
    world.run()
    (field,) = [field for field in explain(world, bob).fields if field.name == "phone_number"]
    assert (field.problem, field.since) == ("left out: too short for its country", None)


def test_B20_pages_begin_after_a_value_and_streams_hold_one_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client's values may be on two pages; a filter takes field and reason."""
    ids = [world.add(f"c{n}@example.com", phone="none", first_name=LONG) for n in range(5)]
    world.add("d@example.com", phone="+4179")
    world.run()
    with world.sync() as sync, reading(sync.state) as cursor:
        counts = [(row.field, row.reason, row.n) for row in dropped.count_reasons(cursor, 1)]
        assert counts == [
            ("first_name", "too_long", 5), ("phone_number", "no_number", 5),
            ("phone_number", "number_too_short", 1),
        ]  # fmt: skip
        found: list[tuple[int, str]] = []
        while rows := dropped.page_of_values(
            cursor, Filter(1, None, None, *(found[-1] if found else (-1, ""))), 3
        ):
            found += [(row.client_id, row.field) for row in rows]
        assert found == [(c, f) for c in ids for f in ("first_name", "phone_number")] + [
            (ids[-1] + 1, "phone_number")
        ]
        which = Filter(1, "phone_number", "no_number", ids[2], "phone_number")
        some = dropped.page_of_values(cursor, which, 9)
        assert [row.client_id for row in some] == ids[3:]
    monkeypatch.setattr(dropped, "CHUNK", 4)
    with world.sync() as sync:
        chunks = [len(chunk) for chunk in dropped.all_values(sync.state, Filter(1))]
        assert chunks == [4, 4, 3]
        with closing(dropped.all_values(sync.state, Filter(1))) as stream:
            assert len(next(stream)) == 4


def alert(world: World, limit: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What people would be told after the newest run."""
    definition = define(alerts={"email": ["ops@brokerage.test"], "dropped_limit": limit})
    run_id = world.report()["id"]
    monkeypatch.setattr(alert_texts, "_sync_run_id", lambda *_: run_id)
    return alert_texts.dropped(definition, {"run_id": f"manual__{run_id}"})


def test_B20_an_alert_tells_when_the_stock_grows_above_the_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again while it stays, and dry runs between don't count."""
    world.connect_airflow(monkeypatch)
    ann, _ = loaded(world)
    assert alert(world, 3, monkeypatch) is None
    told = alert(world, 2, monkeypatch)
    assert told.title == "demo: 3 values are dropped or cut"
    assert "3 values of clients don't fit their fields; 0 after the run before" in told.cause
    assert "phone_number: no phone number: 2 now, 2 new" in told.cause
    assert told.counts == {"values_dropped": 3, "new": 3}
    assert not any(value in told.html() for value in (LONG, "call me", "@example.com"))
    world.run()
    assert alert(world, 2, monkeypatch) is None
    world.run(dry_run=True)
    world.edit(ann, last_name=LONG)
    world.run()
    assert "3 after the run before" in alert(world, 2, monkeypatch).cause
    assert alert(world, 4, monkeypatch) is None
