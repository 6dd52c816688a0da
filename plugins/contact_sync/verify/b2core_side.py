"""Load B2CORE's side of a verification: what each client calls for, as hashes.

Whether a client is sent is decided as in a run, by the same pure functions: from one snapshot for
the addresses, and one for each slice of rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from contact_sync.b2core.statements import texts_hash
from contact_sync.base.arrays import Int64, Mask, rows_of, taken
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.numbers import count
from contact_sync.base.verdicts import CallsFor
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.decision import Decision, decide
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.meaning import bits, meant
from contact_sync.contacts.payloads import value_columns
from contact_sync.contacts.persons import compare_persons
from contact_sync.contacts.refused_values import Refused
from contact_sync.contacts.selection import Scan, are_looked_at, are_rejected, verdicts
from contact_sync.contacts.text_columns import arrow
from contact_sync.contacts.transform import Transformed, transform
from contact_sync.postgres.arrow_reader import ahead, give_memory_back
from contact_sync.run.run_kind import refuse_stale
from contact_sync.run.scan_clients import (
    changed_clients,
    scan_clients,
    with_suppressions,
    without_erased,
)
from contact_sync.state import rebuilds, refused_values, runs, sides
from contact_sync.state.ledger import ledger_rows
from contact_sync.state.runs import SyncState
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.context import open_verification

log = logging.getLogger(__name__)
CALLS_FOR = {
    Decision.SEND: CallsFor.CONTACT, Decision.UNCHANGED: CallsFor.CONTACT,
    Decision.EXCLUDED: CallsFor.EXCLUDED, Decision.REJECTED: CallsFor.REJECTED,
    Decision.REFUSED: CallsFor.REJECTED, Decision.SHARED: CallsFor.SHARED,
    Decision.REMOVED: CallsFor.REMOVED_BY_HAND, Decision.MOVED: CallsFor.MOVED,
    Decision.ERASED: CallsFor.MOVED,  # nobody: without_erased has left them out
}  # fmt: skip
MOST_AT_ONCE = 100_000
"""Clients of a slice, whose rows of the ledger are in memory at once."""
_WORDS = pa.array([str(CALLS_FOR[decision]) for decision in Decision])


@dataclass(frozen=True, slots=True)
class Seen:
    """All clients by id as one scan saw them. `verdict`: as a run would have it; `changed`: who has
    changed since the last run, ascending; `waits`: whether the next run, or one that is under way,
    looks at everybody, at nobody, or (None) at whom it would choose."""

    scan: Scan
    verdict: np.typing.NDArray[np.int8]
    changed: Int64
    waits: bool | None
    here: SourceSnapshot

    def part(self, part: slice) -> Seen:
        """The same of some clients."""
        scan = self.scan
        suppressed = None if scan.suppressed is None else scan.suppressed[part]
        cut = Scan(scan.client_id[part], scan.email_hash[part], scan.excluded[part], suppressed)
        return replace(self, scan=cut, verdict=self.verdict[part])

    def waiting(self, known: LedgerRows) -> Mask:
        """Whom a run looks at anyway. `known`: rows of the ledger, with these clients' own."""
        if self.waits is not None:
            return np.full(len(self.scan.client_id), self.waits)
        own = known.rows_of(self.scan.client_id)
        return are_looked_at(self.scan, own, self.verdict, self.changed)


def load_b2core_side(sync: Sync, verification_id: int, holder: str | None = None) -> int:
    """Read B2CORE and store what each client calls for; returns how many clients there are.
    Repeating it replaces what an earlier try stored; once it is complete, nothing is done."""
    found = open_verification(sync, verification_id, holder)
    if found.snapshot is not None:
        return found.counts["clients"]
    sides.begin_reading(sync.state, found)
    with writing(sync.state, found) as cursor:
        rebuilds.begin_proofs(cursor, verification_id)
    seen = look(sync, found)
    give_memory_back()
    size = min(sync.definition.tuning.slice_clients, MOST_AT_ONCE)
    total = len(seen.scan.client_id)
    with sync.b2core.keeping_connections():
        for start in range(0, total, size):
            for chunk in ahead(_slice(sync, found, seen.part(slice(start, start + size)))):
                sides.add_clients(sync.state, found, chunk)
            give_memory_back()
            log.info(
                "Read of B2CORE: %s of %s", f"{min(start + size, total):,}", count(total, "client")
            )
    reach("clients_stored")
    return sides.clients_loaded(sync.state, found, seen.here)


def look(sync: Sync, found: Verification) -> Seen:
    """Scan all addresses, and find out whom the next run looks at."""
    mapping, definition = found.destination.mapping, sync.definition
    with sync.state.transaction() as cursor:
        known = runs.read_sync(cursor, definition.name)
        is_running = sides.is_running(cursor, known.sync_id)
    with sync.b2core.snapshot() as snapshot:
        here = replace(
            snapshot.position(), detection=str(definition.source.change_detection),
            statements=texts_hash(snapshot.folder, "clients", "scan"),
        )  # fmt: skip
        refuse_stale(definition, here)
        scan = scan_clients(snapshot, sync.hashing())
        changed = np.empty(0, np.int64)
        if known.watermark is not None and _is_comparable(known.watermark, here):
            changed = changed_clients(definition, snapshot, known.watermark)
    scan = with_suppressions(sync, found.sync_id, without_erased(sync, scan))
    rejected = are_rejected(scan, *sides.rejected_clients(sync.state, found.sync_id), changed)
    waits = True if _everyone_waits(known, here, mapping, is_running=is_running) else None
    if (known.watermark is None or found.rebuilds) and not is_running:
        waits = False
    here = replace(here, selected=len(scan.client_id))
    return Seen(scan, verdicts(scan, rejected), changed, waits, here)


