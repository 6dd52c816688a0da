"""The rows of phones and addresses in a look-up, as explain.sql of any source gives them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from contact_sync.base.moments import NO_MOMENT
from contact_sync.lookup.explain import explain_client
from contact_sync.reporting.explanation import Explanation
from contact_sync.reporting.explanation_text import text
from contact_sync.web.client_view import client_view
from tests.support.world import World


def explained(world: World, tmp_path: Path, columns: str) -> Explanation:
    """The look-up of a client with a phone, where explain.sql gives these columns."""
    client = world.add("ann@example.com", phone="+41790000001")
    world.sql_folder = Path(shutil.copytree(world.sql_folder, tmp_path / "b2core"))
    path = world.sql_folder / "explain.sql"
    path.write_text(f"SELECT {columns} FROM (\n{path.read_text(encoding='utf-8')}\n) AS e")
    world.run()
    with world.sync() as sync:
        return explain_client(sync, client)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("'infinity'::timestamptz", NO_MOMENT),
        ("'294276-01-01'::timestamp", NO_MOMENT),
        ("'0044-03-15 BC'::date", NO_MOMENT),
        ("'2024-03-15'::date", "15 Mar 2024, 00:00:00 UTC"),
        ("'2024-03-15 12:00'::timestamp", "15 Mar 2024, 12:00:00 UTC"),
        ("'2024-03-15 12:00+02'::timestamptz", "15 Mar 2024, 10:00:00 UTC"),
        ("'yesterday'::text", NO_MOMENT),
    ],
)
def test_B09_rows_with_any_time_of_change_are_shown(
    world: World, tmp_path: Path, at: str, shown: str
) -> None:
    """Of any type, and beyond any calendar, on the command line and on the page."""
    found = explained(
        world, tmp_path, f"part, place, row_id, label, phone, reason, {at} AS updated_at"
    )
    assert f", {shown}): +41790000001" in text(found)
    assert client_view(found, may_see=True).conclusion


def test_columns_that_explain_sql_lacks_are_named(world: World, tmp_path: Path) -> None:
    """The rest of the answer is there."""
    found = explained(world, tmp_path, "part, place, row_id, reason")
    assert "explain.sql gives no column label, updated_at: " in found.notes[0]
    assert found.choices == []
    assert found.email == "ann@example.com"
