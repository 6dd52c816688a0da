"""B2CORE's tables are emptied, reloaded, rewritten or made again while a run reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.errors import RetryableError
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("no_pause")

RELOAD = """
CREATE TEMP TABLE kept AS SELECT * FROM b2core.client_phones;
TRUNCATE b2core.client_phones;
INSERT INTO b2core.client_phones OVERRIDING SYSTEM VALUE SELECT * FROM kept;
DROP TABLE kept
"""
AGAIN = """
CREATE TABLE b2core.phones_made_again (LIKE b2core.client_phones INCLUDING ALL);
INSERT INTO b2core.phones_made_again OVERRIDING SYSTEM VALUE SELECT * FROM b2core.client_phones;
ALTER TABLE b2core.client_phones RENAME TO phones_before;
ALTER TABLE b2core.phones_made_again RENAME TO client_phones;
GRANT SELECT ON b2core.client_phones TO contact_sync_reader
"""
BACK = """
DROP TABLE b2core.client_phones;
ALTER TABLE b2core.phones_before RENAME TO client_phones
"""


def before_reading(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any], *, times: int
) -> None:
    """Let something happen after the snapshot was taken and before the clients are read."""
    real, left = Snapshot.clients, list(range(times))

    def clients(self: Snapshot, *arguments: Any) -> Iterator[Any]:
        self.position()  # takes the snapshot
        if left:
            left.pop()
            happens()
        return real(self, *arguments)

    monkeypatch.setattr(Snapshot, "clients", clients)


@pytest.mark.parametrize("change", [RELOAD, AGAIN], ids=["reloaded", "made again"])
def test_R03_a_table_replaced_while_it_is_read_is_read_again(
    world: World, change: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """To the snapshot it looks empty: no phone is cleared for that."""
    world.add("ann@example.com", phone="+41791234567")
    world.run()
    assert world.contact("ann@example.com").get("phone_number") == "+41791234567"
    before_reading(monkeypatch, lambda: world.sql(change), times=1)
    try:
        world.run("full")
    finally:
        if change == AGAIN:
            world.sql(BACK)
    assert world.contact("ann@example.com").get("phone_number") == "+41791234567"
    assert '"b2core"."client_phones" was emptied or replaced' in caplog.text


def test_R03_a_table_that_is_always_replaced_ends_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three tries, before anything is sent."""
    world.add("ann@example.com", phone="+41791234567")
    world.run()
    before_reading(monkeypatch, lambda: world.sql(RELOAD), times=99)
    sent = world.sent()
    with pytest.raises(RetryableError, match="was emptied or replaced while it was read"):
        world.run("full")
    assert world.sent() == sent


def test_R03_a_table_rewritten_between_two_runs_is_nothing_new(world: World) -> None:
    """As VACUUM FULL and CLUSTER do."""
    world.add("ann@example.com", phone="+41791234567")
    world.run()
    world.sql("CLUSTER b2core.client_phones USING client_phones_pkey")
    assert world.run("full")["counts"]["sent"] == 0
    world.assert_converged()
