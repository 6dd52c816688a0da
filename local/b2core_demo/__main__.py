"""Command line of the demo's B2CORE: `python -m local.b2core_demo --help`."""

from __future__ import annotations

import argparse
import os
import sys

import psycopg

from local.b2core_demo import apply_demo_changes, create_reader, create_schema, generate


def main() -> int:
    """Run one command and return the exit status: 0, or 1 with a message when it failed."""
    arguments = parser().parse_args()
    try:
        if arguments.command == "create":
            create_schema(arguments.url)
        elif arguments.command == "generate":
            create_schema(arguments.url)
            generate(
                arguments.url,
                clients=arguments.clients,
                seed=arguments.seed,
                replace=arguments.replace,
            )
            print(f"{arguments.clients:,} clients")
        elif arguments.command == "reader":
            create_reader(arguments.url, os.environ["B2CORE_READER_PASSWORD"])
        else:
            print("\n".join(apply_demo_changes(arguments.url)))
    except KeyError as error:
        print(f"Not done: the variable {error} is not set", file=sys.stderr)
        return 1
    except (ValueError, psycopg.Error) as error:
        print(f"Not done: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="python -m local.b2core_demo")
    top.description = "Make a B2CORE database for the demo: tables, clients, and changes to them."
    url = os.environ.get("B2CORE_URL")
    top.add_argument(
        "--url",
        default=url,
        required=url is None,
        help="superuser's postgresql:// URL (B2CORE_URL)",
    )
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("create", help="create the tables and the lookup values")
    fill = commands.add_parser("generate", help="create the tables and fill them with clients")
    fill.add_argument("--clients", type=int, default=10_000, metavar="N", help="default 10000")
    fill.add_argument("--seed", type=int, default=1, metavar="S", help="same seed, same clients")
    fill.add_argument(
        "--replace",
        action="store_true",
        help="delete the clients that are there, then make new ones",
    )
    commands.add_parser(
        "reader", help="create the role that reads, with the password in B2CORE_READER_PASSWORD"
    )
    commands.add_parser("change", help="make one change of each kind")
    return top


if __name__ == "__main__":
    raise SystemExit(main())
