"""F19: the recipe for consent, in the demo's database with a table of consents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contact_sync.b2core.contract import contract_findings
from contact_sync.base.findings import Judgement
from contact_sync.config.source import ChangeDetection
from tests.support import connections
from tests.support.consent_recipe import TABLE, with_consent
from tests.support.world import World

STATUSES = {"Active": 1, "Inactive": 2, "Banned": 3, "Deleted": 4}


@pytest.fixture
def asked(world: World, tmp_path: Path) -> Iterator[World]:
    """A world whose B2CORE has asked its clients; the table is gone afterwards."""
    world.sql_folder, grant = with_consent(tmp_path / "b2core")
    with connections.connection(world.b2core_url) as connection:
        connection.execute(TABLE)
        connection.execute(grant)
    yield world
    with connections.connection(world.b2core_url) as connection:
        connection.execute("DROP TABLE b2core.consents")


def answer(world: World, client: int, *, yes: bool, purpose: str = "marketing") -> None:
    """A client's newest answer."""
    insert = "INSERT INTO b2core.consents (client_id, purpose, is_granted) VALUES (%s, %s, %s)"
    world.sql(insert, client, purpose, yes)


@pytest.mark.parametrize("detection", ["xmin", "updated_at"])
def test_F19_only_who_agreed_is_sent_and_a_withdrawal_is_found(
    asked: World, detection: str
) -> None:
    """Nobody who was never asked, or is deleted or banned; the answer alone makes a run look."""
    source = {**asked.definition.source.model_dump(mode="json"), "change_detection": detection}
    asked.redefine(source=source)
    clients = {n: asked.add(f"{n.lower()}@example.com", status_id=i) for n, i in STATUSES.items()}
    never = asked.add("never@example.com")
    for client in clients.values():
        answer(asked, client, yes=False)
        answer(asked, client, yes=True)
    answer(asked, never, yes=True, purpose="statements")
    asked.run()
    sent = {"active@example.com", "inactive@example.com"}
    assert set(asked.contacts()) == sent
    assert asked.report()["exclusions"] == {
        "excluded_by_b2core: status": 2, "excluded_by_b2core: no consent": 1,
    }  # fmt: skip
    answer(asked, clients["Active"], yes=False)
    answer(asked, never, yes=True)
    asked.run()
    out = {clients["Active"], clients["Banned"], clients["Deleted"]}
    asked.assert_converged(excluded=out, unlisted={"active@example.com"})


def test_F19_check_sql_says_what_the_statements_do(asked: World) -> None:
    """With the recipe they are right, and nobody of an ended status is sent; without it all are."""
    for name, status in STATUSES.items():
        answer(asked, asked.add(f"{name.lower()}@example.com", status_id=status), yes=True)

    def said() -> str:
        with asked.sync() as sync, sync.b2core.snapshot() as snapshot:
            found = list(contract_findings(snapshot, ChangeDetection.XMIN, "email", ["email"]))
        assert [each for each in found if each.judgement is Judgement.WRONG] == []
        return "\n".join(each.text for each in found)

    with_recipe = said()
    assert "2 of them are excluded, for 1 reasons" in with_recipe
    assert "Deleted or Banned" not in with_recipe
    asked.sql_folder = World.sql_folder
    without = said()
    assert "nobody is excluded: deleted and banned clients, and those without consent" in without
    assert "2 with a status such as Deleted or Banned are sent" in without