def _everyone_waits(
    known: SyncState, here: SourceSnapshot, mapping: Mapping, *, is_running: bool
) -> bool:
    """Whether whatever the ledger doesn't have as B2CORE has it is sent by a run, because that one
    reads every client."""
    mark = known.watermark
    if mark is None:
        return is_running
    return known.mapping_version != mapping.version or not _is_comparable(mark, here)


def _is_comparable(mark: SourceSnapshot, here: SourceSnapshot) -> bool:
    """Whether what changed since the last run can be asked of this server."""
    return (mark.system_identifier, mark.timeline, mark.detection) == (
        here.system_identifier, here.timeline, here.detection,
    )  # fmt: skip


def _slice(sync: Sync, found: Verification, seen: Seen) -> Iterator[pa.RecordBatch]:
    """The clients of a part of the scan, chunk by chunk; at the end who has vanished since."""
    ids = seen.scan.client_id
    known = ledger_rows(sync.state, found.sync_id, ids)
    bounds = int(ids[0]), int(ids[-1])
    with sync.state.transaction() as cursor:
        refused = refused_values.read(cursor, found.sync_id, *bounds)
        stale = sides.stale_fields(cursor, found.sync_id, *bounds)
    mapping, left = found.destination.mapping, np.ones(len(ids), bool)
    hashing = sync.hashing()
    reduce = _Reducer(found, seen, known, refused, stale)
    with sync.b2core.snapshot() as snapshot:
        for batch in ahead(snapshot.clients(mapping.columns, *bounds, None)):
            transformed = transform(batch, mapping, hashing, refused)
            del batch  # or it is kept while the next one is transformed
            rows, chunk = reduce.as_hashes(transformed)
            del transformed
            left[rows] = False
            if found.rebuilds:
                with writing(sync.state, found) as cursor:
                    rebuilds.add_proofs(cursor, found.verification_id, reduce.sent)
            yield chunk
    yield reduce.vanished(left)


class _Reducer:
    """Reduces the clients of a slice to rows of B2CORE's side."""

    def __init__(
        self,
        found: Verification,
        seen: Seen,
        known: LedgerRows,
        refused: Refused,
        stale: tuple[Int64, Int64],
    ) -> None:
        self._id, self._rebuilds = found.verification_id, found.rebuilds
        self._mapping = found.destination.mapping
        self._ids = seen.scan.client_id
        self._email_hash = seen.scan.email_hash
        self._verdict, self._waits = seen.verdict, seen.waiting(known)
        self._known, self._refused, self._stale = known, refused, stale
        self.sent = pd.DataFrame()
        """Of the chunk before, the clients that call for a contact, as `transform` has them; only
        for a rebuild."""

    def as_hashes(self, transformed: Transformed) -> tuple[Int64, pa.RecordBatch]:
        """A chunk of clients that the scan saw, and their places in the slice; others are new."""
        clients = transformed.frame
        rows, is_seen = rows_of(self._ids, clients["client_id"].to_numpy(np.int64))
        if not is_seen.all():  # a copy of all that is sent
            clients, rows = clients[is_seen].reset_index(drop=True), rows[is_seen]
        known = self._known
        if self._mapping.has_person_key:
            known = known.without(compare_persons(clients, known).others)
        decided = decide(clients, self._email_hash[rows], self._verdict[rows], known)
        unchanged = decided.decision == Decision.UNCHANGED
        if self._rebuilds:
            self.sent = clients[np.isin(decided.decision, (Decision.SEND, Decision.UNCHANGED))]
        ids = clients["client_id"].to_numpy(np.int64)
        return rows, self._batch(
            ids,
            clients["email_hash"].to_numpy(np.int64),
            _WORDS.take(pa.array(decided.decision)),
            self._waits[rows] & ~unchanged,
            clients["row_hash"].to_numpy(np.int64),
            self._left_out(ids, clients["filled"].to_numpy(np.int64)),
        )

    def vanished(self, left: Mask) -> pa.RecordBatch:
        """Clients that were scanned and can't be read: deleted meanwhile."""
        n = int(left.sum())
        zeros = np.zeros(n, np.int64)
        words = pa.array([str(CallsFor.MOVED)] * n, pa.string())
        return self._batch(
            self._ids[left], self._email_hash[left], words, np.ones(n, bool), zeros, zeros
        )  # fmt: skip

    def _batch(
        self,
        ids: Int64,
        email_hash: Int64,
        words: pa.Array,
        waits: Mask,
        row_hash: Int64,
        left_out: Int64,
    ) -> pa.RecordBatch:
        same = np.full(len(ids), self._id)
        columns = [same, ids, email_hash, words, waits, row_hash, left_out]
        return pa.RecordBatch.from_arrays(list(map(pa.array, columns)), schema=sides.CLIENTS)

    def _left_out(self, ids: Int64, filled: Int64) -> Int64:
        """Fields, by position, that B2CORE has no value for, and SendGrid may: it refused the
        present value, or can't clear a former one."""
        stale = taken(self._stale[1], *rows_of(self._stale[0], ids))
        masks = []
        for field in self._mapping.fields:
            mask = np.zeros(len(ids), bool)
            if field.name in self._refused:
                mask |= rows_of(self._refused[field.name].client_id, ids)[1]
            if field.type is not FieldType.TEXT:
                mask |= (stale >> field.bit & 1).astype(bool)
            masks.append(mask & (filled >> field.bit & 1 == 0))
        return bits(masks)


def hashes_of(clients: pd.DataFrame, mapping: Mapping) -> list[Int64]:
    """What the values of clients, as `transform` has them, mean: a column for each field."""
    values = value_columns(arrow(clients["payload"]), mapping)
    return [meant(field, column)[0] for field, column in zip(mapping.fields, values, strict=True)]
