"""The command `fields`: what the account has beside the mapping; creates what is missing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from contact_sync.base.numbers import count
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.contacts.account_fields import Catalogue, text
from contact_sync.lookup.custom_fields import create_fields, read_catalogue
from contact_sync.sync import Sync

EXAMPLES = {
    "fields NAME": "what SendGrid has, and what it lacks",
    "fields NAME --create": "create the missing custom fields, after asking",
    "fields NAME --create --yes": "without asking",
}
CODES = "0 nothing is missing, 1 something is, 2 wrong usage"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    command.add_argument(
        "--create", action="store_true", help="create the missing custom fields, after asking"
    )
    command.add_argument("--yes", action="store_true", help="create them without asking")


def answer(sync: Sync, options: argparse.Namespace, say: Say, agrees: Callable[[str], bool]) -> int:
    """Say what there is, create what is to be; returns the exit code. `agrees` asks a person."""
    found = read_catalogue(sync)
    if not options.json:
        say(text(found))
    created, code = _create(sync, options, found, agrees)
    if options.json:
        say(as_json(_for_machines(sync, found, created)))
    elif created is None:
        say("Nothing was created")
    else:
        for name, field_id in created.items():
            kind = next(field.type for field in found.missing if field.name == name)
            say(f"Created {name} ({kind}), id {field_id}")
    return code


def _create(
    sync: Sync, options: argparse.Namespace, found: Catalogue, agrees: Callable[[str], bool]
) -> tuple[dict[str, str] | None, int]:
    """The ids of new fields by name, None = a person said no; and the exit code."""
    missing = found.missing
    if not (options.create and missing):
        return {}, int(bool(missing) or found.lacks_list)
    question = f"Create {count(len(missing), 'custom field')}? A type can't be changed later."
    if not (options.yes or agrees(question)):
        return None, 1
    return dict(
        zip([field.name for field in missing], create_fields(sync, missing), strict=True)
    ), int(found.lacks_list)


def _for_machines(sync: Sync, found: Catalogue, created: dict[str, str] | None) -> dict[str, Any]:
    return {"sync": sync.definition.name, **asdict(found), "created": created or {}}
