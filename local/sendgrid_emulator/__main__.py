"""Start the emulator from a command line: `python -m local.sendgrid_emulator --help`."""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys
from pathlib import Path
from typing import get_args

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from local.sendgrid_emulator.model.access import Permission
from local.sendgrid_emulator.model.account import Service
from local.sendgrid_emulator.model.profile import read_profile
from local.sendgrid_emulator.model.settings import Settings
from local.sendgrid_emulator.server import run

log = logging.getLogger(__name__)
DEFAULT_KEY = "SG.local:full"
PERMISSIONS = get_args(Permission)
DESCRIPTION = """\
A strict stand-in for SendGrid's Marketing Campaigns contacts API: contacts, lists, custom fields,
imports, exports and suppressions, with jobs that take time, rate limits and refusals. What Twilio
documents or recordings show, it does; what nobody knows is a setting. It is of use to any client of
that API, and forgets everything when it ends.

  python -m local.sendgrid_emulator --port 8025 --upload-port 8026 --empty-cell keep
  curl -H "Authorization: Bearer SG.local" http://127.0.0.1:8025/v3/marketing/lists

To be as one account that exists: --profile include/accounts/NAME.yaml.
http://127.0.0.1:8025/__admin is a page that shows its contacts, jobs and calls. Tests steer it by
the routes below /__admin: settings, faults, clock (local/sendgrid_emulator/admin/client.py).
"""
WILDCARDS = ("0.0.0.0", "::")


def settings_help() -> str:
    """Return the list of all settings with their defaults, for --help."""
    lines = ["settings, for --settings and for PATCH /__admin/settings:"]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "required" if default is PydanticUndefined else f"default {default!r}"
        lines.append(f"  {name} ({shown}): {field.description}")
    return "\n".join(lines)


def arguments() -> argparse.ArgumentParser:
    """Return the command line's definition."""
    parser = argparse.ArgumentParser(
        prog="python -m local.sendgrid_emulator",
        description=DESCRIPTION,
        epilog=settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, required=True, help="port of the API; 0 takes a free one")
    add("--upload-port", type=int, required=True, help="port of the uploads and error files; or 0")
    add(
        "--empty-cell",
        choices=("keep", "clear", "error"),
        help="what an empty CSV cell does to a value: choose, unless --profile says it",
    )
    add(
        "--profile",
        type=Path,
        metavar="FILE",
        help="behave as the account of this profile, which the command `probe` of "
        "this repository's product writes; --settings go before it",
    )
    add(
        "--api-key",
        action="append",
        metavar="KEY:PERMISSION",
        help=f"a key and {', '.join(PERMISSIONS)}; repeatable; without any: {DEFAULT_KEY}",
    )
    add("--delay", type=float, help="seconds from acceptance to effect (default 0.2)")
    add("--settings", default="{}", metavar="JSON", help="other settings at the start, see below")
    add("--keep", type=Path, metavar="FILE", help="where the account is kept from start to start")
    add("--ready-file", type=Path, help="write the addresses there, as JSON, once it serves")
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--upload-url", help="upload origin as clients reach it, if not http://HOST:UPLOAD_PORT")
    add(
        "--end-with-stdin",
        action="store_true",
        help="end when stdin ends, that is, when the parent process does",
    )
    return parser


def listener(host: str, port: int) -> socket.socket:
    """Return a listening socket."""
    return socket.create_server((host, port), backlog=256)


def api_keys(texts: list[str]) -> dict[str, Permission]:
    """Return the keys of the command line; raise ValueError on one that is not KEY:PERMISSION."""
    keys: dict[str, Permission] = {}
    for text in texts:
        key, _, word = text.rpartition(":")
        permission = next((item for item in PERMISSIONS if item == word), None)
        if not key or permission is None:
            raise ValueError(f"'{text}' is not KEY:PERMISSION")
        keys[key] = permission
    return keys


def start_settings(options: argparse.Namespace) -> Settings:
    """Return the settings of the command line; raise ValueError on wrong ones.

    What the profile says in vain, because one switch can't behave in two ways, is logged.
    """
    start: dict[str, object] = {"delay": 0.2}
    if options.profile is not None:
        changes, in_vain = read_profile(options.profile)
        start |= changes
        for said in in_vain:
            log.warning("The profile can't be followed in this: %s", said)
    given = {"empty_cell": options.empty_cell, "delay": options.delay}
    start |= {name: value for name, value in given.items() if value is not None}
    if "empty_cell" not in start:
        raise ValueError("say --empty-cell: the profile doesn't know it")
    return Settings.model_validate(start | json.loads(options.settings))


def main() -> int:
    """Start the emulator and return its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    parser = arguments()
    options = parser.parse_args()
    try:
        keys = api_keys(options.api_key or [DEFAULT_KEY])
        settings = start_settings(options)
    except (ValidationError, ValueError) as error:
        parser.error(str(error))
    api = listener(options.host, options.port)
    uploads = listener(options.host, options.upload_port)
    host = "127.0.0.1" if options.host in WILDCARDS else options.host
    upload_url = options.upload_url or f"http://{host}:{uploads.getsockname()[1]}"
    service = Service(settings, keys, upload_url.rstrip("/"), options.keep)
    end_with_stdin = options.end_with_stdin
    return run(service, api, uploads, ready=options.ready_file, end_with_stdin=end_with_stdin)


if __name__ == "__main__":
    sys.exit(main())
