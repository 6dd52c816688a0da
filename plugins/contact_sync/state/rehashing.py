"""Apply a new key to every hash of a text that this database keeps, in the caller's transaction.

Hashes are made by one key after the other (contacts.hash_keys), so that no text is needed. Side
tables of verifications are left out: none is under way. So are slices: their runs are fenced off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contact_sync.base.erasure_steps import TombstoneKind
from contact_sync.contacts.hash_keys import Hashing, HashKey
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import outbox_blocks, statements

SQL = statements.load("rehashing")
AT_ONCE = 50_000
"""Rows of a statement."""
DRY_RUN_ENDED = (
    "The hashes in the state database got another key while it was under way, so that it can't "
    "compare with them any more: start it again"
)
IN_PARTS = {
    "ledger": (SQL["syncs_with_ledger"], SQL["ledger_part"], SQL["rehash_ledger"]),
    "outbox": (SQL["runs_with_outbox"], SQL["outbox_part"], SQL["rehash_outbox"]),
}
"""Tables with a row for each client: what its rows are grouped by, some of a group, new hashes."""
BY_HASH = (
    SQL["rehash_removals"], SQL["rehash_moves"], SQL["rehash_suppressions"],
    SQL["rehash_suppressions_due"], SQL["rehash_findings"], SQL["rehash_refused_values"],
    SQL["rehash_erasures"],
)  # fmt: skip
"""All others that have any, but for tombstones. A test compares both with the schema."""


def all_idle(cursor: Cursor, sync_id: int) -> bool:
    """Whether nobody but the holder of this sync's lease (0 = of none) is at work on this database,
    and nobody can begin until the transaction ends; whoever has lost its lease is fenced off, and
    dry runs, which have none, end as failed."""
    parameters = {"sync_id": sync_id}
    if not one(cursor, SQL["all_idle"], parameters)["found"]:
        return False
    cursor.execute(SQL["fence_off"], parameters)
    cursor.execute(SQL["end_dry_runs"], {"cause": DRY_RUN_ENDED})
    return True


def fits_tombstones(cursor: Cursor, new: Sequence[HashKey]) -> bool:
    """Whether all tombstones that were made while hashes were plain have the first of these keys:
    they become the hashes' own then, and can't otherwise."""
    return {row["key_id"] for row in many(cursor, SQL["tags"])} <= {new[0].key_id}


def rehash(cursor: Cursor, before: Sequence[str], new: Sequence[HashKey]) -> int:
    """Apply the keys to what those `before` were applied to; returns how many rows of clients
    changed. Nobody may be at work."""
    keys = Hashing(tuple(new))
    outbox_blocks.unpack_all(cursor)
    done = sum(_in_parts(cursor, keys, *which) for which in IN_PARTS.values())
    old = np.array([row["old"] for row in many(cursor, SQL["other_hashes"])], np.int64)
    mapping = {"old": old.tolist(), "new": keys.keyed(old).tolist()}
    for statement in BY_HASH:
        cursor.execute(statement, mapping)
    # Those that were made over plain hashes have the first key already.
    _tombstones(cursor, keys if before else Hashing(tuple(new[1:])))
    for key in new:
        cursor.execute(SQL["add"], {"key_id": key.key_id})
    return done


def _in_parts(cursor: Cursor, keys: Hashing, groups: str, part: str, write: str) -> int:
    done = 0
    for group in many(cursor, groups):
        asked = {"group_id": group["id"], "first_id": -(2**63), "at_most": AT_ONCE}
        while rows := many(cursor, part, asked):
            columns = {name: np.array([row[name] for row in rows], np.int64) for name in rows[0]}
            ids = columns.pop("id").tolist()
            hashed = {name: keys.keyed(column).tolist() for name, column in columns.items()}
            cursor.execute(write, asked | {"id": ids} | hashed)
            done += len(rows)
            if len(rows) < AT_ONCE:
                break
            asked["first_id"] = ids[-1] + 1
    return done


def _tombstones(cursor: Cursor, keys: Hashing) -> None:
    rows = many(cursor, SQL["tags"])
    for kind in TombstoneKind:
        old = np.array([row["old"] for row in rows if row["kind"] == kind], np.int64)
        new = keys.clients(old) if kind is TombstoneKind.CLIENT else keys.keyed(old)
        parameters = {"kind": kind, "old": old.tolist(), "new": new.tolist()}
        cursor.execute(SQL["rehash_tombstones"], parameters)
