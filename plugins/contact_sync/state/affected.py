"""Who in the ledger has to do with clients that changed in B2CORE, found by indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import numpy as np

from contact_sync.base.arrays import Int64, united
from contact_sync.postgres.cursor import Cursor, one, rows_as
from contact_sync.state import statements
from contact_sync.state.runs import Run

SQL = statements.load("affected")


@dataclass(frozen=True, slots=True)
class RunBefore:
    """The sync's newest real run before: it leaves the ledger as an incremental run does that has
    succeeded (`is_fit`), has looked at nobody and sent nothing (`was_quiet`); since it began a
    verification has been at work (`is_verified`), or an erasure was lifted (`is_lifted`). `books`:
    clients by fate when it ended."""

    kind: str
    is_fit: bool
    was_quiet: bool
    is_verified: bool
    is_lifted: bool
    books: dict[str, int]


def run_before(cursor: Cursor, run: Run) -> RunBefore | None:
    """None for a sync's first run."""
    parameters = {"sync_id": run.sync_id, "run_id": run.run_id,
                  "definition_hash": run.definition_hash}  # fmt: skip
    found = rows_as(RunBefore, cursor, SQL["run_before"], parameters)
    return found[0] if found else None


def forget_counts(cursor: Cursor, sync_id: int) -> None:
    """The next run reads B2CORE as a whole: the ledger was changed by what no change there tells
    of. To be called in the transaction that changes it."""
    cursor.execute(SQL["forget_counts"], {"sync_id": sync_id})


def waiting(cursor: Cursor, sync_id: int) -> Int64:
    """Clients that every run looks at, whatever changed."""
    return _column(cursor, SQL["waiting"], sync_id)


def rejected_sharing(cursor: Cursor, sync_id: int) -> Int64:
    """Rejected clients whose address others have, too."""
    return _column(cursor, SQL["rejected_sharing"], sync_id)


def nobody_waits(cursor: Cursor, sync_id: int, *, quiet: bool) -> bool:
    """Whether both are empty; `quiet`: no rejection is news."""
    queries = [SQL["waiting"]] if quiet else [SQL["waiting"], SQL["rejected_sharing"]]
    return all(cursor.execute(q, {"sync_id": sync_id}).fetchone() is None for q in queries)


def addresses_of(cursor: Cursor, sync_id: int, ids: Int64) -> Int64:
    """Hashes of the addresses that B2CORE had for these clients when they were looked at last."""
    return _column(cursor, SQL["addresses_of"], sync_id, client_ids=ids)


def sharing(cursor: Cursor, sync_id: int, hashes: Int64) -> Int64:
    """Clients that had one of these addresses then."""
    return _column(cursor, SQL["sharing"], sync_id, email_hashes=hashes)


def taken(cursor: Cursor, sync_id: int, hashes: Int64) -> Int64:
    """Those of the addresses that have a contact, or may have one that is no client's."""
    return _column(cursor, SQL["taken"], sync_id, email_hashes=hashes)


def _column(cursor: Cursor, query: LiteralString, sync_id: int, **arrays: Int64) -> Int64:
    values = {name: array.tolist() for name, array in arrays.items()}
    cursor.execute(query, {"sync_id": sync_id, **values})
    found = [next(iter(row.values())) for row in cursor]
    return united(np.array(found, np.int64))


def count_present(cursor: Cursor, sync_id: int, ids: Int64) -> int:
    """How many of these clients the ledger knows, and the last snapshots held."""
    parameters = {"sync_id": sync_id, "client_ids": ids.tolist()}
    return int(one(cursor, SQL["count_present"], parameters)["n"])
