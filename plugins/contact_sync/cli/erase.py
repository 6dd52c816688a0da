"""The command `erase`: forget people for good, and keep them from coming back."""

from __future__ import annotations

import argparse
import getpass
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.erasure.request import (
    Found,
    Subject,
    checked_reason,
    find_person,
    request,
)
from contact_sync.run.continue_erasures import go_on
from contact_sync.run.erasing import scanned
from contact_sync.run.outer_mark import count_erasures
from contact_sync.state import erasures
from contact_sync.sync import Sync

ABOUT = """\
Deletes a person's contacts at SendGrid, also under former addresses, has SendGrid erase its event
data, deletes what the state database has of them, and puts up tombstones: keyed hashes by which no
run of any sync of this state database sends them again. What can't be done at once the next run
goes on with. It can't be undone; docs/erasure.md has the procedure."""
EXAMPLES = {
    'erase NAME --client 4711 --reason "ticket 12"': "a client, by its id or key in B2CORE",
    'erase NAME --email ADDRESS --reason "ticket 12"': "whoever has an address",
    'erase NAME --client 4711 --also FORMER --reason "ticket 12"': "with an address of long ago",
    'erase NAME --file people.txt --reason "tickets of May" --yes': "many: an id, key or address a "
    "line",
}
CODES = "0 finished, 1 something is wrong, 2 wrong usage, 3 asked for and not finished yet"
UNFINISHED = 3


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--client", metavar="KEY", help="a client's id or key in B2CORE")
    who.add_argument("--email", metavar="ADDRESS", help="whoever has this address")
    who.add_argument("--file", type=Path, help="many: an id, a key or an address on each line")
    command.add_argument(
        "--also", metavar="ADDRESS", action="append", default=[],
        help="an address that was theirs, too; may be given several times",
    )  # fmt: skip
    command.add_argument(
        "--reason", required=True, help="kept for ever, so nothing that says who it was"
    )
    command.add_argument("--yes", action="store_true", help="don't ask")


def user() -> str:
    """Who types, for the record."""
    return f"{getpass.getuser()} on {socket.gethostname()}"


def answer(sync: Sync, options: argparse.Namespace, say: Say, agrees: Callable[[str], bool]) -> int:
    """Ask, erase, and say how far it came; returns the exit code."""
    checked_reason(options.reason)
    sync.hash_keys()
    scan = scanned(sync)
    found = [find_person(sync, subject, scan) for subject in _subjects(options)]
    if not (options.yes or agrees(f"{_told(found)}\nErase them for good?")):
        say(as_json({"erasures": []}) if options.json else "Nothing was changed")
        return 1
    done = [_erase(sync, one, options.reason) for one in found]
    if options.json:
        say(as_json({"erasures": done}))
    else:
        for each in done:
            said = f"not finished: {each['why']}" if each["why"] else each["state"]
            say(f"Erasure {each['erasure_id']}: {said}")
    return UNFINISHED if any(each["state"] != "finished" for each in done) else 0


def _subjects(options: argparse.Namespace) -> Iterator[Subject]:
    also = tuple(options.also)
    if options.file is None:
        yield Subject(options.client, options.email, also)
        return
    if also:
        raise ConfigError("--also belongs to one person: say --client or --email")
    try:
        lines = options.file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ConfigError(f"The file can't be read: {type(error).__name__}") from None
    for line in filter(None, map(str.strip, lines)):
        yield Subject(email=line) if "@" in line else Subject(client=line)


def _told(found: list[Found]) -> str:
    clients, addresses = (sum(map(len, each)) for each in (
        [one.client_ids for one in found], [one.addresses for one in found]))  # fmt: skip
    said = [
        f"{count(len(found), 'request')}: {count(clients, 'client')} of B2CORE, "
        f"{count(addresses, 'address', 'addresses')}."
    ]
    if others := sum(one.others for one in found):
        said.append(
            f"{count(others, 'former address belongs', 'former addresses belong')} to other "
            f"clients by now: left alone."
        )
    if forgotten := sum(one.forgotten for one in found):
        said.append(
            f"Of {count(forgotten, 'former address', 'former addresses')} only hashes are "
            f"left, because the definition kept "
            f"their contacts: name them with --also, or look for these people in SendGrid's UI."
        )
    if nobody := sum(not one.client_ids for one in found):
        said.append(
            f"{count(nobody, 'request')} found no client: of somebody who has left B2CORE, "
            f"lists of changes "
            f"may have the id for a while. If you know it, say --client ID --also ADDRESS."
        )
    return "\n".join(said)


def _erase(sync: Sync, found: Found, reason: str) -> dict[str, Any]:
    erasure_id = request(sync, found, by=user(), reason=reason)
    count_erasures(sync)
    why = go_on(sync, erasure_id)
    with sync.state.transaction() as cursor:
        (erasure,) = erasures.erasures(cursor, beginning=erasure_id)
    if why is None and erasure.open_in:
        why = f"the next run of {', '.join(erasure.open_in)} goes on with it"
    return {
        "erasure_id": erasure_id, "state": erasure.state, "why": why,
        "clients": len(found.client_ids), "addresses": len(found.addresses),
        "others": found.others, "forgotten": found.forgotten,
    }  # fmt: skip
