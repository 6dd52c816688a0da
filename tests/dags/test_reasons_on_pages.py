"""Why clients aren't sent, on the pages: in words, and with the clients whom it concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from contact_sync.state.purging import SQL
from tests.dags.test_pages import text
from tests.support.consents import opt_out_column
from tests.support.world import World

pytestmark = pytest.mark.airflow

REFUSED = {"ann@example.com": "no such domain"}


def test_who_was_refused_before_is_found_from_the_runs_report(connected: World) -> None:
    """A run that doesn't send them again names them, and leads to the page that has all of them."""
    ann = connected.add("ann@example.com")
    connected.add("bob@example.com")
    connected.emulator.admin.settings(refused_emails=REFUSED)
    connected.run()
    run_id = connected.run("full")["id"]
    said = text("admin", f"/syncs/demo/runs/{run_id}")
    assert "SendGrid refused it before, and it hasn&#39;t changed since" in said
    assert f'href="/syncs/demo/clients/{ann}"' in said
    assert "rejected for it any more" not in said
    link = "/syncs/demo/rejected?field=contact&amp;reason=refused_before"
    assert f'href="{link}"' in said
    listed = text("admin", link.replace("&amp;", "&"))
    assert f'href="/syncs/demo/clients/{ann}"' in listed
    assert "SendGrid refused it: no such domain" in listed
    assert "refused_by_sendgrid" not in listed.replace("reason=refused_by_sendgrid", "")


def test_whom_a_run_refuses_is_not_said_to_have_been_refused_before(connected: World) -> None:
    """Each reason of the run has its own clients."""
    ann = connected.add("ann@example.com")
    connected.emulator.admin.settings(refused_emails=REFUSED)
    connected.run()
    connected.add("bob@example.com")
    connected.emulator.admin.settings(refused_emails={"bob@example.com": "bad luck"})
    said = text("admin", f"/syncs/demo/runs/{connected.run('full')['id']}")
    before, _, after = said.partition("SendGrid refused it before")
    row, _, _ = after.partition("</tr>")
    assert f"clients/{ann}" in row
    assert f"clients/{ann + 1}" not in row
    assert "SendGrid refused it: bad luck" in said
    assert f"clients/{ann + 1}" in before + after


def test_a_clients_exclusion_by_its_address_is_told_in_words(
    connected: World, tmp_path: Path
) -> None:
    """Of two clients with one address one has opted out: both have a reason that can be read."""
    connected.sql_folder = opt_out_column(connected.sql_folder, tmp_path / "b2core")
    connected.add("ann@example.com", last_name="opted out")
    connected.add("ann@example.com")
    said = text("admin", f"/syncs/demo/runs/{connected.run()['id']}")
    assert "excluded_address" not in said
    assert "a client with the same address is excluded" in said
    assert "B2CORE excludes it: no consent" in said


def test_a_runs_examples_are_those_that_it_rejected_itself(connected: World) -> None:
    """Also of a dry run before the first load; who is well again since then is told so; and who is
    erased is named by no run."""
    bad = connected.add("no address")
    connected.add("ann@example.com")
    trial = f"/syncs/demo/runs/{connected.run('full', dry_run=True)['id']}"
    first = f"/syncs/demo/runs/{connected.run('full')['id']}"
    connected.edit(bad, email="good@example.com")
    other = connected.add("none either")
    second = f"/syncs/demo/runs/{connected.run('full')['id']}"
    link = 'href="/syncs/demo/clients/{}"'
    for page in (trial, first):
        said = text("admin", page)
        assert link.format(bad) in said
        assert link.format(other) not in said
    assert "(not any more)" in text("admin", first)
    assert link.format(other) in text("admin", second)
    with connected.sync() as sync, sync.state.transaction() as cursor:
        cursor.execute(SQL["purge_examples"], {"sync_id": 1, "client_ids": [bad]})
    assert link.format(bad) not in text("admin", trial) + text("admin", first)
