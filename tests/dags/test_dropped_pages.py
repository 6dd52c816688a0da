"""The values that don't fit, over HTTP: the list, its file, and what other pages say of them."""

from __future__ import annotations

import pytest

from contact_sync.web import dropped_page
from tests.dags.test_lookup_pages import table
from tests.dags.test_pages import DEAD, client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.world import World

pytestmark = pytest.mark.airflow

PAGE, FILE = "/syncs/demo/dropped", "/syncs/demo/dropped.csv"
LONG = "Secret" * 10


def loaded(world: World) -> tuple[int, int]:
    """Two clients with three values that don't fit, and one whose values do."""
    ann = world.add("ann@example.com", phone="call me", first_name=LONG)
    bob = world.add("bob@example.com", phone="not me")
    world.add("cleo@example.com", phone="+41790000001")
    world.run()
    return ann, bob


def test_B20_only_who_may_read_the_sync_sees_them(connected: World) -> None:
    """401 without a token; addresses only for who may read the B2CORE connection."""
    loaded(connected)
    for path in (PAGE, FILE):
        assert client(None).get(path).status_code == 401
        assert client("admin").get(path.replace("demo", "none")).status_code == 404
    said = text("viewer", PAGE)
    assert "a***@e***.com" in said
    assert "ann@" not in said
    assert "email" not in table("viewer", FILE)[0]


def test_B20_dropped_values_by_reason_page_and_file(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids, fields, reasons and times; never a value. A filter holds for the file, too."""
    assert "Every value fits its field" in text("admin", PAGE)
    assert table("admin", FILE) == []
    ann, bob = loaded(connected)
    said = text("admin", PAGE)
    for part in ("no phone number", "too long", f"clients/{ann}", "ann@example.com", "Since"):
        assert part in said
    assert LONG not in said
    assert "call me" not in said
    monkeypatch.setattr(dropped_page, "ROWS", 1)
    link = f"{PAGE}?after={ann}&amp;after_field=first_name"
    assert f'href="{link}"' in text("admin", PAGE)
    second = text("admin", link.replace("&amp;", "&"))
    assert f"clients/{ann}" in second
    assert f"clients/{bob}" not in second
    last = text("admin", f"{PAGE}?after={ann}&after_field=phone_number")
    assert f"clients/{bob}" in last
    assert "Next page" not in last
    rows = table("admin", FILE)
    assert [(r["client_id"], r["email"], r["field"], r["reason"]) for r in rows] == [
        (str(ann), "ann@example.com", "first_name", "too long"),
        (str(ann), "ann@example.com", "phone_number", "no phone number"),
        (str(bob), "bob@example.com", "phone_number", "no phone number"),
    ]
    assert all(r["since"] for r in rows)
    only = "?field=phone_number&reason=no_number"
    assert [r["client_id"] for r in table("admin", FILE + only)] == [str(ann), str(bob)]
    assert "Only phone_number: no phone number" in text("admin", PAGE + only)
    assert "No more of them" in text("admin", f"{PAGE}?field=city&reason=too_long")


def test_B20_a_b2core_that_is_away_hides_addresses_only(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is the state database's; the file, which would lack them, says what is wrong."""
    ann, _ = loaded(connected)
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", DEAD)
    said = text("admin", PAGE)
    assert "Addresses can't be shown" in said.replace("&#39;", "'")
    assert f"clients/{ann}" in said
    assert client("admin").get(FILE).status_code == 503


def test_B20_the_pages_of_runs_sync_and_client_lead_there(connected: World) -> None:
    """Stock and flow of each run, whomever it looked at; since when of each value."""
    ann, _ = loaded(connected)
    link = f'href="{PAGE}?field=phone_number&amp;reason=no_number"'
    first = text("admin", "/syncs/demo/runs/1")
    assert "3 values are left out, cut or rounded, 3 of them new." in first
    assert "New values that don&#39;t fit their fields: 3." in first
    assert f'<a {link}>phone_number: no phone number</a></th> <td class="n">2</td>' in first
    run_id = connected.run()["id"]
    assert connected.report(run_id)["counts"].get("read", 0) == 0
    later = text("admin", f"/syncs/demo/runs/{run_id}")
    assert "3 values are left out, cut or rounded, 0 of them new." in later
    assert "Nothing. Every client&#39;s fate is known." in later
    assert link in later
    dry = text("admin", f"/syncs/demo/runs/{connected.run('full', dry_run=True)['id']}")
    assert "3 values are left out, cut or rounded." in dry
    assert "of the clients that the run read" in dry
    assert f'<a href="{PAGE}">3</a>' in text("admin", "/syncs/demo")
    page = text("admin", f"/syncs/demo/clients/{ann}")
    assert 'left out: no phone number</span> <span class="quiet">since <time' in page


def test_B20_everybody_can_use_these_pages(connected: World) -> None:
    """In a real browser, with the pages' own styles; nothing is wider than a narrow window."""
    ann, _ = loaded(connected)
    paths = [PAGE, f"{PAGE}?field=city&reason=too_long", "/syncs/demo", "/syncs/demo/runs/1",
             f"/syncs/demo/clients/{ann}"]  # fmt: skip
    assert_everybody_can_use(*(client("admin").get(path).text for path in paths))
