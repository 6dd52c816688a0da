"""One client as a run would treat it: read, transformed and decided about by the same code."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from contact_sync.b2core.reader import Snapshot
from contact_sync.base.client_life import Cause, Fate
from contact_sync.base.json_columns import known_fields
from contact_sync.base.look_up import NextDecision
from contact_sync.base.moments import moment
from contact_sync.base.suppressed import KINDS
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.decision import Decided, Decision, decide
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.mapping import CLIENT_KEY, Mapping
from contact_sync.contacts.refused_values import Refused
from contact_sync.contacts.selection import Scan, verdicts
from contact_sync.contacts.source_types import plain
from contact_sync.contacts.tombstones import NONE, Tombstones
from contact_sync.contacts.transform import NOTHING_REFUSED, transform
from contact_sync.lookup.find_clients import normalised
from contact_sync.postgres.arrow_reader import rows_of
from contact_sync.reporting.explanation import ClientDecision, as_text
from contact_sync.state.for_people.client import LedgerClient
from contact_sync.state.suppressed import address_hashes

NOT_SUPPRESSED: typing.Mapping[SuppressionKind, datetime] = {}


@dataclass(frozen=True, slots=True)
class OneContact:
    """The contact that a client's row makes, of `transform`'s columns: `email` "" and `email_hash`
    0 = none; `exclusion` None = it isn't excluded; `field`, `reason` and `detail` of what it is
    rejected for, "" = it isn't."""

    email: str = dataclasses.field(default="", repr=False)
    email_hash: int = 0
    payload: str = dataclasses.field(default="", repr=False)
    exclusion: str | None = None
    field: str = ""
    reason: str = ""
    detail: str = ""


NO_CONTACT = OneContact()
"""Of a client that B2CORE doesn't have."""


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A client in B2CORE: its row of clients.sql, the contact that it makes, and what was dropped
    or cut of its values. `frame` is `transform`'s; None while no run has resolved the mapping: then
    only the address of `contact` is known."""

    client_id: int
    source: dict[str, str] = dataclasses.field(repr=False)
    contact: OneContact
    dropped: dict[str, str]
    frame: pd.DataFrame | None


def read_client(
    snapshot: Snapshot,
    mapping: Mapping | None,
    definition: SyncDefinition,
    client_id: int,
    hashing: Hashing,
    refused: Refused = NOTHING_REFUSED,
) -> ClientRow | None:
    """The client's row; None = B2CORE has no such client. `refused`: values that SendGrid refused
    of it."""
    columns = mapping.columns if mapping else _columns(definition, snapshot)
    found = snapshot.clients(columns, client_id, client_id, np.array([client_id], np.int64))
    batches = [batch for batch in found if batch.num_rows]
    if not batches:
        return None
    (batch,) = batches
    source = {name: as_text(value) for name, value in rows_of(plain(batch))[0].items()}
    if mapping is None:
        address = normalised(source[definition.fields["email"].column])
        (email_hash,) = address_hashes([address], hashing) if address else (0,)
        return ClientRow(client_id, source, OneContact(address, email_hash), {}, None)
    transformed = transform(batch, mapping, hashing, refused)
    frame = transformed.frame
    contact = _contact(frame)
    dropped = {part.field: str(part.reason) for part in transformed.dropped}
    return ClientRow(client_id, source, contact, dropped, frame)


def _contact(frame: pd.DataFrame) -> OneContact:
    """From a frame of one row; what is null there has no value."""
    row = frame.astype(object).iloc[0].dropna()
    found = {str(column): value for column, value in row.items()}
    return OneContact(**known_fields(OneContact, found))


def _columns(definition: SyncDefinition, snapshot: Snapshot) -> list[str]:
    mapped = [target.column for target in definition.fields.values()]
    keys = [CLIENT_KEY] if CLIENT_KEY in snapshot.columns().names else []
    return list(dict.fromkeys(["client_id", *mapped, *keys, "exclusion"]))


def decided(
    row: ClientRow | None,
    known: LedgerClient | None,
    sharing: dict[int, str | None],
    rejected: Collection[int] = (),
    suppressed: typing.Mapping[SuppressionKind, datetime] = NOT_SUPPRESSED,
    tombstones: Tombstones = NONE,
) -> Decided | None:
    """What a run would decide; None where it can't: no such client, or no mapping yet.

    `known`: the client's row of the ledger. `sharing`: other clients with its address, by id; the
    value is their exclusion; `rejected`: those of them that runs have rejected.
    `suppressed`: for which suppressions of its address the definition excludes it, since when.
    `tombstones`: who was erased.
    """
    if row is None or row.frame is None:
        return None
    scan = _scan(row, sharing, next(iter(suppressed), None))
    own = scan.client_id == row.client_id
    ledger = _ledger(row.client_id, known)
    as_refused = ledger.row_hash == row.frame["row_hash"].to_numpy(np.int64)
    stays = {row.client_id} if (as_refused & (ledger.fate == Fate.REJECTED)).any() else set[int]()
    verdict = verdicts(scan, np.isin(scan.client_id, [*(set(rejected) - {row.client_id}), *stays]))
    erased = tombstones.cover(scan.client_id[own], scan.email_hash[own])
    return decide(row.frame, scan.email_hash[own], verdict[own], ledger, erased=erased)


def _scan(
    row: ClientRow, sharing: dict[int, str | None], suppression: SuppressionKind | None
) -> Scan:
    number = list(SuppressionKind).index(suppression) + 1 if suppression else 0
    excluded = {row.client_id: row.contact.exclusion} | sharing
    ids = sorted(excluded)
    return Scan(
        np.array(ids, np.int64),
        np.full(len(ids), row.contact.email_hash, np.int64),
        np.array([excluded[client] is not None for client in ids], bool),
        np.full(len(ids), number, np.int8),
    )


def _ledger(client_id: int, known: LedgerClient | None) -> LedgerRows:
    rows = [known] if known else []
    fates = [Fate.of(row.state) for row in rows]
    names = ("email_hash", "contact_hash", "row_hash", "filled")
    columns = {name: np.array([getattr(r, name) or 0 for r in rows], np.int64) for name in names}
    causes = [Cause.of(row.reason) for row in rows]
    ids = np.array([client_id for _ in rows], np.int64)
    return LedgerRows(
        client_id=ids,
        fate=np.array(fates, np.int16),
        cause=np.array(causes, np.int16),
        person_hash=np.zeros(len(rows), np.int64),
        unconfirmed=np.zeros(len(rows), bool),
        **columns,
    )


def is_clear(row: ClientRow | None, alone: Decided | None) -> bool:
    """Whether the decision that was made without others stays, whoever has the client's address."""
    if row is None or not row.contact.email:
        return True
    if alone is None:
        return False
    if alone.decision[0] == Decision.REJECTED:
        return bool(alone.same[0] and alone.known.fate[0] == Fate.REJECTED)
    if alone.decision[0] == Decision.ERASED:
        return True
    if alone.suppressed[0]:
        return False
    return alone.decision[0] in (Decision.EXCLUDED, Decision.REFUSED, Decision.UNCHANGED)


