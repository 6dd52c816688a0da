"""The page of a verification, over HTTP: its certificate, what isn't equal, and its file."""

from __future__ import annotations

import pytest

from contact_sync.web import verification_page
from tests.dags.test_lookup_pages import table
from tests.dags.test_pages import client, text
from tests.support.accessible import assert_everybody_can_use
from tests.support.findings import verified
from tests.support.world import World

pytestmark = pytest.mark.airflow

PAGE, FILE = "/syncs/demo/verification", "/syncs/demo/verification.csv"


def loaded(world: World) -> int:
    """A client whose contact differs, and a contact that was never ours."""
    ann = world.add("ann@example.com")
    world.run()
    number = verified(
        world, ("different", ann, "ann@example.com"), ("foreign_on_list", None, "eve@example.com"),
        fields=["city", "first_name"],
    )  # fmt: skip
    world.state("UPDATE contact_sync.finding SET email = NULL WHERE client_id IS NOT NULL")
    world.state("INSERT INTO contact_sync.client_key VALUES (1, %s, 'key-of-ann')", ann)
    world.state(
        """UPDATE contact_sync.verification SET read_at = now(), export_hash = 'abc', counts =
           '{"compared": 1, "different": 1, "foreign_on_list": 1}' WHERE verification_id = %s""",
        number,
    )
    return ann


def test_V06_the_page_says_what_is_not_equal_by_client(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the sync's page leads there; the file has the same rows."""
    assert "No verification of this sync has come to its end" in text("admin", PAGE)
    assert client("admin").get(FILE).status_code == 404
    ann = loaded(connected)
    said = text("admin", PAGE)
    for part in ("Not equal as of", "1 contact compared", f"clients/{ann}", "key-of-ann",
                 "ann@example.com",
                 "contact has other values", "city, first_name", "eve@example.com",
                 "Nothing is repaired yet"):  # fmt: skip
        assert part in said
    assert "eve@" not in text("admin", f"{PAGE}?verdict=different")
    assert client("admin").get(f"{PAGE}?verdict=made_up").status_code == 404
    assert "never verified" not in text("admin", "/syncs/demo")
    assert PAGE in text("admin", "/syncs/demo")
    link = f'href="{FILE}?verdict=different"'
    assert link in text("admin", f"{PAGE}?verdict=different")
    assert [row["verdict"] for row in table("admin", f"{FILE}?verdict=different")] == ["different"]
    rows = table("admin", FILE)
    columns = ("verdict", "client_id", "client_key", "fields", "email")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("different", str(ann), "key-of-ann", "city first_name", ""),
        ("foreign_on_list", "", "", "city first_name", "eve@example.com"),
    ]
    monkeypatch.setattr(verification_page, "ROWS", 1)
    first = text("admin", PAGE)
    assert "Next page" in first
    assert "eve@" not in first


def test_the_page_says_when_both_sides_are_equal(connected: World) -> None:
    """With what was compared."""
    loaded(connected)
    connected.state(
        'UPDATE contact_sync.verification SET counts = \'{"compared": 7000, "equal": 7000}\''
    )
    connected.state("DELETE FROM contact_sync.finding")
    said = text("admin", PAGE)
    assert "Equal as of" in said
    assert "7,000 contacts compared" in said
    assert "Nothing is repaired yet" not in said
    assert "What isn" not in said
    assert "yes, as of" in text("admin", "/syncs/demo")


def test_only_who_may_read_the_sync_sees_it(connected: World) -> None:
    """Addresses only for who may read the B2CORE connection."""
    loaded(connected)
    for path in (PAGE, FILE):
        assert client(None).get(path).status_code == 401
        assert client("admin").get(path.replace("demo", "none")).status_code == 404
    said = text("viewer", PAGE)
    assert "eve@" not in said
    assert "e***@e***.com" in said
    assert "email" not in table("viewer", FILE)[0]


def test_the_page_has_no_barriers_in_a_real_browser(connected: World) -> None:
    """WCAG, as the other pages."""
    loaded(connected)
    paths = (PAGE, f"{PAGE}?verdict=different", "/syncs/demo")
    assert_everybody_can_use(*(client("admin").get(path).text for path in paths))
