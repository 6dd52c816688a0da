"""The command `explain`: why one contact looks as it does. Prints personal data, and logs none."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from contact_sync.cli.command import add_sync, as_json
from contact_sync.lookup.client_keys import clients_named
from contact_sync.lookup.explain import explain_client
from contact_sync.lookup.find_clients import find_clients
from contact_sync.reporting.conclusion import conclude
from contact_sync.reporting.explanation import Explanation
from contact_sync.reporting.explanation_text import text
from contact_sync.sync import Sync

EXAMPLES = {
    "explain NAME --client 4711": "by its key in B2CORE, or its id",
    "explain NAME --email ann@example.com": "every client with this address",
    "explain NAME --client 4711 --live": "also what SendGrid has now",
}
NO_ID = " An id is a whole number of at most 64 bits, as bigint is."
CODES = "0 found, 1 nobody knows such a client, or something is wrong, 2 wrong usage"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--client", metavar="KEY", help="the client's key in B2CORE, or its id")
    who.add_argument("--email", metavar="ADDRESS", help="in any spelling")
    command.add_argument(
        "--live", action="store_true", help="also ask SendGrid what it has now; one call"
    )


def answer(sync: Sync, options: argparse.Namespace) -> tuple[str, int]:
    """What to say and the exit code: 1 when neither side knows such a client."""
    if options.email is None:
        ids = clients_named(sync, options.client)
    else:
        ids = [match.client_id for match in find_clients(sync, options.email, thorough=True)]
    live = sync.sendgrid if options.live else None
    explained = [explain_client(sync, client, live=live) for client in ids]
    code = 0 if any(one.is_known for one in explained) else 1
    if options.json:
        return as_json({"sync": options.sync, "clients": [*map(entry, explained)]}), code
    what = "key" if options.email is None else "address"
    if not ids:
        said = f"No client of B2CORE has this {what}, and no contact of this sync."
        return said + (NO_ID if options.email is None else ""), 1
    found = [text(one) for one in explained]
    shared = [f"{len(ids):,} clients match this {what}.", ""] if len(ids) > 1 else []
    return "\n\n".join(["\n".join([*shared, found[0]]), *found[1:]]), code


def entry(of: Explanation) -> dict[str, Any]:
    """An explanation for machines."""
    return {"conclusion": conclude(of), "client_key": of.keys.get(of.client_id), **asdict(of)}
