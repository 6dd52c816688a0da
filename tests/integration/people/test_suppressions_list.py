"""What SendGrid says who gets no mail: read by runs, kept by address, listed for people."""

from __future__ import annotations

import csv
import io
import json
import runpy

import pytest
import requests

from contact_sync.base.errors import AuthError
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.cli.main import main
from contact_sync.sendgrid import suppression_calls
from tests.support.airflow_home import ROOT
from tests.support.allowed_calls import AS_TEST
from tests.support.world import API_KEY, World

NAMES = {
    "bounces": "bounce", "blocks": "block", "invalid_emails": "invalid",
    "spam_reports": "spam_report",
}  # fmt: skip
ASM, LISTS = "/v3/asm", "/v3/suppression"


def at_sendgrid(world: World, method: str, path: str, *emails: str) -> None:
    """A call of somebody else's."""
    url = world.emulator.base_url + path
    key = {"Authorization": f"Bearer {API_KEY}", **AS_TEST}
    body = {"recipient_emails": emails} if emails else None
    requests.request(method, url, json=body, headers=key, timeout=10).raise_for_status()


def one_of_each(world: World) -> int:
    """Suppress an address of each kind's name; returns the group."""
    admin, group = world.emulator.admin, world.emulator.admin.create_group()
    admin.suppress("Unsubscribe@example.com", created=1_700_000_000)
    for name, kind in NAMES.items():
        admin.suppress(f"{kind}@example.com", created=1_700_000_000, kind=name)
    at_sendgrid(world, "POST", f"{ASM}/groups/{group}/suppressions", "group@example.com")
    return group


def in_force(world: World) -> dict[str, list[str]]:
    """Addresses by kind that weren't lifted."""
    rows = world.state(
        """SELECT kind, array_agg(split_part(email, '@', 1) ORDER BY email)
           FROM contact_sync.suppression WHERE gone_at IS NULL GROUP BY kind"""
    )
    return dict(rows)


def read_calls(world: World) -> list[str]:
    """What was asked of the lists of suppressions, with the query."""
    calls = [call for call in world.emulator.admin.calls() if not call["by_test"]]
    return [f"{c['path']}?{c['query']}" for c in calls if c["path"].startswith((LISTS, ASM))]


def test_F13_nothing_is_read_unless_the_definition_asks(world: World) -> None:
    """No call, no row; neither in a dry run."""
    one_of_each(world)
    world.add("ann@example.com")
    world.run()
    world.redefine(suppressions={})
    world.run(dry_run=True)
    assert (read_calls(world), in_force(world)) == ([], {})


