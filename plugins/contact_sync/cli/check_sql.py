"""`check-sql`: what the statements give, seen before anything is sent."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from contact_sync.base.client_names import called
from contact_sync.base.errors import ConfigError, SyncError, told_safely
from contact_sync.base.findings import Finding, Judgement
from contact_sync.base.masking import veiled
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import MAX_SAMPLE, SendGridField
from contact_sync.base.words import reason
from contact_sync.cli.command import Say, add_sync, as_json
from contact_sync.cli.validate import line
from contact_sync.config.files import read_definition, read_definitions

if TYPE_CHECKING:
    from contact_sync.lookup.sample_contacts import SampleContact
    from contact_sync.run.checklist import Setup

EXAMPLES = {
    "check-sql NAME": "ten clients, values masked",
    "check-sql NAME --sample 50": "fifty",
    "check-sql NAME --show-values": "prints personal data",
    "check-sql NAME --json": "the same for machines",
}
CODES = "0 all is right (warnings are), 1 something is wrong, 2 wrong usage"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_sync(command)
    command.add_argument(
        "--sample", type=sample, default=10, metavar="N",
        help=f"so many clients, at most {MAX_SAMPLE:,} (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--show-values", action="store_true", help="don't mask values; prints personal data"
    )


def sample(text: str) -> int:
    """How many clients, for argparse."""
    if not text.isdecimal() or not 0 < int(text) <= MAX_SAMPLE:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MAX_SAMPLE:,}")
    return int(text)


@dataclass(slots=True)
class Looked:
    """What was looked at: the sample as it is shown, how often it has which problem, what isn't
    known, and why there is no sample."""

    clients: list[dict[str, Any]] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    no_sample: str | None = None

    @property
    def is_right(self) -> bool:
        """Whether clients could be read, and no statement is wrong."""
        wrong = any(finding.judgement is Judgement.WRONG for finding in self.findings)
        return self.no_sample is None and not wrong


def answer(options: argparse.Namespace, say: Say) -> int:
    """Show the sample and the findings; returns the exit code."""
    # Only now: Arrow takes a second.
    from contact_sync.airflow_edge.handles import setup_of
    from contact_sync.run.checklist import statements_checklist

    definition = read_definition(options.sync)
    setup = setup_of(definition, read_definitions().warnings.get(options.sync, []))
    tell = _silent if options.json else say
    looked = Looked()
    _look(setup, options, looked, tell)
    tell("Statements")
    for finding in statements_checklist(setup):
        looked.findings.append(finding)
        tell(line(finding))
    wrong = not looked.is_right
    tell(f"{options.sync}: " + ("something is wrong" if wrong else "the statements are right"))
    if options.json:
        found = asdict(looked) | {"problems": dict(looked.problems)}  # asdict breaks a Counter
        say(as_json({"sync": options.sync, "right": not wrong, **found}))
    return int(wrong)


def _silent(_text: str) -> None:
    """With `--json` nothing is said before the end."""


def _look(setup: Setup, options: argparse.Namespace, looked: Looked, tell: Say) -> None:
    from contact_sync.lookup.sample_contacts import sample_contacts

    account = _fields(setup, looked, tell)
    show = str if options.show_values else veiled
    try:
        source = setup.open_b2core()
        for contact in sample_contacts(source, setup.definition, account, options.sample):
            looked.clients.append(_entry(contact, show))
            looked.problems.update(_problems(contact))
            tell("\n".join(_lines(contact, show)))
    except (ConfigError, SyncError) as error:
        looked.no_sample = str(told_safely(error))
        tell(f"No sample: {looked.no_sample}")
        return
    tell(f"{count(len(looked.clients), 'client was', 'clients were')} looked at; nothing was sent")
    for said, n in looked.problems.most_common():
        tell(f"  {n:,} x {said}")


def _fields(setup: Setup, looked: Looked, tell: Say) -> list[SendGridField]:
    try:
        api = setup.open_sendgrid()
        try:
            return api.fields()
        finally:
            api.close()
    except SyncError as error:
        note = f"SendGrid's fields aren't known, their types are assumed: {told_safely(error)}"
        looked.notes.append(note)
        tell(f"Note: {note}")
        return []


def _entry(contact: SampleContact, show: Callable[[str], str]) -> dict[str, Any]:
    fields = [replace(each, value=show(each.value), source=show(each.source))
              for each in contact.fields]  # fmt: skip
    return asdict(replace(contact, fields=fields))


def _lines(contact: SampleContact, show: Callable[[str], str]) -> list[str]:
    verdict = "would be sent"
    if contact.exclusion is not None:
        verdict = f"not sent, excluded: {contact.exclusion or 'an empty text'}"
    elif contact.reason:
        verdict = f"not sent: {contact.field}: {reason(contact.reason, contact.detail)}"
    lines = [f"Client {called(contact.client_id, contact.client_key)}: {verdict}"]
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
