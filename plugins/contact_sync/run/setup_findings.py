"""What is judged of a setup, on B2CORE's side, on SendGrid's and of both together: by a run before
it reads a client, and by `validate --connect`. Only reads.

Each function gives its findings one by one, and returns what the next one needs.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import NamedTuple

import pyarrow as pa

from contact_sync.b2core.reader import B2Core
from contact_sync.base.errors import FatalError
from contact_sync.base.findings import Area, Finding, Judgement
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts import mapping
from contact_sync.contacts.account_drift import field_drift, list_drift, told_by_drift
from contact_sync.contacts.destination import Destination
from contact_sync.sendgrid import scopes
from contact_sync.sendgrid.api import SendGridApi

NO_XMIN = re.compile(r"column (\w+\.|\")?xmin\"? does not exist")


class Statements(NamedTuple):
    """`columns` of clients.sql, None = it can't be run; `are_right`: all statements are."""

    columns: pa.Schema | None
    are_right: bool


class Account(NamedTuple):
    """The list's id, None = there is none, or none is wanted; all fields."""

    list_id: str | None
    fields: list[SendGridField]


def source_findings(
    source: B2Core, definition: SyncDefinition, *, ask_role: bool = True
) -> Generator[Finding, None, Statements]:
    """The connection, what its role may do, and each statement by itself, without its rows.

    `ask_role`: a look through all tables and functions, which costs B2CORE as much as all the rest.
    Raises ConfigError or RetryableError when B2CORE can't be reached.
    """
    with source.snapshot() as snapshot:
        yield Finding(Area.B2CORE, "connection", Judgement.OK, definition.connections.b2core)
        if ask_role:
            yield snapshot.role()
        if refused := snapshot.refused_functions():
            yield Finding(
                Area.B2CORE, "functions", Judgement.WARNING,
                f"the server refuses {', '.join(refused)} to the role that reads: a restored or "
                f"replaced server is noticed only by what else has changed, and by the full run "
                f"every `full_every_hours`", "GRANT EXECUTE ON FUNCTION … TO that role",
            )  # fmt: skip
    clients, are_right = None, True
    for name in ("clients", "scan", f"changed_{definition.source.change_detection}"):
        columns, wrong = _statement(source, name)
        if columns is not None and name == "clients":
            clients = columns  # judged together with the mapping
        elif columns is not None:
            wrong = mapping.contract_problems(name, columns)
        are_right = are_right and not wrong
        for said in wrong:
            fix = _fix(said, source)
            yield Finding(Area.B2CORE, f"{name}.sql", Judgement.WRONG, said, fix)
    return Statements(clients, are_right)


def _statement(source: B2Core, name: str) -> tuple[pa.Schema | None, list[str]]:
    try:
        if seen := source.seen_problems(name):
            return None, list(seen)
        with source.snapshot() as snapshot:
            columns = snapshot.columns(name)
            snapshot.plan(name)  # only then the server checks what the role may read
            return columns, []
    except FatalError as error:
        return None, [str(error)]


def _fix(said: str, source: B2Core) -> str:
    if NO_XMIN.search(said):
        return (
            "a view has no xmin unless it selects it: name the table below it, or say "
            "change_detection: updated_at in the definition's source"
        )
    if "(42501)" in said and "row-level security" not in said:
        return f"run include/sql/{source.folder.name}/roles.sql as the database's administrator"
    return ""


def account_findings(
    api: SendGridApi, definition: SyncDefinition, before: Destination | None
) -> Generator[Finding, None, Account | None]:
    """The key and the list; `before` is what the last run sent to. None: the key doesn't suffice.

    Raises AuthError for a refused key.
    """
    granted = api.scopes()
    if missing := scopes.missing(granted):
        said = (
            f"the SendGrid key of connection {definition.connections.sendgrid!r} lacks the scope "
            f"{', '.join(missing)}"
        )
        fix = "give it Marketing: Full Access"
        yield Finding(Area.SENDGRID, "key", Judgement.WRONG, said, fix)
        return None
    too_wide = scopes.warning(granted)
    judgement = Judgement.WARNING if too_wide else Judgement.OK
    right = "it works and may read; whether it may write shows with the first write"
    yield Finding(Area.SENDGRID, "key", judgement, too_wide or right)
    what_for = _wants_suppressions(definition)
    if what_for and not scopes.knows_suppressions(granted):
        said = f"it has no scope suppression.*: {what_for}"
        fix = "give it Suppressions: Full Access, and Unsubscribe Groups"
        yield Finding(Area.SENDGRID, "key", Judgement.WARNING, said, fix)
    list_id = None
    if definition.list is not None:
        lists = api.lists()
        list_id = lists.get(definition.list)
        if list_id is None:
            drifted = list_drift(definition, before, lists)
            yield Finding(Area.SENDGRID, "list", Judgement.WRONG, drifted)
        else:
            yield Finding(Area.SENDGRID, "list", Judgement.OK, definition.list)
    return Account(list_id, list(api.fields()))


def _wants_suppressions(definition: SyncDefinition) -> str:
    """What doesn't work without access to SendGrid's suppressions; "" if they aren't wanted."""
    if definition.suppressions is not None:
        return "the definition's `suppressions` can't be read, and no run succeeds"
    if definition.carry_suppressions:
        return "clients with a new address are held (or say carry_suppressions: false)"
    return ""


def mapping_findings(
    definition: SyncDefinition, before: Destination | None, positions: list[str],
    columns: pa.Schema, account: Account, *, accept_types: bool,
) -> Generator[Finding, None, mapping.Mapping | None]:  # fmt: skip
    """Whether columns and fields fit; `positions` are those of the fields in the ledger's masks.
    `accept_types`: fields that have another type than for the last run are all right."""
    drifted = field_drift(definition, before, account.fields, accept_types=accept_types)
    resolved, problems = mapping.resolve(
        definition, account.fields, columns, positions, account.list_id
    )
    problems = told_by_drift(drifted, problems)
    for problem in problems:
        yield Finding(Area.DEFINITION, "fields", Judgement.WRONG, problem)
    if resolved and not problems:
        many = len(resolved.fields) + 1
        yield Finding(
            Area.DEFINITION,
            "fields",
            Judgement.OK,
            f"{count(many, 'field is', 'fields are')} mapped",
        )
        return resolved
    return None
