"""What the tests of a failing source share: edited statements, and how a run fails cleanly."""

from __future__ import annotations

from tests.support.steps import staged
from tests.support.world import World

READER = "contact_sync_reader"


def replace_in(world: World, name: str, old: str, new: str) -> None:
    """Edit one of the sync's own statements."""
    path = world.sql_folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def assert_failed_cleanly(world: World, error: BaseException, *, writes: int = 0) -> None:
    """The run is red with its cause; nothing was staged, sent or moved; nothing private is told."""
    report = world.report()
    cause = report["cause"].removesuffix(". The Airflow connection is 'b2core_default'")
    assert (report["state"], cause) == ("failed", str(error))
    assert len(world.writes()) == writes
    assert staged(world) == (0, 0)
    for private in ("@example.com", "only for tests", "Zoë", READER):
        assert private not in str(error)
