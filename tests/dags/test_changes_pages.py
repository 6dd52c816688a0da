"""What a run changes, over HTTP: the list, its filters, its files, and who sees what."""

from __future__ import annotations

import io
import re

import pytest
from pyarrow import parquet

from contact_sync.web import changes_page
from tests.dags.test_lookup_pages import table
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.world import World

pytestmark = pytest.mark.airflow

PAGE = "/syncs/demo/runs/2/changes"


def changed(world: World) -> None:
    """Six clients in run 1; run 2 has one of each kind of change, with values."""
    world.redefine(changes={"values": "encrypted"})
    world.seed()
    world.run()
    world.change()
    world.run()


def test_T01_the_list_is_filtered_searched_and_turned_over(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By kind, field and client; an address is posted, and never in a link."""
    changed(connected)
    said = text("admin", PAGE)
    for part in ("of 2 of 2 changed clients", "address has changed", "batch 2, job", "confirmed"):
        assert part in said
    assert "clients/2" not in text("admin", f"{PAGE}?kind=moved")
    assert "clients/2" in text("admin", f"{PAGE}?kind=changed&field=city")
    assert "clients/1" not in text("admin", f"{PAGE}?kind=changed&field=city")
    found = client("admin").post(PAGE, data={"q": "moved@example.com"}, follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (303, f"{PAGE}?client=5")
    assert "clients/1" not in text("admin", f"{PAGE}?client=5")
    monkeypatch.setattr(changes_page, "ROWS", 1)
    link = re.search(r'href="([^"]*after_id[^"]*)"', text("admin", PAGE))
    assert link
    second = text("admin", link[1].replace("&amp;", "&"))
    assert "clients/2" in second
    assert "clients/1" not in second
    assert f'href="{PAGE}' in text("admin", "/syncs/demo/runs/2")
    assert client("admin").get("/syncs/demo/runs/99/changes").status_code == 404


def test_T02_values_and_addresses_show_to_who_may_see_them(connected: World) -> None:
    """On the page and in both files; the files have every row and the same columns."""
    changed(connected)
    assert client(None).get(PAGE).status_code == 401
    admin, viewer = text("admin", PAGE), text("viewer", PAGE)
    assert "<del>Zoë 1</del> → <ins>Ana</ins>" in admin
    assert "client1@example.com" in admin
    for part in ("Zoë", "Ana", "client1@", "moved@"):
        assert part not in viewer
    assert "first_name" in viewer
    assert client("viewer").post(PAGE, data={"q": "moved@example.com"}).status_code == 403
    rows = {(row["client_id"], row["kind"]): row for row in table("admin", f"{PAGE}.csv")}
    assert rows["2", "changed"]["before"] == "city: Zürich"
    assert rows["2", "changed"]["after"] == "city: Genève"
    assert {"email", "before"}.isdisjoint(table("viewer", f"{PAGE}.csv")[0])
    filed = parquet.read_table(io.BytesIO(client("admin").get(f"{PAGE}.parquet").content))
    assert filed.column_names == list(rows["2", "changed"])
    assert {(str(row["client_id"]), row["kind"]) for row in filed.to_pylist()} == set(rows)
    assert "before" not in parquet.read_table(
        io.BytesIO(client("viewer").get(f"{PAGE}.parquet").content)
    ).column_names  # fmt: skip


def test_T01_everybody_can_use_these_pages(connected: World) -> None:
    """In a real browser, with the pages' own styles; nothing is wider than a narrow window."""
    changed(connected)
    paths = (PAGE, f"{PAGE}?kind=rejected")
    assert_everybody_can_use(*(client("admin").get(path).text for path in paths))
