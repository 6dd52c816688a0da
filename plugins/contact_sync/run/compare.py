"""Compare clients with the ledger: what is to be sent, whom the ledger is to note, and how many.
Pure, chunk by chunk of a slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from contact_sync.base.arrays import Int64, Mask, rows_of
from contact_sync.base.client_life import Cause, Fate
from contact_sync.base.vocabulary import ExclusionReason, FieldType, PendingReason, SuppressionKind
from contact_sync.contacts.decision import Decided, Decision, decide
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.selection import TAKES_OVER
from contact_sync.contacts.tombstones import NONE, Tombstones
from contact_sync.contacts.transform import Dropped, Transformed
from contact_sync.run.changes import changes
from contact_sync.run.counting import Counts, count
from contact_sync.state.staging import Slice

FATES = {
    Decision.MOVED: Fate.PENDING, Decision.EXCLUDED: Fate.EXCLUDED,
    Decision.REJECTED: Fate.REJECTED, Decision.SHARED: Fate.SHARED, Decision.REMOVED: Fate.EXCLUDED,
    Decision.ERASED: Fate.PENDING,
}  # fmt: skip
"""The fates of clients that are kept back."""
SUPPRESSIONS = np.array(["", *map(str, SuppressionKind)], object)
"""Kinds of suppressions by their numbers in a verdict."""
SENT = ["client_id", "email", "email_hash", "payload", "row_hash", "filled", "negative", "size"]
"""What `transform` says of a client, without what only those have that aren't sent."""
HELD_AS_SENT = (Decision.SEND, Decision.UNCHANGED, Decision.MOVED)
"""Clients that SendGrid has, or will have, without their dropped values; nobody else's count."""


@dataclass(frozen=True, slots=True)
class Members:
    """The clients of a slice by id, as the scan saw them: address hash and verdict. `tombstones`:
    of whoever was erased, also since the scan."""

    client_id: Int64
    email_hash: Int64
    verdict: npt.NDArray[np.int8]
    tombstones: Tombstones = NONE

    @classmethod
    def of(cls, part: Slice, tombstones: Tombstones = NONE) -> Members:
        """Those of a stored slice."""
        column = part.members.column
        ids, hashes = (np.asarray(column(c), np.int64) for c in ("client_id", "email_hash"))
        return cls(ids, hashes, np.asarray(column("verdict"), np.int8), tombstones)


@dataclass(frozen=True, slots=True)
class Compared:
    """Of a chunk: which members of the slice are in it, by position; the contacts for the outbox;
    the ledger's rows of clients that aren't sent (columns of `fates.FATE`); values that SendGrid
    lacks, or has cut or rounded; how many there are of all; `changes`: what people read of them
    (run.changes)."""

    members: Int64
    send: pd.DataFrame
    keep: pd.DataFrame
    dropped: list[Dropped]
    counts: Counts
    changes: pa.Table


def compare(
    transformed: Transformed,
    members: Members,
    ledger: LedgerRows,
    mapping: Mapping,
    *,
    resend: bool = False,
    bring_back: bool = False,
    retry_rejected: bool = False,
    fresh: int = 0,
) -> Compared:
    """Give each client of a chunk exactly one fate; whoever isn't a member is left out.

    `resend`: everything is sent again; `bring_back`: also contacts that a person has removed at
    SendGrid. `fresh`: mask of fields that no run has filled so far.
    """
    ids = transformed.frame["client_id"].to_numpy(np.int64)
    rows, is_member = rows_of(members.client_id, ids)
    clients, rows = _only(transformed.frame, is_member), rows[is_member]
    verdict = members.verdict[rows]
    ids, hashes = (clients[c].to_numpy(np.int64) for c in ("client_id", "email_hash"))
    decided = decide(
        clients, members.email_hash[rows], verdict, ledger,
        resend=resend, bring_back=bring_back, retry_rejected=retry_rejected,
        erased=members.tombstones.cover(ids, hashes),
    )  # fmt: skip
    send = _to_send(clients, decided, (verdict & TAKES_OVER) > 0, mapping, ~0 if resend else fresh)
    keep = _to_keep(clients, decided)
    dropped = transformed.dropped_of(ids[np.isin(decided.decision, HELD_AS_SENT)])
    counts = count(clients, decided, send, dropped, mapping)
    return Compared(rows, send, keep, dropped, counts, changes(decided, ids, send, keep))


def vanished(members: Members, seen: Mask, ledger: LedgerRows) -> pd.DataFrame:
    """The ledger's rows (columns of `fates.FATE`) of members that weren't seen in any chunk: they
    have gone since the scan. Those that the ledger knows are left to the count of absences."""
    gone = ~seen
    gone[gone] = ~ledger.rows_of(members.client_id[gone]).is_known
    return pd.DataFrame(
        {
            "client_id": members.client_id[gone],
            "state": "pending",
            "email_hash": members.email_hash[gone],
            "row_hash": pd.array([None] * int(gone.sum()), "Int64"),
            "field": None,
            "reason": str(PendingReason.GONE_WHILE_READ),
            "detail": None,
            "person_hash": 0,
        }
    )


