"""The clients with something to do, over HTTP: by reason, one by one, as a file, sent again."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from pyarrow.parquet import read_table

from contact_sync.web import to_do_page
from tests.dags.test_lookup_pages import table
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.world import World

pytestmark = pytest.mark.airflow

PAGE = "/syncs/demo/to-do"


def some_of_each(world: World) -> None:
    """Rejected (1, 2), dropped (3), excluded (4), held (6, 7); 5 is as it should be."""
    world.redefine(limits={"removals": {"contacts": 1, "share": 0.0}})
    world.add("ann@example.com")
    world.add("not an address")
    world.add("cleo@example.com", phone="call me")
    world.add("dan@example.com")
    world.add("eve@example.com")
    world.add("fay@example.com")
    world.add("gus@example.com")
    world.refuse("ann@example.com")
    world.run()
    world.delete_at_sendgrid(f"contacts?ids={world.contacts()['dan@example.com']['id']}")
    world.edit(4, first_name="Dan")
    world.state("UPDATE contact_sync.batch SET settled_at = settled_at - interval '1 hour'")
    while "dan@example.com" in world.contacts():
        time.sleep(0.02)
    world.sql("DELETE FROM b2core.clients WHERE id > 5")
    world.run("full")


def test_T04_all_of_them_are_on_one_page_by_reason(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With since when, tries, what helps, and the runs that changed them; the file has the same."""
    assert "There is nothing to do" in text("admin", PAGE)
    assert client(None).get(PAGE).status_code == 401
    some_of_each(connected)
    said = text("admin", PAGE)
    for part in (
        "SendGrid refused it", "email: not valid", "phone_number: no phone number",
        "a person deleted its contact", "removal held", "ann@example.com", "runs/1\">run 1</a>",
    ):  # fmt: skip
        assert part in said
    found = {(row["client_id"], row["what"]) for row in table("admin", f"{PAGE}.csv")}
    assert found == {
        ("1", "rejected"), ("2", "rejected"), ("3", "value dropped or cut"), ("4", "excluded"),
        ("6", "removal held"), ("7", "removal held"),
    }  # fmt: skip
    rows = table("admin", f"{PAGE}.csv")
    assert all(row["what helps"] and row["since"] for row in rows)
    tries = {row["client_id"]: row["next_try"] for row in rows}
    first = datetime.fromisoformat(rows[0]["since"])
    assert datetime.fromisoformat(tries["1"]) - first >= timedelta(hours=24)
    assert not tries["2"]  # only when its address is corrected
    assert 'from <time datetime="' in said
    assert "<td>when it changes</td>" in said
    viewer = text("viewer", PAGE)
    assert "ann@" not in viewer
    assert "Send again" not in viewer
    only = text("admin", f"{PAGE}?what=held")
    assert "clients/6" in only
    assert "clients/1" not in only
    monkeypatch.setattr(to_do_page, "ROWS", 2)
    link = re.search(r'href="([^"]*after_id[^"]*)" rel="next"', text("admin", PAGE))
    assert link
    assert "clients/3" in text("admin", link[1].replace("&amp;", "&"))


def test_T04_every_list_is_a_file_of_both_kinds(connected: World) -> None:
    """The same rows as CSV and as Parquet, of the filter that the page has; no address for whom it
    is masked."""
    some_of_each(connected)
    for path, query, ids in (
        (PAGE, "?what=held", ["6", "7"]),
        (PAGE, "?what=rejected&field=email", ["2"]),
        ("/syncs/demo/rejected", "?reason=invalid", ["2"]),
        ("/syncs/demo/dropped", "", ["3"]),
        ("/syncs/demo/runs/2/changes", "?kind=absent", ["6", "7"]),
    ):
        rows = table("admin", f"{path}.csv{query}")
        assert [row["client_id"] for row in rows] == ids, path
        if not path.endswith("changes"):
            shown = text("admin", path + query).replace("&amp;", "&")
            assert f'href="{path}.csv{query}"' in shown
            assert f'href="{path}.parquet{query}"' in shown
        found = parquet("admin", f"{path}.parquet{query}")
        assert [{name: str(v or "") for name, v in row.items()} for row in found] == rows
        assert "email" in rows[0]
        assert "email" not in table("viewer", f"{path}.csv{query}")[0]
        assert "email" not in parquet("viewer", f"{path}.parquet{query}")[0]


def parquet(role: str, path: str) -> list[dict[str, Any]]:
    """The rows of a Parquet file."""
    answer = client(role).get(path)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    found: list[dict[str, Any]] = read_table(BytesIO(answer.content)).to_pylist()
    return found


def test_T04_some_are_sent_again_by_a_click(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a reason, or one; only where it can help, by who may start runs, from our pages."""
    some_of_each(connected)
    started: list[dict[str, Any]] = []

    def start(_request: Any, _viewer: Any, _dag_id: str, conf: dict[str, Any]) -> Any:
        started.append(conf)
        return type("Started", (), {"run_id": "manual__1"})

    monkeypatch.setattr("contact_sync.airflow_edge.start_dag_run.start_dag_run", start)

    def post(role: str = "admin", **form: str) -> int:
        answer = client(role).post(PAGE, data=form, follow_redirects=False)
        return answer.status_code

    assert post(what="rejected", field="email", reason="invalid") == 303
    assert post(what="rejected", client_id="1") == 303
    assert post(what="excluded", reason="removed_by_hand") == 303
    assert post(what="excluded", reason="excluded_by_b2core") == 422
    assert post(what="rejected", client_id="5") == 404
    assert post("viewer", what="rejected", client_id="1") == 403
    foreign = {"sec-fetch-site": "cross-site"}
    assert client("admin").post(PAGE, data={"what": "held"}, headers=foreign).status_code == 403
    assert [(c["clients"], c.get("retry_rejected"), c.get("mode")) for c in started] == [
        (["2"], True, None), (["1"], True, None), (["4"], None, "resend"),
    ]  # fmt: skip
    connected.run(retry_rejected=True, only=(1,))
    connected.run("resend", only=(4,))
    assert connected.fates()[1] == connected.fates()[4] == "confirmed"


def test_T04_everybody_can_use_the_page(connected: World) -> None:
    """In a real browser, with the pages' own styles; nothing is wider than a narrow window."""
    some_of_each(connected)
    assert_everybody_can_use(client("admin").get(PAGE).text)
