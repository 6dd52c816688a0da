"""The command `verify`: compare SendGrid's own export with B2CORE. Prints no personal data."""

from __future__ import annotations

import argparse
import json
import os
import socket

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


def answer(sync: Sync, options: argparse.Namespace) -> tuple[str, int]:
    """Verify; the certificate, and the exit code: 0 = equal, 1 = not."""
    found = verify_sync(
        sync,
        holder=f"command line {socket.gethostname()}:{os.getpid()}",
        reason=options.reason,
        export_id=options.export_id,
    )
    certificate = certificate_of(found)
    said = json.dumps(certificate.to_json(), indent=2) if options.json else None
    return said or text_certificate(certificate), 0 if certificate.is_equal else 1
