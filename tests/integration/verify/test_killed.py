"""A verification may be killed or stopped anywhere: the next one continues it."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from contact_sync.base import failpoints
from contact_sync.base.errors import Fenced, Stopped, told_safely
from contact_sync.base.paths import INCLUDE
from contact_sync.base.verdicts import Verdict
from contact_sync.cli import main as cli
from contact_sync.state import verifications
from contact_sync.verify.begin_verification import begin_verification
from contact_sync.verify.order_export import order_export, poll_export
from tests.support.connections import kept_connections
from tests.support.crashes import all_points
from tests.support.forks import FORKS
from tests.support.repairing import POINTS
from tests.support.verified import verify
from tests.support.world import World

BEFORE_THE_ORDER = ("verification_uncommitted", "export_ordered_not_stored")
LEFT = """SELECT (SELECT count(*) FROM contact_sync.verify_contact)
                 + (SELECT count(*) FROM contact_sync.verify_unequal) + count(*)
          FROM contact_sync.verify_client"""
ORDERS = ("POST", "/v3/marketing/contacts/exports")


@pytest.fixture
def damaged(world: World, tmp_path: Path) -> World:
    """A world whose source's SQL other processes find, too, with two contacts that aren't right."""
    world.sql_folder = Path(shutil.copytree(INCLUDE / "sql" / "b2core", tmp_path / "b2core"))
    world.seed()
    world.run()
    for name in ("client1", "client2"):
        world.emulator.admin.put_contacts({"email": f"{name}@example.com", "city": "Bern"})
    return world


def hit(world: World, point: str, signal_name: str) -> int:
    """Verify in a process of its own that gets the signal at the point; returns its exit code."""
    child = FORKS.Process(target=_verify, args=(world.portable(), point, signal_name))
    child.start()
    child.join(60)
    return child.exitcode or 0


def _verify(world: World, point: str, signal_name: str) -> None:
    os.environ[failpoints.VARIABLE] = point
    os.environ[failpoints.SIGNAL_VARIABLE] = signal_name
    signal.signal(signal.SIGTERM, cli.stop)
    try:
        with kept_connections():
            verify(world)
    except (Stopped, KeyboardInterrupt) as error:
        told = told_safely(error)
        os._exit(told.exit_code if isinstance(told, Stopped) else 1)


def assert_continued(world: World, point: str) -> None:
    """The next one ends it with the same verdict, by the same export, and leaves nothing."""
    found = verify(world)
    assert found.counts[Verdict.DIFFERENT] == 2
    assert found.fields == {"city": 2}
    assert world.state(LEFT) == [(0,)]
    ended = point == "verification_finished"
    assert world.state("SELECT count(*) FROM contact_sync.verification") == [(1 + ended,)]
    again = ended or point == BEFORE_THE_ORDER[1]
    assert len(world.calls(*ORDERS)) == (4 if again else 2)


@pytest.mark.parametrize("point", sorted(all_points("verify") - POINTS - {"pruned_in_part"}))
def test_V05_a_verification_that_was_killed_is_continued(damaged: World, point: str) -> None:
    assert hit(damaged, point, "KILL") == -signal.SIGKILL
    assert_continued(damaged, point)


@pytest.mark.parametrize("point", ["export_ordered", "candidates_looked_at"])
def test_V05_a_verification_that_was_stopped_is_continued(damaged: World, point: str) -> None:
    """As by Ctrl-C."""
    assert hit(damaged, point, "TERM") == 128 + signal.SIGTERM
    assert_continued(damaged, point)


def test_whoever_was_replaced_writes_nothing_more(damaged: World) -> None:
    """The process before may be alive: two don't write into one verification."""
    with damaged.sync() as sync:
        first = begin_verification(sync, holder="first")
        order_export(sync, first, "first")
        before = verifications.load(sync.state, first)
        assert begin_verification(sync, holder="second") == first
        with pytest.raises(Fenced, match="second"):
            poll_export(sync, first, "first")
        with (
            pytest.raises(Fenced, match="writes nothing"),
            verifications.writing(sync.state, before),
        ):
            pass
    assert verify(damaged).verification_id == first


def test_one_that_is_too_old_or_of_another_definition_is_given_up(damaged: World) -> None:
    """Its export is SendGrid's no more, or it compared other fields."""
    with damaged.sync() as sync:
        assert begin_verification(sync, holder="a") == 1
        damaged.state("UPDATE contact_sync.verification SET started_at = now() - interval '13h'")
        assert begin_verification(sync, holder="b") == 2
    fields = damaged.definition.model_dump(mode="json")["fields"]
    damaged.redefine(fields={k: v for k, v in fields.items() if k != "city"})
    with damaged.sync() as sync:
        assert begin_verification(sync, holder="c") == 3
    causes = damaged.state("SELECT cause FROM contact_sync.verification ORDER BY verification_id")
    assert ["more than 12 hours" in (causes[0][0]), "has changed" in (causes[1][0])] == [True, True]
