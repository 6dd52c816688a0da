"""Look again at what differs: both sides went on changing while they were read.

A candidate is a difference only if SendGrid's search shows it, B2CORE's row was the same before and
after that look and when B2CORE was read, and no run has dealt with the client meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

import numpy as np

from contact_sync.base.arrays import Int64, among
from contact_sync.base.failpoints import reach
from contact_sync.base.verdicts import BREACHES, Count, Verdict
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.meaning import as_text, differing, is_cut, meant, packed
from contact_sync.contacts.payloads import values_of
from contact_sync.contacts.read_back import shown
from contact_sync.contacts.selection import SEND, verdicts
from contact_sync.contacts.transform import transform
from contact_sync.run.profile_drift import is_uncleared
from contact_sync.run.scan_clients import (
    changed_clients,
    scan_clients,
    with_suppressions,
    without_erased,
)
from contact_sync.run.sending.search import search
from contact_sync.sendgrid.api import MAX_LOOKUP
from contact_sync.state import rechecking, refused_values
from contact_sync.state.rechecking import Candidate, Look
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.b2core_side import hashes_of

log = logging.getLogger(__name__)
MOST = 10_000
"""Candidates that are looked up: 100 calls. Those beyond that may be races can't be compared; nor
can any, if most of those that are no races turn out to be as they have to be: then the export is
wrong, or SendGrid stores values in a form that only a look can judge."""
ON_LIST = (*BREACHES, Verdict.FOREIGN_ON_LIST)
REMOVED = (*BREACHES, Verdict.GHOST)
"""Contacts that runs remove."""


class Seen(Enum):
    """What a look at a candidate shows, if it is no difference."""

    EQUAL = auto()
    WAITS = auto()  # its client has changed in B2CORE meanwhile
    GONE = auto()  # the contact isn't there any more, or not on the list


@dataclass(frozen=True, slots=True)
class Row:
    """What B2CORE calls for of a client at one moment: `row_hash` of all, `fields` as hashes,
    `values` as they are sent; `is_sent`: the client itself isn't excluded or rejected."""

    email: str | None = field(repr=False)
    email_hash: int
    row_hash: int
    fields: bytes
    is_sent: bool
    values: tuple[str, ...] = field(repr=False, compare=False)


def look_again(sync: Sync, found: Verification) -> None:
    """Drop what is no difference, and note what SendGrid shows of the rest. May be repeated."""
    changed = _changed(sync, found)
    with sync.state.transaction() as cursor:
        every = rechecking.candidates(cursor, found, changed, MOST)
    dropped = set[int]()
    for start in range(0, len(every), MAX_LOOKUP):
        dropped |= _look_at_page(sync, found, every[start : start + MAX_LOOKUP])
        reach("candidates_looked_at")
    calm = [c.finding_no for c in every if not (c.may_be_race or c.is_stranger)]
    is_believed = 2 * len(dropped.intersection(calm)) <= len(calm)
    taken = _taken_meanwhile(sync, found)
    with writing(sync.state, found) as cursor:
        rechecking.drop_hashes(cursor, found, taken)
        rechecking.drop_moved(cursor, found)
        if len(every) == MOST:
            rechecking.give_up_races(cursor, found, changed, is_believed=is_believed)
    _look_once_more(sync, found, [c for c in every if c.verdict in REMOVED])
    if every:
        log.info("%s differences were looked at again", f"{len(every):,}")


def _look_once_more(sync: Sync, found: Verification, every: list[Candidate]) -> None:
    """Whoever a run removed after the look left no trace in the state database: what it holds was
    read, and is looked at, in this order."""
    with sync.state.transaction() as cursor:
        left = set(rechecking.stranger_hashes(cursor, found).tolist())
    again = [candidate for candidate in every if candidate.email_hash in left]
    for start in range(0, len(again), MAX_LOOKUP):
        _look_at_page(sync, found, again[start : start + MAX_LOOKUP], is_first=False)


