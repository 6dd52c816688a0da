"""`init`: from the tables of a connected database to statements and a definition."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from contact_sync.b2core.setup.parts import Proposal, Rule
from contact_sync.b2core.setup.proposal import candidates, priority, propose
from contact_sync.b2core.setup.told import told
from contact_sync.b2core.setup.write_all import statements
from contact_sync.b2core.setup.write_definition import (
    Target,
    definition_text,
    with_custom_fields,
)
from contact_sync.base.vocabulary import SendGridField
from contact_sync.cli.command import Say
from contact_sync.cli.new_files import refuse_existing, write_files
from contact_sync.config.parse import parse_definition
from contact_sync.contacts.countries import region_of

EXAMPLES = {
    "init west": "ask what the tables don't say",
    "init west --yes": "take every proposal",
    "init west --connection west_db --schema crm": "another database, one schema of it",
}
ABOUT = """\
It writes include/sql/NAME/ and include/syncs/NAME.yaml, and overwrites nothing. Values of rows are
shown masked. Run it with a role that may read the tables; the roles.sql that it writes gives
contact_sync_reader the columns that are needed, and no more."""
CODES = "0 written, 1 something is wrong, 2 wrong usage, or there is nobody to ask"
NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
NO_LIST = "no list"


@dataclass(frozen=True, slots=True)
class Question:
    """What the tables don't say; without choices any text is an answer."""

    text: str
    choices: Sequence[str]
    proposal: str = ""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.add_argument(
        "name", metavar="NAME", type=_name, help="the new sync's name: a-z, 0-9 and _"
    )
    for option, default, what in (
        ("--connection", "b2core_default", "of the database with the clients"),
        ("--sendgrid", "sendgrid_default", "of the SendGrid account"),
        ("--state", "contact_sync_state", "of the state database"),
    ):
        command.add_argument(
            option, default=default, metavar="ID", help=f"Airflow connection {what} (%(default)s)"
        )
    command.add_argument(
        "--schema", action="append", default=[], help="look at this schema only; may be repeated"
    )
    command.add_argument("--yes", action="store_true", help="take every proposal without asking")


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("a-z first, then a-z, 0-9 and _, at most 50 characters")
    if text.endswith("_verify"):
        raise argparse.ArgumentTypeError("ends in _verify, as the DAGs do that verify a sync")
    return text


def answer(options: argparse.Namespace, say: Say) -> int:
    """Read, propose, ask, write; returns the exit code."""
    refuse_existing(options.name)
    ask = _Asking(yes=options.yes, say=say)
    files = _files(options, ask, say)
    if ask.unasked:
        sys.stderr.write(
            "error: nothing was written, because there is nobody to ask: run it in a terminal, or "
            "with --yes to take what is proposed:\n"
            + "".join(f"  - {each.text} {each.proposal}\n" for each in ask.unasked)
        )
        return 2
    for path in write_files(options.name, *files):
        say(f"Wrote {path}")
    _say_what_next(options.name, say)
    return 0


def _files(options: argparse.Namespace, ask: _Asking, say: Say) -> tuple[dict[str, str], str]:
    """The statements by file name, and the definition."""
    # Only now: Airflow and Arrow take seconds.
    from contact_sync.airflow_edge.dsn import postgres_dsn
    from contact_sync.b2core.setup.catalog import read_catalog

    catalog = read_catalog(postgres_dsn(options.connection), priority, options.schema)
    for note in catalog.notes:
        say(f"Note: {note}")
    clients = {str(relation): relation for relation in candidates(catalog)}
    chosen = None
    if len(clients) > 1:
        which = Question("Which table holds the clients?", list(clients), next(iter(clients)))
        chosen = clients[ask(which)]
    lists, fields = _account(options.sendgrid, say)
    found = with_custom_fields(propose(catalog, chosen), fields or [])
    say(told(found))
    kept = [rule for rule in found.rules if _not_sent(rule, ask)]
    found = replace(found, rules=tuple(kept))
    target = Target(
        options.connection, options.sendgrid, options.state,
        _list(lists, options.name, ask), _country(found, ask),
    )  # fmt: skip
    text = definition_text(options.name, found, target, fields)
    parse_definition(text, f"{options.name}.yaml")
    return statements(found), text


