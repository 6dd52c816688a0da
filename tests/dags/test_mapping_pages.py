"""The form of a sync over HTTP: who is offered it, what it shows, and the file that it makes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow.models.connection import Connection
from airflow.utils.session import create_session

from contact_sync.base.paths import INCLUDE
from contact_sync.config.parse import parse_definition
from contact_sync.sendgrid.transport import Limits
from contact_sync.web import admission
from tests.dags.test_pages import DEAD, client, text
from tests.support.posted_form import Pairs, definition_of, encoded, filled, options_of
from tests.support.world import LIST_NAME, World

pytestmark = pytest.mark.airflow

NEW, MAPPING = "/new", "/syncs/demo/mapping"
NO_SENDGRID = '{"conn_type": "sendgrid", "host": "http://127.0.0.1:9", "password": "SG.x"}'


def post(path: str, pairs: Pairs, do: str, role: str = "admin") -> Any:
    """Press a button of the form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return client(role).post(path, content=encoded([*pairs, ("do", do)]), headers=headers)


@pytest.fixture
def own_include(connected: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of include/, to see that nothing is written there."""
    shutil.copytree(INCLUDE, tmp_path / "include")
    monkeypatch.setattr("contact_sync.config.files.INCLUDE", tmp_path / "include")
    return tmp_path / "include"


def test_whoever_may_not_edit_connections_is_told_why_there_is_no_form(connected: World) -> None:
    """A sentence instead of a form, for what is posted too; no button leads there."""
    for path in (NEW, MAPPING):
        assert "may edit connections in Airflow" in text("viewer", path, 403)
        assert post(path, [("name", "x")], "check", role="viewer").status_code == 403
        assert client(None).get(path).status_code == 401
        elsewhere = {"Origin": "https://elsewhere.example"}
        assert client("admin").post(path, headers=elsewhere).status_code == 403
    assert 'href="/new"' not in text("viewer", "/syncs")
    assert "whoever may edit connections" in text("viewer", "/syncs")
    assert 'href="/new"' in text("admin", "/syncs")
    assert 'href="/syncs/demo/mapping"' in text("admin", "/syncs/demo")
    assert text("admin", "/syncs/gone/mapping", 404)


def test_a_new_sync_is_made_of_what_both_sides_have(connected: World) -> None:
    """Connections, then proposals and masked samples, then the checked definition as a file."""
    connected.add("ann@example.com", first_name="Zoë", phone="+41790000001")
    first = text("admin", NEW)
    assert "Country of phone numbers" not in first
    assert '<option value="b2core_default" selected>' in first
    assert "statements that are there" in first
    looked = post(NEW, filled(first, name="west", caption="West"), "look").text
    for part in ("a***@e***.com", "Z***", "+4***", "Text, custom", "status (text)"):
        assert part in looked
    for value in ("ann@", "Zoë", "+41790000001"):
        assert value not in looked
    pairs = filled(looked, city="city", Jurisdiction="")
    assert ("list", LIST_NAME) in pairs
    checked = post(NEW, pairs, "check").text
    made = parse_definition(definition_of(checked), "west.yaml")
    assert (made.name, made.list, made.fields["Status"].column) == ("west", LIST_NAME, "status")
    assert {"phone_number", "city"} <= set(made.fields)
    assert "Jurisdiction" not in made.fields
    assert "What was looked at is right" in checked
    assert "python -m contact_sync validate west --connect" in checked
    file = post(NEW, filled(checked), "download")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''west.yaml"
    assert file.text == definition_of(checked)


def test_the_mapping_changes_the_present_file_and_nothing_on_the_server(own_include: Path) -> None:
    """Comments and what the form doesn't have stay; the difference shows line by line."""
    path = own_include / "syncs" / "démo 1.yml"  # a name of its own
    (own_include / "syncs" / "demo.yaml").rename(path)
    before = path.read_text()
    shown = client("admin").get(MAPPING).text
    same = post(MAPPING, filled(shown), "check").text
    assert definition_of(same) == before
    assert "is exactly this" in same
    said = post(MAPPING, filled(shown, city="", schedule="@hourly", name="other"), "check").text
    after = definition_of(said)
    assert after == before.replace("  city: city\n", "").replace("null  ", "'@hourly'  ", 1)
    assert '<span class="removed">-  city: city' in said
    assert '<span class="added">+schedule: &#39;@hourly&#39;' in said
    assert path.read_text() == before
    file = post(MAPPING, filled(shown), "download")
    assert file.headers["content-disposition"].endswith("UTF-8''d%C3%A9mo%201.yml")
    left = {each.name for each in path.parent.iterdir()} - {path.name}
    assert left == {each.name for each in (INCLUDE / "syncs").iterdir()} - {"demo.yaml"}


def test_what_is_wrong_is_said_beside_the_form(connected: World) -> None:
    """Every key in words, what SendGrid lacks with the command that creates it, a taken name."""
    shown = post(NEW, filled(text("admin", NEW), name="west", caption="West"), "look").text
    wrong = filled(shown, name="Not", schedule="every day", full_every_hours="many", email="")
    answer = post(NEW, wrong, "download")
    assert answer.status_code == 422
    for part in (
        "Not.yaml: name: String should match", "full_every_hours: Input should be",
        "field &#39;email&#39; has no column", 'value="every day"',
    ):  # fmt: skip
        assert part in answer.text
    pairs = filled(shown, name="demo", list_typed="Nobody's list")
    blank = pairs.index(("field", ""))
    pairs[blank : blank + 2] = [("field", "Registered"), ("column", "status")]
    said = post(NEW, pairs, "check").text
    for part in (
        "there is a sync &#39;demo&#39; already",
        "SendGrid has no list &#34;Nobody&#39;s list&#34;",
        "SendGrid has no field &#39;Registered&#39;",
        "python -m contact_sync fields demo --create",
        "missing, create it as Text",
    ):
        assert part in said
    row = [("field", "STATUS"), ("column", "city"), ("on_bad_value", "drop"),
           ("on_too_long", "cut")]  # fmt: skip
    assert "there twice: status" in post(NEW, [*pairs, *row], "check").text
    assert post(NEW, [*pairs, ("field", "alone")], "check").status_code == 422
    assert post(NEW, [("name", "x" * admission.MAX_BODY)], "check").status_code == 413


def test_a_side_that_is_away_leaves_names_to_be_typed(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form works, says so, and gives the definition with what was typed."""
    quick = Limits(answer_seconds=1, retry_seconds=0)
    monkeypatch.setattr("contact_sync.airflow_edge.handles.PAGE_LIMITS", quick)
    monkeypatch.setenv("AIRFLOW_CONN_SENDGRID_DEFAULT", NO_SENDGRID)
    shown = text("admin", MAPPING)
    assert "SendGrid can&#39;t be asked, so type names of lists and fields" in shown
    assert '<input id="f-list" name="list" value="B2CORE clients"' in shown
    said = post(MAPPING, filled(shown, list="Typed"), "check").text
    assert parse_definition(definition_of(said), "demo.yaml").list == "Typed"
    monkeypatch.setenv("AIRFLOW_CONN_B2CORE_DEFAULT", DEAD)
    shown = text("admin", MAPPING)
    assert "B2CORE gave no columns" in shown
    assert 'value="city" aria-label="Column for city"' in shown
    said = post(MAPPING, filled(shown, city="town"), "check").text
    assert parse_definition(definition_of(said), "demo.yaml").fields["city"].column == "town"


def test_only_connections_that_the_viewer_may_edit_are_looked_through(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not offered, and refused when typed; the rest of the form works."""
    monkeypatch.setattr(
        "contact_sync.airflow_edge.access.Viewer.may_edit_connection",
        lambda _self, conn_id: conn_id != "sendgrid_default",
    )
    before = len(connected.emulator.admin.calls())
    shown = text("admin", MAPPING)
    assert "Airflow doesn&#39;t let you edit the connection &#39;sendgrid_default&#39;" in shown
    assert "sendgrid_default (Airflow lists no such one)" in shown
    assert "status (text)" in shown
    assert len(connected.emulator.admin.calls()) == before


def test_connections_of_airflows_database_and_of_variables_are_offered_by_type(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL for both databases, SendGrid for the account; what can't be read isn't offered."""
    monkeypatch.setenv("AIRFLOW_CONN_OTHER_ACCOUNT", NO_SENDGRID)
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", "{")
    stored = [Connection("stored_db", "postgres"), Connection("stored_hook", "http")]
    with create_session() as session:
        session.add_all(stored)
    try:
        pairs = options_of(text("admin", NEW))
    finally:
        with create_session() as session:
            for row in session.query(Connection).filter(Connection.conn_id.like("stored_%")):
                session.delete(row)
    databases = {"b2core_default", "contact_sync_state", "stored_db"}
    assert databases <= pairs["b2core"] == pairs["state"]
    assert {"other_account", "sendgrid_default"} <= pairs["sendgrid"]
    assert not {"stored_hook", "broken"} & (pairs["b2core"] | pairs["sendgrid"])
    assert not databases & pairs["sendgrid"]
    assert pairs["sql"] == {"b2core"}


def test_statements_that_take_long_cost_the_samples_only(
    own_include: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look is given up, the columns and the form are there."""
    endless = "SELECT 1::bigint AS client_id, pg_sleep(60)::text AS email, NULL::text AS exclusion"
    (own_include / "sql" / "b2core" / "scan.sql").write_text(endless)
    monkeypatch.setattr("contact_sync.airflow_edge.handles.PAGE_SECONDS", 1)
    shown = text("admin", MAPPING)
    assert "B2CORE gave no samples" in shown
    assert "status (text)" in shown


def test_a_hundred_fields_and_a_thousand_lists_fit(connected: World) -> None:
    """All can be chosen, and the form comes back whole."""
    for n in range(80):
        connected.emulator.admin.create_field(f"F{n}", "Text")
    for n in range(999):
        connected.emulator.admin.create_list(f"List {n:03}")
    shown = text("admin", MAPPING)
    assert shown.count(">List 99") == 9
    said = post(MAPPING, filled(shown, list="List 998", F79="status"), "check").text
    made = parse_definition(definition_of(said), "demo.yaml")
    assert (made.list, made.fields["F79"].column) == ("List 998", "status")