def _to_send(
    clients: pd.DataFrame, decided: Decided, takes_over: Mask, mapping: Mapping, asked: int
) -> pd.DataFrame:
    """The contacts to send, with what must be cleared in them.

    `unsure` (texts) and `unsure_others`: fields that are empty now and may have a value at SendGrid
    all the same, because the sync has confirmed nothing of the contact, or nothing in these fields,
    or because a person asks for everything again; `asked` is the mask of the latter two.
    """
    send = decided.decision == Decision.SEND
    columns = [*SENT, *(name for name in ("person_hash",) if name in clients)]
    contacts, takes_over = _only(clients[columns], send), takes_over[send]
    texts, others = mapping.mask(FieldType.TEXT), mapping.mask(FieldType.NUMBER, FieldType.DATE)
    held = np.where(decided.own[send], decided.known.filled[send], 0)
    before = np.where(takes_over, texts | others, held)  # another client's values are unknown
    now = contacts["filled"].to_numpy(np.int64)
    filled, clears, stale = field_masks(before, now, texts, others)
    unsure = np.where(decided.own[send], asked, ~0) & ~before & ~now
    return contacts.assign(
        filled=filled,
        clears=clears,
        json_only=(clears != 0) | contacts["negative"].to_numpy(bool),
        takes_over=takes_over,
        stale=stale,
        unsure=unsure & texts,
        unsure_others=unsure & others,
    )


def field_masks(before: Int64, now: Int64, texts: int, others: int) -> tuple[Int64, Int64, Int64]:
    """What becomes of each field of a contact; all are masks with a bit per field.

    `before`: SendGrid holds a value; `now`: B2CORE has one; `texts` and `others`: the mapped fields
    that can and can't be cleared. Returns: SendGrid holds a value afterwards, it is cleared, it is
    stale.

    ============== ====== === ======== ======= =====
    field          before now holds    cleared stale
    ============== ====== === ======== ======= =====
    any            any    yes yes
    any            no     no
    text           yes    no           yes
    other          yes    no  yes              yes
    not mapped now yes    no  yes
    ============== ====== === ======== ======= =====
    """
    emptied = before & ~now
    return now | (emptied & ~texts), emptied & texts, emptied & others


def _to_keep(clients: pd.DataFrame, decided: Decided) -> pd.DataFrame:
    """The ledger's rows of clients that are kept back, save those that the ledger has already."""
    rows = np.isin(decided.decision, list(FATES)) & ~_is_noted(clients, decided)
    if not rows.any():
        return pd.DataFrame()
    kept, decision = clients[rows], decided.decision[rows]
    is_rejected = decision == Decision.REJECTED
    row_hash = pd.Series(kept["row_hash"].to_numpy(np.int64), dtype="Int64")
    by_itself, by_address = ExclusionReason.EXCLUDED_BY_B2CORE, ExclusionReason.EXCLUDED_ADDRESS
    exclusion = kept["exclusion"].astype(object).where(kept["exclusion"].notna(), None)
    suppressed = SUPPRESSIONS[decided.suppressed[rows]]
    by_sendgrid = str(ExclusionReason.SUPPRESSED_AT_SENDGRID)
    not_itself = np.where(suppressed == "", str(by_address), by_sendgrid)
    reasons = {
        Decision.MOVED: str(PendingReason.CHANGED_WHILE_READ),
        Decision.EXCLUDED: np.where(exclusion.isna(), not_itself, str(by_itself)),
        Decision.REJECTED: kept["reason"].to_numpy(object),
        Decision.REMOVED: str(ExclusionReason.REMOVED_BY_HAND),
        Decision.ERASED: str(PendingReason.GONE_WHILE_READ),
    }
    details = {
        Decision.EXCLUDED: np.where(suppressed == "", exclusion.to_numpy(object), suppressed),
        Decision.REJECTED: kept["detail"].astype(object).where(kept["detail"].notna(), None),
    }
    return pd.DataFrame(
        {
            "client_id": kept["client_id"].to_numpy(np.int64),
            "state": _each(decision, {one: fate.word for one, fate in FATES.items()}),
            # Of an erased address not even the hash stays.
            "email_hash": np.where(decision == Decision.ERASED, 0, kept["email_hash"]),
            "row_hash": row_hash.mask(~is_rejected),
            "field": _each(decision, {Decision.REJECTED: kept["field"].to_numpy(object)}),
            "reason": _each(decision, reasons),
            "detail": _each(decision, details),
            "person_hash": kept["person_hash"].to_numpy(np.int64) if "person_hash" in kept else 0,
        }
    )


def _each(decision: npt.NDArray[np.int8], by_decision: dict[Decision, Any]) -> npt.NDArray[Any]:
    """For each client the value that belongs to its decision, else None."""
    lines = [decision == one for one in by_decision]
    values: npt.NDArray[Any] = np.select(lines, list(by_decision.values()), np.array(None))
    return values


def _is_noted(clients: pd.DataFrame, decided: Decided) -> Mask:
    """Who is kept back and whose ledger row says so, with nothing else that would change in it."""
    decision, known = decided.decision, decided.known
    by_itself = clients["exclusion"].notna().to_numpy(bool)
    others = np.where(decided.suppressed > 0, Cause.SUPPRESSED, Cause.ADDRESS)
    same_cause = known.cause == np.where(by_itself, Cause.ITSELF, others)
    bare = (known.row_hash == 0) & (known.contact_hash != known.email_hash)
    as_before = (
        ((decision == Decision.REJECTED) & (known.fate == Fate.REJECTED) & decided.same)
        | ((decision == Decision.EXCLUDED) & (known.fate == Fate.EXCLUDED) & bare & same_cause)
        | ((decision == Decision.SHARED) & (known.fate == Fate.SHARED) & bare)
        | (decision == Decision.REMOVED)
    )
    same_address = known.email_hash == clients["email_hash"].to_numpy(np.int64)
    return np.asarray(as_before & same_address, bool)


def _only(frame: pd.DataFrame, rows: Mask) -> pd.DataFrame:
    """The frame's rows; no copy if it is all of them."""
    return frame if rows.all() else frame[rows]
