"""The ledger: per client, what SendGrid confirmed last. Bulk reads come as arrays by client id."""

from __future__ import annotations

from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contact_sync.base.arrays import Int64
from contact_sync.base.client_life import OF_CONTACT, SAID_BY_SENDGRID, Cause, Fate
from contact_sync.base.vocabulary import MAX_REASONS, ExclusionReason, Refusal, RefusalSum
from contact_sync.base.words import counted
from contact_sync.contacts.arrow_columns import numbers
from contact_sync.contacts.ledger_rows import KnownClients, LedgerRows
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.copying import copy_batches
from contact_sync.postgres.cursor import Cursor, analyze, many, one
from contact_sync.state import statements
from contact_sync.state.database import WHAT, StateDatabase

SQL = statements.load("ledger")
MAX_LISTED_IDS = 20_000
ENOUGH_ABSENCES = 2
"""A client that so many snapshots in a row didn't hold is gone: one look may be wrong."""
MANY = 1_000
"""Contacts, from which on the state database's plans matter."""


def known_clients(state: StateDatabase, sync_id: int) -> KnownClients:
    """All clients that the sync knows."""
    return KnownClients(*_read(state, SQL["known_clients"], sync_id=sync_id))


def confirmed_sample(cursor: Cursor, sync_id: int, *, at_most: int, older_than: float) -> list[str]:
    """Addresses of contacts that SendGrid confirmed more than `older_than` seconds ago."""
    parameters = {"sync_id": sync_id, "at_most": at_most, "seconds": older_than}
    return [row["email"] for row in many(cursor, SQL["confirmed_sample"], parameters)]


def ledger_rows(state: StateDatabase, sync_id: int, ids: Int64) -> LedgerRows:
    """The ledger rows of the ordered `ids`, and perhaps of others between them."""
    if len(ids) <= MAX_LISTED_IDS:
        return LedgerRows(*_read(state, SQL["rows_of_clients"], sync_id=sync_id, client_ids=ids))
    bounds = {"first_id": int(ids[0]), "last_id": int(ids[-1])}
    return LedgerRows(*_read(state, SQL["rows_of_range"], sync_id=sync_id, **bounds))


def _read(state: StateDatabase, statement: LiteralString, **values: Any) -> list[npt.NDArray[Any]]:
    """The statement's columns as arrays."""
    fates = {fate.word: int(fate) for fate in Fate}
    causes = {f"by_{cause.name.lower()}": int(cause) for cause in Cause}
    reasons = {
        "excluded_address": str(ExclusionReason.EXCLUDED_ADDRESS),
        "suppressed_at_sendgrid": str(ExclusionReason.SUPPRESSED_AT_SENDGRID),
        "reasons_of_sendgrid": [str(reason) for reason in SAID_BY_SENDGRID],
        "reasons_of_contact": [str(reason) for reason in OF_CONTACT],
    }
    query = statements.with_values(statement, **fates, **causes, **reasons, **values)
    with state.reader() as connection:
        found = arrow_reader.table(connection, query, WHAT).columns
    return [_array(found.pop(0)) for _ in range(len(found))]  # each is freed when copied


def analyze_ledger(state: StateDatabase) -> None:
    """Tell the planner how many clients there are by now: of a ledger that was just filled it
    thinks that any range of clients is one client, and reads the range again for each contact.
    """
    with state.transaction() as cursor:
        analyze(cursor, "contact_sync.ledger (sync_id, client_id)")


def analyze_fates(state: StateDatabase) -> None:
    """Tell the planner what the ledger's partial indexes are about: it takes every client for one
    to be found by them, and reads the whole ledger instead, in each run until it is told.
    """
    with state.transaction() as cursor:
        analyze(
            cursor,
            "contact_sync.ledger (sync_id, client_id, state, email_hash, contact_hash, reason, "
            "absent, stale, tries, off_list)",
        )


def _array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(column.combine_chunks().to_numpy(zero_copy_only=False))


def read_removal_hashes(state: StateDatabase, sync_id: int) -> Int64:
    """Hashes of addresses whose contacts may exist although they are no client's."""
    with state.transaction() as cursor:
        rows = many(cursor, SQL["read_removal_hashes"], {"sync_id": sync_id})
    return np.array([row["email_hash"] for row in rows], np.int64)