def _changed(sync: Sync, found: Verification) -> Int64:
    """Clients that changed in B2CORE since it was read."""
    if found.snapshot is None:
        return np.empty(0, np.int64)
    with sync.b2core.snapshot() as snapshot:
        return changed_clients(sync.definition, snapshot, found.snapshot)


def _look_at_page(
    sync: Sync, found: Verification, page: list[Candidate], *, is_first: bool = True
) -> set[int]:
    """Look at these; returns the numbers of those that are no difference."""
    ids = np.unique(np.array([c.client_id for c in page if c.client_id is not None], np.int64))
    before = _rows(sync, found, ids)
    addresses = {c.finding_no: _address(c, before) for c in page}
    contacts, unsearchable = search(sync, {a for a in addresses.values() if a is not None})
    after = _rows(sync, found, ids)
    no_races, waiting, looks, uncleared = list[int](), list[int](), list[Look](), 0
    for candidate in page:
        address = addresses[candidate.finding_no]
        if candidate.is_stranger and (address is None or address in unsearchable):
            looks.append(Look(candidate.finding_no, Verdict(candidate.verdict), True, ()))
            continue
        contact = contacts.get(address or "")
        if candidate.is_stranger:
            judged: Seen | Look = _judge_stranger(candidate, contact, found)
        elif address in unsearchable:
            judged = Look(candidate.finding_no, Verdict.NOT_COMPARABLE, None, ())
        else:
            key = candidate.client_id or 0
            judged = _judge_client(candidate, before.get(key), contact, after.get(key), found)
        if isinstance(judged, Look):
            looks.append(judged)
            row = before.get(candidate.client_id or 0)
            if row is not None and judged.verdict is Verdict.DIFFERENT:
                mapping = found.destination.mapping
                uncleared += is_uncleared(sync.profile, mapping, row.values, judged.fields)
        else:
            no_races.append(candidate.finding_no)
            if judged is Seen.WAITS:
                waiting.append(candidate.finding_no)
    with writing(sync.state, found) as cursor:
        counts = {Count.LOOKED_AT: len(page), Count.UNCLEARED: uncleared}
        rechecking.add(cursor, found, counts if is_first else {})
        rechecking.drop_races(cursor, found, no_races, waiting)
        rechecking.save_looks(cursor, found, looks)
    return set(no_races)


def _address(candidate: Candidate, rows: dict[int, Row]) -> str | None:
    """The candidate's address; that of a client is B2CORE's."""
    if candidate.email is not None:
        return candidate.email
    row = rows.get(candidate.client_id) if candidate.client_id is not None else None
    if row is None or (candidate.is_stranger and row.email_hash != candidate.email_hash):
        return None
    return row.email


def _judge_client(
    candidate: Candidate,
    before: Row | None,
    contact: dict[str, Any] | None,
    after: Row | None,
    found: Verification,
) -> Seen | Look:
    mapping, left_out = found.destination.mapping, candidate.left_out or 0
    if before is None or after is None or not after.is_sent:
        return Seen.WAITS
    is_listed, fields, unclear = False, tuple[str, ...](), False
    if contact is not None:
        is_listed = mapping.list_id is None or mapping.list_id in (contact.get("list_ids") or [])
        fields, unclear = _differing(mapping, after, contact, left_out)
        if is_listed and not fields and not _is_older(contact, candidate):
            return Seen.EQUAL
    if before != after or (after.email_hash, after.row_hash) != (
        candidate.email_hash, candidate.row_hash,
    ):  # fmt: skip
        return Seen.WAITS
    if contact is None:
        return Look(candidate.finding_no, Verdict.MISSING, None, ())
    if is_listed and not fields:  # SendGrid's search lags behind its own export
        return Look(candidate.finding_no, Verdict(candidate.verdict), is_listed, ())
    verdict = Verdict.NOT_COMPARABLE if unclear else Verdict.DIFFERENT
    return Look(candidate.finding_no, verdict if is_listed else Verdict.OFF_LIST, is_listed, fields)


