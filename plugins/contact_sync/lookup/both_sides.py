"""What the account and the statements offer a mapping: lists, fields, columns with samples.

For a person who maps them; what can't be asked is said, and hides nothing of the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from contact_sync.b2core.reader import B2Core, Snapshot
from contact_sync.base.errors import told_safely
from contact_sync.base.masking import veiled
from contact_sync.base.vocabulary import SendGridField
from contact_sync.contacts.source_types import plain
from contact_sync.postgres.arrow_reader import rows_of
from contact_sync.reporting.explanation import as_text
from contact_sync.sendgrid.api import SendGridApi

SAMPLES = 3
CLIENTS = 50
_SOME = """
SELECT DISTINCT client_id FROM (
    SELECT client_id FROM (
    {scan}
    ) AS scan
    WHERE client_id IS NOT NULL
    LIMIT {limit}
) AS clients
"""
"""Those that come first: a page can't wait until all of them are read."""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of clients.sql, and at most SAMPLES different values of it, veiled."""

    field: pa.Field
    samples: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.field.name)


@dataclass(frozen=True, slots=True)
class Account:
    """What SendGrid has: the names of the lists, sorted, and the fields in its order. None = it
    couldn't be asked, and `problem` says why."""

    lists: list[str] | None
    fields: list[SendGridField] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """What clients.sql gives; None = it couldn't be asked. `problem`: why, or why there are no
    samples."""

    columns: list[SourceColumn] | None
    problem: str = ""


def seen_account(open_sendgrid: Callable[[], SendGridApi]) -> Account:
    """Lists and fields of the account as they are now; two calls, or a few more for many lists."""
    lists: list[str] | None = None
    try:
        with closing(open_sendgrid()) as api:
            lists = sorted(api.lists())
            return Account(lists, api.fields())
    except Exception as error:  # noqa: BLE001 only translated: the other side is asked all the same
        return Account(lists, None, str(told_safely(error)))


def seen_columns(open_b2core: Callable[[], B2Core]) -> Columns:
    """The columns of clients.sql, with samples of the clients that come first."""
    found: pa.Schema | None = None
    try:
        with open_b2core().snapshot() as snapshot:
            found = snapshot.columns()
            samples = _samples(snapshot, found)
    except Exception as error:  # noqa: BLE001 only translated: the other side is asked all the same
        without = None if found is None else [SourceColumn(each) for each in found]
        return Columns(without, str(told_safely(error)))
    return Columns([SourceColumn(each, samples.get(each.name, ())) for each in found])


def _samples(snapshot: Snapshot, columns: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Column → some of its values, veiled as soon as they are read."""
    sql = _SOME.format(scan=snapshot.text("scan"), limit=CLIENTS)
    ids = snapshot.ids_by(sql, "scan")
    names = [name for name in columns.names if '"' not in name]
    if not ids or not names:
        return {}
    read = names if "client_id" in names else [*names, "client_id"]
    values: dict[str, dict[str, None]] = {name: {} for name in names}
    batches = snapshot.clients(read, min(ids), max(ids), np.array(ids, np.int64))
    for batch in batches:
        for row in rows_of(plain(batch)):
            for name in names:
                value = as_text(row[name]).strip()
                if value and len(values[name]) < SAMPLES:
                    values[name][value] = None
    return {name: tuple(map(veiled, some)) for name, some in values.items()}
