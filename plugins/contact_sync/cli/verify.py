"""The command `verify`: compare SendGrid's own export with B2CORE. Prints no personal data."""

from __future__ import annotations

import argparse
import json
import os
import socket

from contact_sync.cli.repair import add_approval
from contact_sync.cli.repair import answer as answer_repair
from contact_sync.reporting.certificate import text_certificate
from contact_sync.state.for_people.certificates import certificate_of
from contact_sync.sync import Sync
from contact_sync.verify.in_one_process import verify_sync


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("sync", help="the definition's name")
    command.add_argument("--json", action="store_true", help="print the certificate for machines")
    command.add_argument("--reason", help="kept with the verification")
    command.add_argument(
        "--export-id",
        metavar="ID",
        help="use an export of all contacts that was ordered before, in place of a new one",
    )
    command.add_argument(
        "--rebuild",
        action="store_true",
        help="fill the ledger from it: who is equal is confirmed without being sent",
    )
    command.add_argument(
        "--repair", action="store_true", help="have the next run put right what isn't equal"
    )
    add_approval(command)


def answer(sync: Sync, options: argparse.Namespace) -> tuple[str, int]:
    """Verify; the certificate, and the exit code: 0 = equal, 1 = not."""
    found = verify_sync(
        sync,
        holder=f"command line {socket.gethostname()}:{os.getpid()}",
        reason=options.reason,
        export_id=options.export_id,
        rebuild=options.rebuild,
    )
    certificate = certificate_of(found)
    said = json.dumps(certificate.to_json(), indent=2) if options.json else None
    said = said or text_certificate(certificate)
    if options.repair:
        told = answer_repair(sync, options, found.verification_id)
        said = said if options.json else f"{said}\n{told}"
    return said, 0 if certificate.is_equal else 1
