"""What a full run would send, before it is started: the page, and the trigger form's picture."""

from __future__ import annotations

import pytest

from contact_sync.airflow_edge.trigger_form import params
from contact_sync.config.files import read_definition
from contact_sync.run.context import definition_hash
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.world import World

pytestmark = pytest.mark.airflow
PAGE = "/syncs/demo/full-run"


def test_T05_before_a_full_run_the_page_says_what_it_would_send(connected: World) -> None:
    """Counted now: what waits, and rows written in B2CORE since; then from a dry run, with its age,
    and what was written since that; the button is for who may start runs."""
    assert "would be the first load: it sends every client" in text("admin", PAGE)
    connected.add_clients(4)
    connected.run()
    connected.state(
        "UPDATE contact_sync.ledger SET state = 'pending', reason = 'fate_unknown', row_hash = NULL"
        " WHERE client_id = 1"
    )
    connected.sql("UPDATE b2core.clients SET first_name = 'All' WHERE id IN (1, 2)")
    said = text("admin", PAGE)
    assert "would send about 1 to 3 contacts (0 new, 1 to 3 changed, 0 removed)" in said
    assert "Counted now from what the sync knows" in said
    assert "2 rows written into B2CORE&#39;s tables (b2core.clients) make" in said
    assert "Start the full run" in said
    assert "Start the full run" not in text("viewer", PAGE)
    assert client(None).get(PAGE).status_code == 401
    assert client(None).get(f"{PAGE}.svg").status_code == 401

    dry = connected.run("full", dry_run=True)["id"]
    connected.sql("DELETE FROM b2core.clients WHERE id = 4")
    said = text("admin", PAGE)
    assert "would send about 2 contacts (0 new, 2 changed, 0 to 1 removed)" in said
    assert f"The plan of dry run {dry}, 0 minutes old" in said
    assert f'href="/syncs/demo/runs/{dry}/plan">Its plan' in said
    picture = client("viewer").get(f"{PAGE}.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "would send about 2 contacts (0 new, 2 changed" in picture.text
    connected.run()
    assert "Counted now" in text("admin", PAGE)  # the dry run is out of date
    assert_everybody_can_use(client("admin").get(PAGE).text)


def test_T05_the_page_says_what_it_cannot_know(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edited definition, a ledger that isn't believed, and B2CORE that can't be asked: the
    numbers are a floor then, and named as such."""
    connected.add_clients(2)
    connected.run()
    edition = definition_hash(read_definition("demo"))
    connected.state("UPDATE contact_sync.run SET definition_hash = %s", edition)
    assert "was edited" not in text("admin", PAGE)
    connected.state("UPDATE contact_sync.run SET definition_hash = 'another'")
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", "postgresql://nobody@127.0.0.1:9/none")
    said = text("admin", PAGE)
    assert "would send at least 0 contacts (0 new, 0 changed, 0 removed)" in said
    assert "What has changed in B2CORE isn&#39;t in it: " in said
    assert "The definition was edited since the last run" in said
    connected.state(
        "UPDATE contact_sync.sync SET unproven = 'state_restored', unproven_since = now()"
    )
    assert "would send every contact again" in text("admin", PAGE)


def test_T05_the_trigger_form_shows_a_picture_of_the_answer() -> None:
    """Nothing that is asked of a database when the DAG is parsed; and a link to it as text."""
    said = params("demo")["mode"].schema["description_md"]
    assert "](/contact-sync/syncs/demo/full-run.svg)" in said
    assert "/contact-sync/syncs/demo/full-run)" in said