def _differing(
    mapping: Mapping, row: Row, contact: dict[str, Any], left_out: int
) -> tuple[tuple[str, ...], bool]:
    """SendGrid's names of the fields that differ, and whether none of their values can be read."""
    columns, unclear, cut = [], set[str](), set[str]()
    for field_, sent in zip(mapping.fields, row.values, strict=True):
        value = shown(field_, contact)
        hashes, cant_be_read = meant(field_, [value])
        columns.append(hashes)
        if cant_be_read[0]:
            unclear.add(field_.name)
        if value is not None and is_cut(field_, sent, as_text(value)):
            cut.add(field_.name)
    held = packed(columns)[0].as_py()
    names = [n for n in differing(mapping, row.fields, held, left_out) if n not in cut]
    return tuple(names), bool(names) and set(names) <= unclear


def _judge_stranger(
    candidate: Candidate, contact: dict[str, Any] | None, found: Verification
) -> Seen | Look:
    list_id = found.destination.mapping.list_id
    if contact is None:
        return Seen.GONE
    is_listed = list_id is None or list_id in (contact.get("list_ids") or [])
    if candidate.verdict in ON_LIST and not is_listed:
        return Seen.GONE
    return Look(candidate.finding_no, Verdict(candidate.verdict), is_listed, ())


def _is_older(contact: dict[str, Any], candidate: Candidate) -> bool:
    """Whether SendGrid's search shows an earlier state than the export did: it lags."""
    said = contact.get("updated_at")
    if candidate.updated_at is None or not isinstance(said, str):
        return False
    try:
        moment = datetime.fromisoformat(said[:19]).replace(tzinfo=UTC)
    except ValueError:
        return False
    return moment < candidate.updated_at.replace(microsecond=0)


def _rows(sync: Sync, found: Verification, ids: Int64) -> dict[int, Row]:
    """What B2CORE calls for of these clients, now."""
    if not len(ids):
        return {}
    mapping, bounds = found.destination.mapping, (int(ids[0]), int(ids[-1]))
    hashing = sync.hashing()
    with sync.state.transaction() as cursor:
        refused = refused_values.read(cursor, found.sync_id, *bounds)
    with sync.b2core.snapshot() as snapshot:
        batches = snapshot.clients(mapping.columns, *bounds, ids)
        frames = [transform(batch, mapping, hashing, refused).frame for batch in batches]
    return {client_id: row for frame in frames for client_id, row in _read(frame, mapping)}


def _read(frame: Any, mapping: Mapping) -> Iterator[tuple[int, Row]]:
    fields = packed(hashes_of(frame, mapping)).to_pylist()
    sent = (frame["exclusion"].isna() & frame["reason"].isna()).to_numpy(bool)
    names = ("client_id", "email", "email_hash", "row_hash", "payload")
    columns = (frame[name].to_list() for name in names)
    for client_id, email, email_hash, row_hash, payload, hashed, is_sent in zip(
        *columns, fields, sent, strict=True
    ):
        address = email if isinstance(email, str) else None
        values = tuple(values_of(payload, mapping))
        yield (
            int(client_id),
            Row(address, int(email_hash), int(row_hash), hashed, bool(is_sent), values),
        )


def _taken_meanwhile(sync: Sync, found: Verification) -> Int64:
    """Hashes of the addresses of contacts that seemed to be nobody's, and that clients have now."""
    with sync.state.transaction() as cursor:
        strangers = rechecking.stranger_hashes(cursor, found)
    if not len(strangers):
        return strangers
    with sync.b2core.snapshot() as snapshot:
        scan = without_erased(sync, scan_clients(snapshot, sync.hashing()))
    scan = with_suppressions(sync, found.sync_id, scan)
    wanted = scan.email_hash[verdicts(scan) == SEND]
    return strangers[among(strangers, wanted)]
