"""The look-up and the rejected clients over HTTP: what shows, and to whom."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from contact_sync.web import rejected_page
from tests.dags.test_pages import DEAD, client, text
from tests.support.world import World

pytestmark = pytest.mark.airflow

SYNC = "/syncs/demo"
RETRY = f"{SYNC}/rejected/retry"
PAGES = [f"{SYNC}/clients", f"{SYNC}/clients/1", f"{SYNC}/rejected", f"{SYNC}/rejected.csv"]


def loaded(world: World) -> None:
    """Two clients share an address, one has a formula for one, one has none."""
    world.add("ann@example.com", phone="+41790000001", address={"city": "Zürich"})
    world.add("ANN@example.com", first_name="Zoë")
    world.add('=HYPERLINK("http://example.com")')
    world.add(None)
    world.run()


def table(role: str, path: str) -> list[dict[str, Any]]:
    """The rows of a CSV file."""
    answer = client(role).get(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text), strict=True))


@pytest.mark.parametrize("path", PAGES)
def test_without_a_token_nothing_shows(connected: World, path: str) -> None:
    """401, for what is posted too."""
    assert client(None).get(path).status_code == 401
    assert client(None).post(RETRY).status_code == 401
    assert client(None).post(PAGES[0], data={"q": "1"}).status_code == 401


def test_an_address_leads_to_its_clients_and_an_id_to_its_own(connected: World) -> None:
    """An address is posted, never part of a URL: Airflow logs those."""
    loaded(connected)
    connected.add("bob@example.com")
    visitor = client("admin")
    shared = visitor.post(PAGES[0], data={"q": " Ann@EXAMPLE.com"})
    assert "2 clients match this address" in shared.text
    for q, target in (("bob@example.com", 5), (" 2 ", 2)):
        found = visitor.post(PAGES[0], data={"q": q}, follow_redirects=False)
        assert (found.status_code, found.headers["location"]) == (303, f"{SYNC}/clients/{target}")
    assert visitor.get(f"{PAGES[0]}?q=2").url.path == f"{SYNC}/clients/2"
    assert "isn&#39;t taken from a link" in text("admin", f"{PAGES[0]}?q=a%40b.example", 422)
    for q in ("nobody@example.com", "@"):
        assert visitor.post(PAGES[0], data={"q": q}).status_code == 404
    assert visitor.post(PAGES[0], data={"q": str(10**30)}).status_code == 422
    assert "Neither B2CORE nor this sync knows client 99" in text("admin", f"{PAGES[0]}/99", 404)
    assert "No client can have the id" in text("admin", f"{PAGES[0]}/{2**63}", 404)


def test_the_look_up_shows_both_sides(connected: World) -> None:
    """The sentence, the rows that won, the job; what SendGrid holds only when asked."""
    loaded(connected)
    said = text("admin", f"{PAGES[0]}/2?live=on")
    for part in (
        "SendGrid has confirmed exactly this content",
        '<td class="long">ANN@example.com</td> <td class="long">ann@example.com</td>',
        "SendGrid has the contact, on the sync&#39;s list",
        "Who else has this address?",
        'href="/syncs/demo/runs/1"',
    ):
        assert part in said
    everybody = client("admin").post(PAGES[0], data={"q": "ann@example.com", "every": "on"})
    assert "2 clients match this address" in everybody.text
    before = len(connected.emulator.admin.calls())
    assert "because client 2, which is newer" in text("admin", f"{PAGES[0]}/1")
    assert len(connected.emulator.admin.calls()) == before
    assert "the only one" in text("admin", f"{PAGES[0]}/1")


def test_who_may_not_read_the_b2core_connection_sees_no_value(connected: World) -> None:
    """States and reasons, by id only."""
    loaded(connected)
    said = text("viewer", f"{PAGES[0]}/2?live=on")
    assert "SendGrid has confirmed exactly this content" in said
    assert "a***@e***.com" in said
    for value in ("ann@", "Zoë", "ANN@"):
        assert value not in said
    assert "Zürich" not in text("viewer", f"{PAGES[0]}/1")
    asked = client("viewer").post(PAGES[0], data={"q": "ann@example.com"})
    assert asked.status_code == 403
    assert "HYPERLINK" not in text("viewer", PAGES[2])
    assert "email" not in table("viewer", PAGES[3])[0]


def test_rejected_clients_by_reason_page_and_file(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses are B2CORE's; no cell of the file is a formula; a filter holds for the file too."""
    assert "No client is rejected" in text("admin", PAGES[2])
    assert table("admin", PAGES[3]) == []
    loaded(connected)
    said = text("admin", PAGES[2])
    for part in ("HYPERLINK", "not valid", "missing", "Retry rejected", "clients/3"):
        assert part in said
    monkeypatch.setattr(rejected_page, "ROWS", 1)
    assert "Next page" in text("admin", PAGES[2])
    assert "clients/4" not in text("admin", PAGES[2])
    assert "clients/4" in text("admin", f"{PAGES[2]}?after=3")
    assert "Next page" not in text("admin", f"{PAGES[2]}?after=3")
    rows = table("admin", PAGES[3])
    assert [(r["client_id"], r["email"], r["reason"], r["tries"]) for r in rows] == [
        ("3", '\'=HYPERLINK("http://example.com")', "not valid", "1"),
        ("4", "", "missing", "1"),
    ]
    assert all(r["first_seen"] and r["last_seen"] for r in rows)
    assert [r["client_id"] for r in table("admin", f"{PAGES[3]}?reason=missing")] == ["4"]
    assert "clients/3" not in text("admin", f"{PAGES[2]}?field=email&reason=missing")


