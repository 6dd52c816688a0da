"""Read a slice's clients, transform them, compare with the ledger, stage what differs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.changes import ChangeKind
from contact_sync.base.failpoints import reach
from contact_sync.base.json_columns import Staged
from contact_sync.base.vocabulary import RunKind
from contact_sync.contacts.destination import Destination
from contact_sync.contacts.known_account import by_csv
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.mapping import CLIENT_KEY, Mapping
from contact_sync.contacts.persons import compare_persons
from contact_sync.contacts.refused_values import Refused
from contact_sync.contacts.transform import NOTHING_REFUSED, Dropped, Transformed, transform
from contact_sync.postgres.arrow_reader import ahead
from contact_sync.postgres.cursor import Cursor
from contact_sync.run import cut_batches
from contact_sync.run.changes import few
from contact_sync.run.compare import Compared, Members, compare, vanished
from contact_sync.run.context import mapping_of, snapshot_of
from contact_sync.run.counting import Counts
from contact_sync.run.sending.changed_fields import SAMPLE, look_up_some
from contact_sync.state import (
    batches,
    changes,
    client_keys,
    dropped,
    fates,
    ledger,
    persons,
    refused_values,
    runs,
    staging,
)
from contact_sync.state.changes import StagedChange
from contact_sync.state.runs import Run
from contact_sync.state.staging import Slice
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Read:
    """What reading a slice has found, besides the contacts to send: `keep` for the ledger, `parted`
    ids that belong to other persons, `unnoted` persons, `keys`: how B2CORE calls the clients,
    `changes`: what people read, `changed`: of a dry run some changed contacts."""

    counts: Counts
    seen: Mask
    keep: list[pd.DataFrame] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    replaced: list[tuple[int, str]] = field(default_factory=list)
    parted: list[int] = field(default_factory=list)
    unnoted: list[pd.DataFrame] = field(default_factory=list)
    keys: list[pd.DataFrame] = field(default_factory=list)
    changes: list[pa.Table] = field(default_factory=list)
    changed: list[StagedChange] = field(default_factory=list)

    def keep_some(self, found: Compared) -> None:
        """Keep the first changed contacts of a dry run, which has no outbox, to look them up."""
        is_changed = pc.equal(found.changes.column("kind"), str(ChangeKind.CHANGED))
        ids = found.changes.filter(is_changed).column("client_id").to_numpy()
        send = found.send[found.send["client_id"].isin(ids)].head(SAMPLE - len(self.changed))
        columns = send[list(StagedChange._fields)]
        for client, email, payload, clears in columns.itertuples(index=False):
            self.changed.append(StagedChange(int(client), email, payload, int(clears)))

    def note_changes(self, cursor: Cursor, run: Run, part: Slice) -> None:
        """Note what people read of the slice."""
        dropped = sum(len(found.client_id) for found in self.dropped)
        changes.replace_changes(cursor, run.run_id, part, few(self.changes), dropped)

    def same_persons(self, frame: pd.DataFrame, known: LedgerRows, mapping: Mapping) -> LedgerRows:
        """What the ledger knows of the clients who are the same persons still."""
        if mapping.has_client_key:
            self.keys.append(frame[["client_id", CLIENT_KEY]])
        if not mapping.has_person_key:
            return known
        told = compare_persons(frame, known)
        self.parted.extend(told.others.tolist())
        self.unnoted.append(told.unnoted)
        return known.without(told.others)


def stage_clients(sync: Sync, run: Run, slice_no: int) -> Staged:
    """Stage one slice and return its counts; repeating it replaces what an earlier try staged.

    A dry run only counts.
    """
    mapping, hashing = mapping_of(run), sync.hashing()
    part = staging.load_slice(sync.state, run.run_id, slice_no)
    members = Members.of(part, sync.tombstones())
    known = ledger.ledger_rows(sync.state, run.sync_id, members.client_id)
    with sync.state.transaction() as cursor:
        before = runs.read_sync(cursor, sync.definition.name).destination
    fresh, csv = _fresh(before, mapping), by_csv(sync.profile, mapping)
    read = _Read(Counts(), np.zeros(len(members.client_id), bool))
    is_resend = run.kind is RunKind.RESEND
    in_blocks = None if before or part.is_sparse else _most_in_block(sync, run, mapping)
    refused = NOTHING_REFUSED if is_resend else _refused_values(sync, run, part)

    converted = partial(transform, mapping=mapping, hashing=hashing, refused=refused)

    def contacts(transformed: Transformed) -> pd.DataFrame:
        read.replaced.extend(transformed.replaced)
        same = read.same_persons(transformed.frame, known, mapping)
        compared = compare(
            transformed, members, same, mapping,
            resend=is_resend, bring_back=is_resend and run.kind_reason != run.unproven,
            retry_rejected=run.retry_rejected, fresh=fresh,
        )  # fmt: skip
        read.seen[compared.members] = True
        read.counts.add(compared.counts)
        read.dropped.extend(compared.dropped)
        read.changes.append(compared.changes)
        if run.dry_run:
            read.keep_some(compared)
        if len(compared.keep):
            read.keep.append(compared.keep)
        send = compared.send.assign(json_only=csv.json_only(compared.send))
        return send.assign(in_block=_alike(send, known)) if in_blocks else send

    def to_send() -> Iterator[pd.DataFrame]:
        # Nothing of a batch is kept while the next one is worked on.
        batches = _batches(sync, run, part, members.client_id, mapping)
        yield from map(contacts, map(converted, batches))
        read.keep.append(vanished(members, read.seen, known))
        read.counts.counts["pending"] += len(read.keep[-1])

    with sync.state.transaction(run.fence) as cursor:
        staging.lock_slice(cursor, run.run_id, slice_no)
        batches.drop_plan(cursor, run.run_id)
        if run.dry_run:
            for _ in to_send():
                pass
            read.note_changes(cursor, run, part)
        else:
            has_key = mapping.has_person_key
            staging.fill_outbox(
                cursor, run.run_id, part, to_send(), persons=has_key, in_blocks=in_blocks
            )
            _note(cursor, run, part, members, read)
            reach("slice_uncommitted")
        staging.save_slice_counts(cursor, run.run_id, slice_no, read.counts.staged())
    reach("slice_staged")
    if read.changed:
        look_up_some(sync, run, read.changed)
    told = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in read.counts.counts.items())
    log.info("Slice %d: %s", slice_no, told)
    return read.counts.staged()


def _note(cursor: Cursor, run: Run, part: Slice, members: Members, read: _Read) -> None:
    persons.part_with(cursor, run.sync_id, read.parted)
    persons.note(cursor, run.sync_id, read.unnoted)
    if read.keys:
        client_keys.note(cursor, run.sync_id, read.keys)
    fates.merge_fates(cursor, run.sync_id, pd.concat(read.keep))
    if run.kind is RunKind.RESEND and not (part.is_sparse or run.is_trial):
        refused_values.forget_range(cursor, run.sync_id, part.first_id, part.last_id)
    refused_values.forget(cursor, run.sync_id, read.replaced)
    dropped.replace_dropped(cursor, run.sync_id, members.client_id[read.seen], read.dropped)
    read.note_changes(cursor, run, part)


def _refused_values(sync: Sync, run: Run, part: Slice) -> Refused:
    with sync.state.transaction() as cursor:
        return refused_values.read(cursor, run.sync_id, part.first_id, part.last_id)


def _fresh(before: Destination | None, mapping: Mapping) -> int:
    """Mask of the fields that the last finished run didn't fill: others may have filled them."""
    filled = {field.bit for field in before.mapping.fields} if before else set[int]()
    return sum(1 << field.bit for field in mapping.fields if field.bit not in filled)