def observe_absences(
    cursor: Cursor, run: tuple[int, int], gone: Int64, *, believed: bool, approved: bool
) -> None:
    """Count for each ledger client in how many snapshots in a row it was not in B2CORE.

    `run` = (sync_id, run_id): a repeated task counts once. Not `believed`: no absence is counted,
    but who is present has been seen. `approved`: a person says that these clients are really
    gone, which stands for the second look.
    """
    if len(gone) == 0:
        cursor.execute(SQL["see_everybody"], {"sync_id": run[0]})
        return
    cursor.execute(SQL["create_gone"])
    clients = pa.RecordBatch.from_arrays([numbers(gone)], ["client_id"])
    copy_batches(cursor, "pg_temp.gone", clients.schema, [clients])
    parameters = {"sync_id": run[0], "run_id": run[1], "enough": ENOUGH_ABSENCES if approved else 1}
    cursor.execute(SQL["see_present"], {"sync_id": run[0]})
    if believed:
        cursor.execute(SQL["count_absences"], parameters)


def count_retiring(cursor: Cursor, run: tuple[int, int], gone: Int64, *, approved: bool) -> int:
    """How many contacts of absent clients this run is going to remove; before observe_absences."""
    before = 0 if approved else ENOUGH_ABSENCES - 1
    row = one(
        cursor,
        SQL["count_retiring"],
        {"sync_id": run[0], "run_id": run[1], "client_ids": gone.tolist(), "enough": before},
    )
    return int(row["n"])


def count_listed(cursor: Cursor, sync_id: int) -> int:
    """How many clients have a contact: all of them are members of the sync's list."""
    return int(one(cursor, SQL["count_listed"], {"sync_id": sync_id})["n"])


def count_absent(cursor: Cursor, sync_id: int) -> int:
    """How many clients of the ledger the last snapshots didn't hold."""
    return int(one(cursor, SQL["count_absent"], {"sync_id": sync_id})["n"])


def count_by_fate(
    cursor: Cursor, sync_id: int, only: tuple[int, ...] | None = None
) -> dict[str, int]:
    """How many clients of the ledger, all or these only, have which fate, of the four that reports
    know."""
    statement = SQL["count_by_state"] if only is None else SQL["count_chosen"]
    rows = many(cursor, statement, {"sync_id": sync_id, "client_ids": list(only or ())})
    found = {row["state"]: row["n"] for row in rows}
    everyone = found.pop("all")
    counted = {fate.word: 0 for fate in Fate if fate.counted_as is fate}
    counted[Fate.CONFIRMED.word] = everyone - sum(found.values())
    for state, n in found.items():
        counted[Fate.of(state).counted_as.word] += n
    return counted


def count_refused(cursor: Cursor, sync_id: int, run_id: int) -> dict[str, int]:
    """Clients that SendGrid refused in this run, by `words.counted`; rare reasons together."""
    parameters = {"sync_id": sync_id, "run_id": run_id, "reasons": list(Refusal)}
    rows = many(cursor, SQL["count_refused"], parameters)
    found = {counted(r["field"], r["reason"], r["detail"]): r["n"] for r in rows[:MAX_REASONS]}
    if rare := sum(row["n"] for row in rows[MAX_REASONS:]):
        found[counted("contact", RefusalSum.OTHER_REFUSALS)] = rare
    return found


def count_newly_rejected(cursor: Cursor, sync_id: int, run_id: int) -> int:
    """Clients that are rejected since the run began, and weren't before."""
    ids = {"sync_id": sync_id, "run_id": run_id}
    return int(one(cursor, SQL["count_newly_rejected"], ids)["n"])


def count_having(cursor: Cursor, sync_id: int, bits: dict[str, int]) -> dict[str, int]:
    """In how many contacts the sync has filled each of the fields, given by name and bit."""
    if not bits:
        return {}
    rows = many(cursor, SQL["count_having"], {"sync_id": sync_id, "bits": list(bits.values())})
    found = {row["bit"]: int(row["n"]) for row in rows}
    return {name: found[bit] for name, bit in bits.items()}


def count_stale(cursor: Cursor, sync_id: int) -> int:
    """How many clients hold values at SendGrid that B2CORE emptied and nobody can clear."""
    return int(one(cursor, SQL["count_stale"], {"sync_id": sync_id})["n"])