def test_clients_are_shown_and_found_by_their_keys(connected: World) -> None:
    """On lists, in files, on the client's page and in a run's report; ids may be negative."""
    good, bad = connected.add("ann@example.com"), connected.add(None)
    connected.sql("UPDATE b2core.clients SET id = -id")
    connected.run()
    connected.state(
        """INSERT INTO contact_sync.client_key
           SELECT sync_id, client_id, 'C-' || -client_id FROM contact_sync.ledger"""
    )
    assert f'clients/-{bad}">C-{bad}</a>' in text("admin", PAGES[2])
    assert f'clients/-{bad}">client C-{bad}</a>' in text("admin", f"{SYNC}/runs/1")
    (row,) = table("admin", PAGES[3])
    assert (row["client_id"], row["client_key"]) == (f"-{bad}", f"C-{bad}")
    assert f"Client C-{good} (-{good})" in text("admin", f"{PAGES[0]}/-{good}")
    visitor = client("viewer")
    destination = "jsonb_set(destination, '{mapping,has_client_key}', 'true')"
    connected.state(f"UPDATE contact_sync.run SET destination = {destination}")
    connected.state(f"UPDATE contact_sync.sync SET destination = {destination}")
    for q in (f"C-{good}", f" -{good}"):
        found = visitor.post(PAGES[0], data={"q": q}, follow_redirects=False)
        assert (found.status_code, found.headers["location"]) == (303, f"{PAGES[0]}/-{good}")
    nobody = visitor.post(PAGES[0], data={"q": "C-99"})
    assert (nobody.status_code, "No client has this key or id" in nobody.text) == (422, True)


def test_a_b2core_that_is_away_hides_addresses_only(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is the state database's; the file, which would lack them, says what is wrong."""
    loaded(connected)
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", DEAD)
    said = text("admin", PAGES[2])
    assert "Addresses can't be shown: B2CORE&#39;s database can&#39;t be reached" in said
    assert "clients/3" in said
    assert client("admin").get(PAGES[3]).status_code == 503
    assert client("admin").get(f"{PAGES[0]}/1").status_code == 503


def test_only_our_own_page_may_start_a_run_and_only_for_who_may(connected: World) -> None:
    """A viewer has no button and gets 403; so does a form of another site, whoever is logged in."""
    loaded(connected)
    assert "Retry rejected" not in text("viewer", PAGES[2])
    refused = client("viewer").post(RETRY)
    assert refused.status_code == 403
    assert "Airflow doesn&#39;t let you start runs of this DAG" in refused.text
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
    ):
        assert "from another site" in client("admin").post(RETRY, headers=headers).text
    assert client("admin").get(RETRY).status_code == 405
