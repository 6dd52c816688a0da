"""The command `repair`: the next run puts right what the newest verification has found."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.sync import Sync
from contact_sync.verify.repair import Repaired, repair, told, waiting_for_lease

EXAMPLES = {
    "repair NAME": "after a look at what the newest verification found",
    "repair NAME --approve-foreign 12": "also take exactly 12 foreign contacts off the list",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    add_approval(command)


def add_approval(command: argparse.ArgumentParser) -> None:
    """What a person allows a repair, and for how long it waits."""
    command.add_argument(
        "--approve-foreign",
        type=int,
        metavar="N",
        help="take exactly N contacts off the list that the sync never had; the definition has to "
        "say `verify.foreign: unlist`",
    )
    command.add_argument(
        "--wait",
        type=float,
        default=60,
        metavar="MINUTES",
        help="for how long to wait for a run that is at work (default: %(default)s)",
    )


def answer(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    """Mark what the sync's newest verification found, and say what the next run does."""
    done = repaired(sync, options)
    if options.json:
        say(as_json(asdict(done)))
    else:
        say("\n".join(told(done, sync.definition.name)))
    return 0


def repaired(
    sync: Sync, options: argparse.Namespace, verification_id: int | None = None
) -> Repaired:
    """The same of one verification, without a word but to the log."""
    approved = options.approve_foreign
    return waiting_for_lease(
        lambda: repair(sync, verification_id, approve_foreign=approved), options.wait
    )
