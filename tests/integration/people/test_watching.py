"""A run on the command line as it is followed, and as it fails: on a terminal and elsewhere."""

from __future__ import annotations

import argparse
import io
import sys
from typing import Any

import pytest

from contact_sync.base.vocabulary import RunKind
from contact_sync.cli import progress, status
from contact_sync.cli.main import main
from contact_sync.run.release_lease import release_lease
from contact_sync.run.start_run import start_run
from tests.support.world import World


class Terminal(io.StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_status_watch_says_each_change_in_a_line_until_the_run_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then comes the report as ever. With nobody at work there is nothing to watch."""
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.01)
    options = argparse.Namespace(sync="demo", runs=1, watch=True, json=False, rejected=False,
                                 dropped=False, stale=False, limit=10)  # fmt: skip
    with world.sync() as sync:
        run_id = start_run(sync, RunKind.FULL, holder="somebody")
        lines = status.lines(sync, options)
        assert next(lines) == f"Run {run_id}, full: checks the setup and selects clients"
        release_lease(sync, run_id, "gave up")
        (report,) = lines
        assert report.startswith(f"Run {run_id}: full, failed in ")
        assert list(status.lines(sync, options)) == [report]


def test_a_run_on_a_terminal_has_a_bar_and_elsewhere_none(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report on standard output is the same."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal)  # not by a fixture: pytest sets its own after it
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.01)
    world.connect_airflow(monkeypatch)
    world.seed()
    world.emulator.admin.settings(delay=1)
    assert main(["run", "demo", "--mode", "full"]) == 0
    said = terminal.getvalue()
    assert "\x1b[" in said
    assert "Run 1, full: " in said
    assert "4 confirmed" in capsys.readouterr().out
    plain: Any = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    assert main(["run", "demo"]) == 0
    assert "\x1b[" not in plain.getvalue()


def test_a_run_that_fails_says_what_was_sent_and_what_comes_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the layout of Airflow's log; the exit code is 1."""
    world.connect_airflow(monkeypatch)
    world.seed()
    world.emulator.admin.reset()
    assert main(["run", "demo"]) == 1
    said = capsys.readouterr().err
    for part in (
        "What happened: Sync 'demo' can't run; nothing was read or sent. To fix:",
        "What has been sent: Nothing: the run had no plan yet",
        "What happens by itself: Nothing is lost",
        "What to do: Correct what is named above, then: python -m contact_sync run demo",
    ):
        assert part in said
