"""One of a thing is told in the singular, wherever numbers are told."""

from __future__ import annotations

import re

import pytest

from contact_sync.base.numbers import count, count_of
from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import main as cli
from contact_sync.run.in_one_process import run_sync
from contact_sync.state.runs import Options
from tests.dags.test_pages import DAG_RUN, text
from tests.support.world import World

pytestmark = pytest.mark.airflow
NO_PLURAL = "is|has|was|as|this|address|process|status"
PLURAL = re.compile(rf"(?<![\d.,])1 (?:[a-z]+ed |new |known )?(?!(?:{NO_PLURAL})\b)[a-z]+s\b")


def test_numbers_are_told_with_their_noun() -> None:
    """Also of codes that are plurals, and of hours, which may be fractions."""
    assert count(1, "client") == "1 client"
    assert count(1_234, "address", "addresses") == "1,234 addresses"
    assert (count(0.5, "hour"), count(1.0, "hour")) == ("0.5 hours", "1 hour")
    things = ("batches", "addresses", "dropped_values", "tries")
    assert [count_of(1, each) for each in things] == [
        "1 batch", "1 address", "1 dropped value", "1 try",
    ]  # fmt: skip
    assert count_of(2, "addresses") == "2 addresses"


def test_T06_one_of_a_thing_is_told_in_the_singular(
    connected: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the log of runs with one client of each kind, on their pages and on the command line."""
    caplog.set_level("INFO")
    connected.add("ann@example.com", phone="call me")
    connected.refuse("ann@example.com")
    with connected.sync() as sync:
        run_sync(sync, RunKind.FULL, holder=DAG_RUN, options=Options())
    connected.add("not an address")
    connected.add("bob@example.com")
    connected.run()
    connected.edit(3, email="bert@example.com")
    dry = connected.run("full", dry_run=True)["id"]
    connected.run()
    connected.sql("DELETE FROM b2core.clients WHERE id = 3")
    connected.run("full")
    connected.run("full")
    told = {"the log": caplog.text}
    for command in (
        ["status", "demo"], ["status", "demo", "--rejected"], ["plan", "demo", "--mode", "full"],
        ["explain", "demo", "--client", "1"], ["syncs"], ["prune", "demo", "--dry-run"],
        ["validate", "--connect"],
    ):  # fmt: skip
        cli.main(command)
        told[" ".join(command)] = "".join(capsys.readouterr())
    for path in (
        "", "/full-run", "/to-do", "/rejected", "/dropped", "/clients/1", "/erasures",
        *(f"/runs/{run}{part}" for run in (1, 2, dry, dry + 2)
          for part in ("", "/plan", "/changes")),
    ):  # fmt: skip
        page = text("admin", f"/syncs/demo{path}")
        told[path] = re.sub(r"<[^>]+>", " | ", page[page.index("<main") :])
    found = {where: PLURAL.findall(said) for where, said in told.items() if PLURAL.search(said)}
    assert found == {}, found
