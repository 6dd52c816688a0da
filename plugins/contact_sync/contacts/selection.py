"""Which clients a run looks at, and whether each one may be sent, from addresses alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contact_sync.base.arrays import Int64, Mask, among, rows_of
from contact_sync.base.client_life import Cause, Fate
from contact_sync.base.vocabulary import SuppressionKind
from contact_sync.contacts.arrow_columns import mask_of, numbers
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.ledger_rows import KnownClients

SEND, SHARED, EXCLUDED, TAKES_OVER, PASSED_OVER = 0, 1, 2, 4, 8
"""Verdicts; TAKES_OVER is added when the address was another client's, PASSED_OVER to SHARED when
the client is rejected and an older one represents the address for that."""
SUPPRESSED_BITS = 4
"""Above so many bits a verdict has the number of the suppression that EXCLUDED is due to: its place
in SuppressionKind, from 1; 0 = of none."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Clients by id: hash of the address (0 = none), and whether it is excluded; the number of the
    suppression of its address for which the definition excludes it (0 = none), None = of nobody's.
    """

    client_id: Int64
    email_hash: Int64
    excluded: Mask
    suppressed: npt.NDArray[np.int8] | None = None


def scanned(batch: pa.RecordBatch, hashing: Hashing) -> Scan:
    """The rows of scan.sql, as they come: client_id, email, exclusion."""
    import pandas as pd

    from contact_sync.contacts import emails, text_columns

    address = emails.normalised(pd.Series(batch.column("email"), dtype=text_columns.TEXT))
    return Scan(
        np.array(batch.column("client_id"), np.int64),  # a copy: a batch is freed as a whole
        hashing.texts(text_columns.arrow(address)),
        mask_of(batch.column("exclusion").is_valid()),
    )


def choose(
    scan: Scan,
    ledger: KnownClients,
    changed: Int64,
    taken: Int64,
    *,
    everyone: bool,
    retried: bool = False,
) -> pa.Table:
    """The clients to look at with their verdicts: columns client_id, email_hash, verdict.

    Besides the changed ones: new clients, other addresses, unfinished business, and clients who are
    to be sent or kept back for another reason than before although their own rows didn't change.
    `taken`: hashes of the addresses that have a contact. `retried`: rejected clients are sent again
    although nothing about them has changed.
    """
    known = ledger.rows_of(scan.client_id)
    verdict = verdicts(scan, None if retried else rejected_before(scan, known, changed))
    chosen = np.ones(len(scan.client_id), bool)
    if not everyone:
        chosen = are_looked_at(scan, known, verdict, changed)
    takes_over = (known.contact_hash != scan.email_hash) & (scan.email_hash != 0)
    takes_over[takes_over] = among(scan.email_hash[takes_over], taken)
    verdict[takes_over] |= TAKES_OVER
    return pa.table(
        {
            "client_id": numbers(scan.client_id[chosen]),
            "email_hash": numbers(scan.email_hash[chosen]),
            "verdict": numbers(verdict[chosen]),
        }
    )


def are_looked_at(
    scan: Scan, known: KnownClients, verdict: npt.NDArray[np.int8], changed: Int64
) -> Mask:
    """Whom an incremental run looks at; `known` and `verdict` in the order of the scan, which may
    be a part of one."""
    moved = known.email_hash != scan.email_hash
    chosen = ~known.is_known | moved | (known.fate == Fate.PENDING)
    chosen |= ~_is_as_judged(known, verdict, scan.excluded)
    return np.asarray(chosen | np.isin(scan.client_id, changed, assume_unique=True), bool)


def _is_as_judged(known: KnownClients, verdict: npt.NDArray[np.int8], excluded: Mask) -> Mask:
    """Whose fate is what the verdict makes of a client, with the same cause.

    ======== =============================================================================
    verdict  fate
    ======== =============================================================================
    SEND     confirmed; rejected; excluded because a person removed its contact
    SHARED   shared; rejected for a value of its own, whoever represents it, or passed over for a
             refusal of SendGrid
    EXCLUDED excluded, by its own row, by another client's or by SendGrid's suppression, as here
    ======== =============================================================================
    """
    fate, cause = known.fate, known.cause
    of_sendgrid = cause == Cause.SENDGRID
    rejected, out = fate == Fate.REJECTED, fate == Fate.EXCLUDED
    by_address = np.where(excluded, Cause.ITSELF, Cause.ADDRESS)
    by_address[(verdict >> SUPPRESSED_BITS) > 0] = Cause.SUPPRESSED
    passed_over = (verdict & PASSED_OVER) > 0
    lines = [(verdict & EXCLUDED) > 0, (verdict & SHARED) > 0]
    as_judged = [
        out & (cause == by_address),
        (fate == Fate.SHARED) | (rejected & (~of_sendgrid | passed_over)),
    ]
    sendable = (fate == Fate.CONFIRMED) | rejected | (out & of_sendgrid)
    return np.asarray(np.select(lines, as_judged, sendable), bool)


def rejected_before(scan: Scan, known: KnownClients, changed: Int64) -> Mask:
    """Clients that are rejected and nothing about them has changed, as far as the scan and the
    `changed` ones tell: they don't represent an address that somebody else has, too.

    Where another one took the contact over, the address of a rejected client isn't known any more.
    """
    rejected = known.fate == Fate.REJECTED
    return are_rejected(scan, known.client_id[rejected], known.email_hash[rejected], changed)


def are_rejected(scan: Scan, client_id: Int64, email_hash: Int64, changed: Int64) -> Mask:
    """The same of the clients that the ledger calls rejected; `email_hash` as it has them."""
    rows, is_there = rows_of(scan.client_id, client_id)
    rows, email_hash = rows[is_there], email_hash[is_there]
    now = scan.email_hash[rows]
    same = ((email_hash == now) | (email_hash == 0)) & (now != 0)
    found = np.zeros(len(scan.client_id), bool)
    found[rows[same & ~np.isin(scan.client_id[rows], changed)]] = True
    return found


def verdicts(scan: Scan, rejected: Mask | None = None) -> npt.NDArray[np.int8]:
    """SEND, SHARED (perhaps PASSED_OVER) or EXCLUDED for each client of a scan by id; `rejected`:
    see above."""
    lost = lost_shared_address(scan, rejected)
    found = np.full(len(lost), SEND, np.int8)
    found[lost] = SHARED
    if rejected is not None and (lost & rejected).any():
        rows, by = represented(scan, rejected)
        older = rows[by < scan.client_id[rows]]
        found[older[lost[older] & rejected[older]]] |= PASSED_OVER
    if scan.suppressed is not None:
        out = np.flatnonzero(scan.suppressed)
        found[out] = EXCLUDED | (scan.suppressed[out] << SUPPRESSED_BITS)
    found[barred(scan)] = EXCLUDED
    return found


def suppressed_kinds(
    email_hash: Int64, hashes: dict[SuppressionKind, Int64]
) -> npt.NDArray[np.int8]:
    """For each address the number of the first kind whose hashes it is among, 0 = none."""
    found = np.zeros(len(email_hash), np.int8)
    for number, kind in enumerate(SuppressionKind, 1):
        if kind in hashes:
            among_them = among(email_hash, hashes[kind]) & (email_hash != 0) & (found == 0)
            found[among_them] = number
    return found


def lost_shared_address(scan: Scan, rejected: Mask | None = None) -> Mask:
    """Clients whose address another one represents."""
    lost = np.zeros(len(scan.client_id), bool)
    rows, by = represented(scan, rejected)
    lost[rows[by != scan.client_id[rows]]] = True
    return lost


def represented(scan: Scan, rejected: Mask | None = None) -> tuple[Int64, Int64]:
    """The rows of the clients that share an address with others, and for each the client that
    represents it: the highest id, of those that aren't rejected if there are any.

    Compared by 64-bit hashes: two different addresses among ten million collide with a
    probability of 3 in a million.
    """
    ordered = np.sort(scan.email_hash)
    repeated = ordered[:-1][(ordered[:-1] == ordered[1:]) & (ordered[:-1] != 0)]
    del ordered  # as much as half of what a scan takes
    sharing = np.flatnonzero(among(scan.email_hash, repeated))
    if not len(sharing):
        return sharing, sharing
    able = np.ones(len(sharing), bool) if rejected is None else ~rejected[sharing]
    order = sharing[np.lexsort((scan.client_id[sharing], able, scan.email_hash[sharing]))]
    address = scan.email_hash[order]
    last = np.flatnonzero(np.append(address[1:] != address[:-1], True))
    sizes = np.diff(last, prepend=-1)
    return order, np.repeat(scan.client_id[order[last]], sizes)


def barred(scan: Scan) -> Mask:
    """Clients that must not be sent: the excluded ones, and whoever has an address of theirs."""
    addresses = scan.email_hash[scan.excluded & (scan.email_hash != 0)]
    return scan.excluded | among(scan.email_hash, addresses)
