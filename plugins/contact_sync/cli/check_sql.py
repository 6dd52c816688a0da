"""`check-sql`: what the statements give, seen before anything is sent."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from contact_sync.base.errors import ConfigError, SyncError, told_safely
from contact_sync.base.findings import Judgement
from contact_sync.base.masking import veiled
from contact_sync.base.vocabulary import SendGridField
from contact_sync.base.words import reason
from contact_sync.cli.validate import line
from contact_sync.config.files import read_definition, read_definitions

if TYPE_CHECKING:
    from contact_sync.lookup.sample_contacts import SampleContact
    from contact_sync.run.checklist import Setup

EXAMPLES = """
examples:
  python -m contact_sync check-sql NAME
  python -m contact_sync check-sql NAME --sample 50
  python -m contact_sync check-sql NAME --show-values  prints personal data

exit codes: 0 all is right (warnings are), 1 something is wrong, 2 wrong usage
"""
MOST = 1_000
Say = Callable[[str], None]


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = EXAMPLES
    command.add_argument("sync", help="the definition's name")
    command.add_argument(
        "--sample", type=_sample, default=10, metavar="N",
        help=f"so many clients, at most {MOST:,} (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--show-values", action="store_true", help="don't mask values; prints personal data"
    )


def _sample(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST:,}")
    return int(text)


def answer(options: argparse.Namespace, say: Say) -> int:
    """Show the sample and the findings; returns the exit code."""
    # Only now: Arrow takes a second.
    from contact_sync.airflow_edge.handles import setup_of
    from contact_sync.run.checklist import statements_checklist

    definition = read_definition(options.sync)
    setup = setup_of(definition, read_definitions().warnings.get(options.sync, []))
    wrong = _show_sample(setup, options, say)
    say("Statements")
    for finding in statements_checklist(setup):
        wrong |= finding.judgement is Judgement.WRONG
        say(line(finding))
    say(f"{options.sync}: " + ("something is wrong" if wrong else "the statements are right"))
    return int(wrong)


def _show_sample(setup: Setup, options: argparse.Namespace, say: Say) -> bool:
    """Whether something is so wrong that there is no sample."""
    from contact_sync.lookup.sample_contacts import sample_contacts

    account = _fields(setup, say)
    problems: Counter[str] = Counter()
    shown = 0
    try:
        source = setup.open_b2core()
        for contact in sample_contacts(source, setup.definition, account, options.sample):
            shown += 1
            say("\n".join(_lines(contact, masked=not options.show_values)))
            problems.update(_problems(contact))
    except (ConfigError, SyncError) as error:
        say(f"No sample: {told_safely(error)}")
        return True
    say(f"{shown} clients were looked at; nothing was sent")
    for said, count in problems.most_common():
        say(f"  {count} x {said}")
    return False


def _fields(setup: Setup, say: Say) -> list[SendGridField]:
    try:
        api = setup.open_sendgrid()
        try:
            return api.fields()
        finally:
            api.close()
    except SyncError as error:
        say(f"Note: SendGrid's fields aren't known, their types are assumed: {told_safely(error)}")
        return []


def _lines(contact: SampleContact, *, masked: bool) -> list[str]:
    show = veiled if masked else str
    verdict = "would be sent"
    if contact.exclusion is not None:
        verdict = f"not sent, excluded: {contact.exclusion or 'an empty text'}"
    elif contact.reason:
        verdict = f"not sent: {contact.field}: {reason(contact.reason, contact.detail)}"
    lines = [f"Client {contact.client_id}: {verdict}"]
    for each in contact.fields:
        said = f"  {each.name}: {show(each.value) or '-'}"
        if each.source != each.value and each.source:
            said += f"  <- {each.column}: {show(each.source)}"
        lines.append(said + (f"  [{reason(each.problem)}]" if each.problem else ""))
    for choice in contact.choices:
        place = "never" if choice.place is None else str(choice.place)
        label = f", {choice.label}" if choice.label else ""
        lines.append(f"  {choice.part} {place}{label}: {choice.reason}")
    return lines


def _problems(contact: SampleContact) -> list[str]:
    found = [f"dropped or changed: {each.name}: {reason(each.problem)}"
             for each in contact.fields if each.problem]  # fmt: skip
    if contact.exclusion is not None:
        return [*found, f"excluded: {contact.exclusion or 'an empty text'}"]
    rejected = contact.reason and f"rejected: {contact.field}: {reason(contact.reason)}"
    return [*found, rejected] if rejected else found
