"""The command `repair`: the next run puts right what the newest verification has found."""

from __future__ import annotations

import argparse

from contact_sync.sync import Sync
from contact_sync.verify.repair import repair, told, waiting_for_lease


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("sync", help="the definition's name")
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


def answer(sync: Sync, options: argparse.Namespace, verification_id: int | None = None) -> str:
    """Mark what was found, by the sync's newest verification if none is named; returns what to
    say."""
    approved = options.approve_foreign
    done = waiting_for_lease(
        lambda: repair(sync, verification_id, approve_foreign=approved), options.wait
    )
    return "\n".join(told(done, sync.definition.name))
