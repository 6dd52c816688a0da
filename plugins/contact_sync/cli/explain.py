"""The command `explain`: why one contact looks as it does. Prints personal data, and logs none."""

from __future__ import annotations

import argparse
from typing import Any

from contact_sync.lookup.explain import explain_client
from contact_sync.lookup.find_clients import find_clients
from contact_sync.reporting.explanation_text import text
from contact_sync.sync import Sync


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument("sync", help="the definition's name")
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--client", type=int, metavar="ID", help="the client's id in B2CORE")
    who.add_argument("--email", metavar="ADDRESS", help="in any spelling")
    command.add_argument(
        "--live", action="store_true", help="also ask SendGrid what it has now; one call"
    )


def answer(sync: Sync, options: argparse.Namespace) -> tuple[str, int]:
    """What to say and the exit code: 1 when neither side knows such a client."""
    ids: list[Any] = [options.client]
    if options.email is not None:
        ids = [match.client_id for match in find_clients(sync, options.email, thorough=True)]
    if not ids:
        return "No client of B2CORE has this address, and no contact of this sync.", 1
    explained = [explain_client(sync, client, live=options.live) for client in ids]
    found = [text(one) for one in explained]
    shared = [f"{len(ids)} clients match this address.", ""] if len(ids) > 1 else []
    code = 0 if any(one.is_known for one in explained) else 1
    return "\n\n".join(["\n".join([*shared, found[0]]), *found[1:]]), code
