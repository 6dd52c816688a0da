"""The command `verify`: compare SendGrid's own export with B2CORE. Prints no personal data."""

from __future__ import annotations

import argparse

from contact_sync.base.command_line import own_holder
from contact_sync.cli import repair as cli_repair
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.reporting.certificate import text_certificate
from contact_sync.state.for_people.certificates import certificate_of
from contact_sync.sync import Sync
from contact_sync.verify.in_one_process import verify_sync

ABOUT = """\
Orders an export of the whole account at SendGrid, waits for it, and compares each contact with what
B2CORE calls for now. Runs go on meanwhile: what they or anybody else change is looked up again, and
is no difference. Nothing is changed at SendGrid: what is to be repaired, the next run repairs. A
verification that was stopped is continued by the next call."""
EXAMPLES = {
    "verify NAME": "compare, and print a certificate",
    'verify NAME --json --reason "audit 2026" > certificate.json': "the same for machines",
    "verify NAME --repair": "and have the next run put right what isn't equal",
    "verify NAME --rebuild": "fill a ledger that is empty or was restored from what is equal",
    "verify NAME --export-id ID": "with an export of all contacts that was ordered before",
}
CODES = "0 equal, 1 not equal or failed, 2 wrong usage"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
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
    cli_repair.add_approval(command)


def answer(sync: Sync, options: argparse.Namespace, say: Say) -> int:
    """Verify, and say the certificate; returns the exit code."""
    found = verify_sync(
        sync,
        holder=own_holder(),
        reason=options.reason,
        export_id=options.export_id,
        rebuild=options.rebuild,
    )
    if options.repair or options.approve_foreign is not None:
        cli_repair.repaired(sync, options, found.verification_id)
    certificate = certificate_of(found)
    say(as_json(certificate.to_json()) if options.json else text_certificate(certificate))
    return 0 if certificate.is_equal else 1