def _not_sent(rule: Rule, ask: _Asking) -> bool:
    return ask(Question(f"Don't send {rule.told}?", ["yes", "no"], "yes")) == "yes"


def _account(conn_id: str, say: Say) -> tuple[list[str], list[SendGridField] | None]:
    """The account's lists and fields; None = it can't be asked, which is said."""
    from contact_sync.airflow_edge.sendgrid_connection import open_api
    from contact_sync.lookup.both_sides import seen_account

    found = seen_account(partial(open_api, conn_id))
    if found.problem:
        say(
            f"Note: SendGrid couldn't be asked for lists and fields, so the definition has no list "
            f"and no custom fields: {found.problem}"
        )
        return [], None
    return found.lists or [], found.fields


def _list(lists: list[str], name: str, ask: _Asking) -> str | None:
    if not lists:
        return None
    from contact_sync.contacts.account_fields import likely_list  # Arrow takes a second

    proposal = likely_list(lists, name) or NO_LIST
    listed = [*dict.fromkeys([proposal, *lists, NO_LIST])]
    chosen = ask(Question("Which SendGrid list are they added to?", listed, proposal))
    return None if chosen == NO_LIST else chosen


def _country(found: Proposal, ask: _Asking) -> str | None:
    of_address = found.address_rows.values if found.address_rows else {}
    has_phones = found.phones or found.phone_rows
    if not has_phones or "country_code" in {**found.values, **of_address}:
        return None
    said = "No country was found. Of which country are phone numbers without a country code (CH)?"
    code = ask(Question(said, [], "none")).upper()
    try:
        return code if code != "NONE" and region_of(code) else None
    except LookupError:
        ask.say(f"Note: {code[:3]} is no country's code; write default_country into the definition")
        return None


class _Asking:
    """Asks a person; takes the proposal with `--yes`, and where there is no terminal, where it
    notes what it would have asked."""

    def __init__(self, *, yes: bool, say: Say) -> None:
        self.yes = yes
        self.say = say
        self.unasked: list[Question] = []

    def __call__(self, question: Question) -> str:
        if self.yes:
            self.say(f"{question.text} {question.proposal}")
            return question.proposal
        if not sys.stdin.isatty():
            self.unasked.append(question)
            return question.proposal
        return self._typed(question)

    def _typed(self, question: Question) -> str:
        for number, choice in enumerate(question.choices, start=1):
            self.say(f"  {number}  {choice}")
        while True:
            sys.stderr.write(f"{question.text} [{question.proposal}] ")
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                raise KeyboardInterrupt
            given = line.strip()
            if not given:
                return question.proposal
            if given.isdigit() and 0 < int(given) <= len(question.choices):
                return question.choices[int(given) - 1]
            same = [each for each in question.choices if each.lower().startswith(given.lower())]
            if len(same) == 1 or given in same:
                return given if given in same else same[0]
            if not question.choices:
                return given
            self.say("Type a number, a name from the list, or nothing for the proposal")


def _say_what_next(name: str, say: Say) -> None:
    from contact_sync.airflow_edge.installation import make_pool

    say(make_pool())
    say(
        f"Next:\n"
        f"  the database's administrator runs include/sql/{name}/roles.sql\n"
        f"  python -m contact_sync check-sql {name}            # ten clients as contacts-to-be\n"
        f"  python -m contact_sync fields {name}               # what SendGrid has and lacks\n"
        f"  python -m contact_sync migrate                    # the state database's tables\n"
        f"  python -m contact_sync validate {name} --connect   # everything\n"
        f"  python -m contact_sync plan {name}                 # a dry run"
    )
