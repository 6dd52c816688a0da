"""Open a sync: read its definition and turn its Airflow connections into handles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from contact_sync.airflow_edge.dsn import found, postgres_dsn
from contact_sync.airflow_edge.hash_keys import hash_keys
from contact_sync.airflow_edge.sendgrid_connection import open_api
from contact_sync.config.account_profile import NOTHING_KNOWN, read_profile
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definition, source_folder
from contact_sync.sendgrid.transport import Limits
from contact_sync.state.database import StateDatabase

if TYPE_CHECKING:
    from contact_sync.b2core.reader import B2Core
    from contact_sync.base.marks import Marks
    from contact_sync.contacts.hash_keys import HashKeys
    from contact_sync.run.checklist import Setup
    from contact_sync.sendgrid.api import SendGridApi
    from contact_sync.sync import Databases, Sync

PAGE_SECONDS = 10
PAGE_LIMITS = Limits(answer_seconds=PAGE_SECONDS, retry_seconds=PAGE_SECONDS)


@contextmanager
def open_sync(name: str, marks: Marks | None = None) -> Iterator[Sync]:
    """The sync called `name` with open handles; `marks`: where its runs leave theirs.

    Raises ConfigError for whatever is wrong.
    """
    # Not above: the triggerer needs only the state database, and Arrow takes it a second.
    from contact_sync.sync import Sync

    definition = read_definition(name)
    with found(definition.name):
        b2core = open_b2core(definition)
        state = open_state(definition)
        sendgrid = open_api(definition.connections.sendgrid, read_only=definition.shadow)
    keys = cache(partial(open_hash_keys, definition))
    try:
        profile = NOTHING_KNOWN if definition.account is None else read_profile(definition.account)
        with state.keeping_connections():
            yield Sync(definition, b2core, state, sendgrid, marks, hash_keys=keys, profile=profile)
    finally:
        sendgrid.close()


@contextmanager
def open_databases(name: str) -> Iterator[Databases]:
    """The two databases of the sync called `name`, for a look-up; SendGrid's connection need not be
    there. Raises ConfigError for whatever is wrong."""
    opened = databases_of(name)
    with opened.state.keeping_connections():
        yield opened


def databases_of(name: str) -> Databases:
    """The same for whoever keeps no connection of the state database."""
    from contact_sync.sync import Databases

    definition = read_definition(name)
    with found(definition.name):
        return Databases(
            definition, open_b2core(definition), open_state(definition),
            hash_keys=cache(partial(open_hash_keys, definition)),
        )  # fmt: skip


@contextmanager
def open_sendgrid(definition: SyncDefinition) -> Iterator[SendGridApi]:
    """The sync's SendGrid alone. Raises ConfigError for a wrong connection."""
    with found(definition.name):
        sendgrid = open_api(definition.connections.sendgrid)
    try:
        yield sendgrid
    finally:
        sendgrid.close()


def open_hash_keys(definition: SyncDefinition) -> HashKeys:
    """The keys of the hashes. Raises ConfigError."""
    with found(definition.name):
        return hash_keys(definition.connections.hash_key)


def open_state(definition: SyncDefinition) -> StateDatabase:
    """The sync's state database alone. Raises ConfigError for a wrong connection."""
    with found(definition.name):
        connection = definition.connections.state
        return StateDatabase(postgres_dsn(connection), connection)


def open_b2core(definition: SyncDefinition, most_seconds: int | None = None) -> B2Core:
    """The sync's B2CORE alone, whose statements take `most_seconds` at most, if given, and never
    longer than the definition says. Raises ConfigError for a wrong connection or folder."""
    from contact_sync.b2core.reader import B2Core

    seconds = definition.source.statement_timeout_seconds
    return B2Core(
        postgres_dsn(definition.connections.b2core),
        source_folder(definition),
        min(seconds, most_seconds or seconds),
    )


def setup_of(definition: SyncDefinition, oversights: list[str]) -> Setup:
    """What `checklist` looks at."""
    from contact_sync.run.checklist import Setup

    return Setup(
        definition,
        oversights,
        partial(open_state, definition),
        partial(open_b2core, definition),
        partial(open_api, definition.connections.sendgrid, read_only=definition.shadow),
        cache(partial(open_hash_keys, definition)),
    )


def quick_setup_of(definition: SyncDefinition, oversights: list[str]) -> Setup:
    """The same for a page, whose reader waits: no statement and no call takes longer than
    PAGE_SECONDS, and not every client is read."""
    return replace(
        setup_of(definition, oversights),
        open_b2core=partial(open_b2core, definition, PAGE_SECONDS),
        open_sendgrid=partial(open_api, definition.connections.sendgrid, PAGE_LIMITS),
        reads_clients=False,
    )