def _most_in_block(sync: Sync, run: Run, mapping: Mapping) -> int | None:
    """How many contacts of a first load a block may have, if it seems to take the CSV lane. Later
    runs compare with what SendGrid has."""
    tuning = sync.definition.tuning
    is_large = cut_batches.takes_csv(sync, mapping, snapshot_of(run).chosen)
    return tuning.csv_batch_contacts if is_large else None


def _alike(send: pd.DataFrame, known: LedgerRows) -> Mask:
    """Which contacts are of clients that the ledger doesn't know, with nothing to be minded."""
    rare = [send[name].to_numpy() != 0 for name in staging.RARE]
    is_known = known.rows_of(send["client_id"].to_numpy(np.int64)).is_known
    return np.asarray(~np.logical_or.reduce([is_known, *rare]), bool)


def _batches(
    sync: Sync, run: Run, part: Slice, members: Int64, mapping: Mapping
) -> Iterator[pa.RecordBatch]:
    """Read the clients: of an incremental run or a trial the members, else all in the range."""
    chosen = run.kind is RunKind.INCREMENTAL or part.is_sparse or run.is_trial
    ids = members if chosen else None
    with sync.b2core.snapshot() as snapshot:
        yield from ahead(snapshot.clients(mapping.columns, part.first_id, part.last_id, ids))