def test_F13_each_kind_is_read_once_and_then_only_what_is_new(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pages, by address, in lower case; the second run asks from the first one's beginning,
    less the overlap; nothing is sent for it, and nothing is changed at SendGrid."""
    monkeypatch.setattr(suppression_calls, "UNSUBSCRIBES_PAGE", 2)
    one_of_each(world)
    old = [f"old{n}@example.com" for n in range(3)]
    world.emulator.admin.suppress(*old, created=1_700_000_000, kind="bounces")
    world.redefine(suppressions={"overlap_minutes": 10})
    world.run()
    every = {
        "bounce": ["bounce", "old0", "old1", "old2"], "block": ["block"], "invalid": ["invalid"],
        "spam_report": ["spam_report"], "unsubscribe": ["unsubscribe"],
        "group_unsubscribe": ["group"],
    }  # fmt: skip
    assert in_force(world) == every
    assert not any("start_time" in call for call in read_calls(world))
    since = "SELECT DISTINCT extract(epoch FROM since)::int FROM contact_sync.suppression"
    assert (1_700_000_000,) in world.state(since)
    before = len(read_calls(world))
    world.emulator.admin.suppress("new@example.com", kind="bounces")
    world.run()
    assert in_force(world) == every | {"bounce": ["bounce", "new", "old0", "old1", "old2"]}
    again = read_calls(world)[before:]
    windows = [call for call in again if call.startswith(LISTS)]
    assert len(windows) == 5  # one page of each kind: cheap
    ((read_to,),) = world.state(
        "SELECT extract(epoch FROM min(read_to)) FROM contact_sync.suppression_reading"
    )
    for call in windows:
        begin = int(call.partition("start_time=")[2])
        assert begin <= float(read_to) - 600 + 1
    assert world.writes() == [f"POST {ASM}/groups/1/suppressions"]  # the test's own


def test_F14_what_was_lifted_is_seen_twice_to_be_gone_and_may_come_back(world: World) -> None:
    """By readings of everything; one page that shifts isn't enough. An address that is suppressed
    again is in force again, as of now."""
    group = one_of_each(world)
    world.redefine(suppressions={})
    world.run()
    at_sendgrid(world, "DELETE", f"{ASM}/suppressions/global/unsubscribe@example.com")
    at_sendgrid(world, "DELETE", f"{ASM}/groups/{group}/suppressions/group@example.com")
    at_sendgrid(world, "DELETE", f"{LISTS}/bounces/bounce@example.com")
    world.run()
    assert len(in_force(world)) == len(SuppressionKind)  # only what is new was asked for
    a_day_later = (
        "UPDATE contact_sync.suppression_reading SET whole_at = whole_at - interval '1 day'"
    )
    world.state(a_day_later)
    world.run()
    assert len(in_force(world)) == len(SuppressionKind)  # missed once
    world.run()
    left = {"block", "invalid", "spam_report"}
    assert in_force(world).keys() == left
    world.emulator.admin.suppress("bounce@example.com", kind="bounces")
    world.run()
    assert in_force(world).keys() == left | {"bounce"}
    again = """SELECT first_seen > (SELECT min(first_seen) FROM contact_sync.suppression)
               FROM contact_sync.suppression WHERE kind = 'bounce'"""
    assert world.state(again) == [(True,)]


def test_F15_a_key_that_may_not_read_them_fails_the_run_and_says_what_to_do(world: World) -> None:
    """Nobody is sent while it isn't known who may not be."""
    world.redefine(suppressions={})
    world.add("ann@example.com")
    world.emulator.admin.fault("GET", f"{LISTS}/bounces", status=403)
    with pytest.raises(AuthError, match="needs the scopes to read suppressions"):
        world.run()
    assert world.contacts() == {}
    world.run()
    assert "ann@example.com" in world.contacts()


def test_F13_the_command_lists_them(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, as JSON, as CSV; before the first reading it says what to do."""
    world.connect_airflow(monkeypatch)
    world.redefine(suppressions={})
    assert main(["suppressions", "demo"]) == 1
    assert "a block `suppressions: {}`" in capsys.readouterr().err
    group = one_of_each(world)
    world.run()
    assert main(["suppressions", "demo"]) == 0
    said = capsys.readouterr().out
    assert "unsubscribe@example.com: unsubscribed from everything since 14 Nov 2023" in said
    assert f"group@example.com: unsubscribed from a group {group} since" in said
    assert main(["suppressions", "demo", "--kind", "bounce", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["email"] for row in found["suppressions"]] == ["bounce@example.com"]
    assert main(["suppressions", "demo", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["kind"] for row in rows} == set(SuppressionKind)
    assert {row["group_id"] for row in rows} == {"", str(group)}
    assert main(["suppressions", "demo", "--csv", "--json"]) == 1


def test_F13_the_example_writes_them_into_a_table_and_again_without_a_difference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes the table that it names; what was lifted stays with its time."""
    world.connect_airflow(monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_SUPPRESSIONS_TARGET", world.b2core_url)
    path = ROOT / "docs" / "examples" / "suppressions_to_table.py"
    example = runpy.run_path(str(path))
    world.redefine(suppressions={})
    group = one_of_each(world)
    world.run()
    world.sql("CREATE SCHEMA crm")
    names = [example[name] for name in ("SYNC", "CONNECTION", "SCHEMA", "TABLE")]
    rows = "SELECT xmin::text, t.* FROM crm.sendgrid_suppressions AS t ORDER BY email"
    try:
        assert example["write_suppressions"](*names) == len(SuppressionKind)
        first = world.sql(rows)
        assert {(row[3], row[4]) for row in first if row[4]} == {("group_unsubscribe", group)}
        assert example["write_suppressions"](*names) == len(SuppressionKind)
        assert world.sql(rows) == first
        world.state("UPDATE contact_sync.suppression SET gone_at = now() WHERE kind = 'block'")
        example["write_suppressions"](*names)
        lifted = [row[2] for row in world.sql(rows) if row[-1]]
        assert lifted == ["block@example.com"]
    finally:
        world.sql("DROP SCHEMA crm CASCADE")