def decision_of(
    row: ClientRow | None,
    found: Decided | None,
    sharing: dict[int, str | None],
    rejected: Collection[int] = (),
    suppressed: typing.Mapping[SuppressionKind, datetime] = NOT_SUPPRESSED,
) -> ClientDecision:
    """The decision as an explanation has it, and who or what it is due to."""
    if row is None or found is None:
        return ClientDecision(NextDecision.GONE if row is None else NextDecision.UNKNOWN)
    decision, contact = Decision(int(found.decision[0])), row.contact
    code = NextDecision[decision.name]
    if decision is Decision.EXCLUDED:
        return _excluded(contact, sharing, suppressed, counts=bool(found.suppressed[0]))
    if decision is Decision.REJECTED:
        return ClientDecision(code, contact.field, contact.reason, detail=contact.detail)
    if decision is Decision.SHARED:
        return ClientDecision(code, by=max(set(sharing) - set(rejected) or sharing))
    return ClientDecision(code)


def _excluded(
    contact: OneContact,
    sharing: dict[int, str | None],
    suppressed: typing.Mapping[SuppressionKind, datetime],
    *,
    counts: bool,
) -> ClientDecision:
    """By whom: SendGrid's suppression, if that `counts`; B2CORE, or another client of its address,
    and then the suppressions that would count without that."""
    for kind, since in suppressed.items() if counts else ():
        told = f" since {moment(since)}"
        return ClientDecision(NextDecision.SUPPRESSED, reason=kind, detail=told)
    also = ", ".join(f"{KINDS[kind]} since {moment(since)}" for kind, since in suppressed.items())
    if contact.exclusion is not None:
        return ClientDecision(NextDecision.EXCLUDED, reason=contact.exclusion or "", detail=also)
    barring = (other for other, exclusion in sharing.items() if exclusion is not None)
    return ClientDecision(NextDecision.BARRED, by=max(barring), detail=also)
