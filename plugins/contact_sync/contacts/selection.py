"""Which clients a run looks at, and whether each one may be sent, from addresses alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask, among
from contact_sync.base.client_life import Cause, Fate
from contact_sync.contacts import emails, text_columns
from contact_sync.contacts.ledger_rows import KnownClients
from contact_sync.contacts.transform import hashes

SEND, SHARED, EXCLUDED, TAKES_OVER = 0, 1, 2, 4
"""Verdicts; TAKES_OVER is added when the address was another client's."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Clients by id: hash of the address (0 = none), and whether it is excluded."""

    client_id: Int64
    email_hash: Int64
    excluded: Mask


def scanned(batch: pa.RecordBatch) -> Scan:
    """The rows of scan.sql, as they come: client_id, email, exclusion."""
    address = emails.normalised(pd.Series(batch.column("email"), dtype=text_columns.TEXT))
    return Scan(
        np.asarray(batch.column("client_id"), np.int64),
        hashes(text_columns.arrow(address)),
        text_columns.mask_of(pc.is_valid(batch.column("exclusion"))),
    )


def choose(
    scan: Scan, ledger: KnownClients, changed: Int64, taken: Int64, *, everyone: bool
) -> pa.Table:
    """The clients to look at with their verdicts: columns client_id, email_hash, verdict.

    Besides the changed ones: new clients, other addresses, unfinished business, and clients who are
    to be sent or kept back for another reason than before although their own rows didn't change.
    `taken`: hashes
    of the addresses that have a contact.
    """
    verdict = verdicts(scan)
    known = ledger.rows_of(scan.client_id)
    chosen = np.ones(len(scan.client_id), bool)
    if not everyone:
        moved = known.email_hash != scan.email_hash
        chosen = ~known.is_known | moved | (known.fate == Fate.PENDING)
        chosen |= ~_is_as_judged(known, verdict, scan.excluded)
        chosen |= np.isin(scan.client_id, changed, assume_unique=True)
    takes_over = (known.contact_hash != scan.email_hash) & (scan.email_hash != 0)
    takes_over[takes_over] = among(scan.email_hash[takes_over], taken)
    verdict[takes_over] |= TAKES_OVER
    return pa.table(
        {
            "client_id": scan.client_id[chosen],
            "email_hash": scan.email_hash[chosen],
            "verdict": verdict[chosen],
        }
    )


def _is_as_judged(known: KnownClients, verdict: npt.NDArray[np.int8], excluded: Mask) -> Mask:
    """Whose fate is what the verdict makes of a client, with the same cause.

    ======== =============================================================================
    verdict  fate
    ======== =============================================================================
    SEND     confirmed; rejected; excluded because a person removed its contact
    SHARED   shared; rejected for a value of its own, whoever represents it
    EXCLUDED excluded, by its own row or by another client's, as the scan has it
    ======== =============================================================================
    """
    fate, cause = known.fate, known.cause
    of_sendgrid = cause == Cause.SENDGRID
    rejected, out = fate == Fate.REJECTED, fate == Fate.EXCLUDED
    by_address = np.where(excluded, Cause.ITSELF, Cause.ADDRESS)
    lines = [verdict == EXCLUDED, verdict == SHARED]
    as_judged = [
        out & (cause == by_address),
        (fate == Fate.SHARED) | (rejected & ~of_sendgrid),
    ]
    sendable = (fate == Fate.CONFIRMED) | rejected | (out & of_sendgrid)
    return np.asarray(np.select(lines, as_judged, sendable), bool)


def verdicts(scan: Scan) -> npt.NDArray[np.int8]:
    """SEND, SHARED or EXCLUDED for each client of a scan by id."""
    found = np.where(lost_shared_address(scan), SHARED, SEND)
    return np.where(barred(scan), EXCLUDED, found).astype(np.int8)


def lost_shared_address(scan: Scan) -> Mask:
    """Clients that share their address with a newer one: the highest id represents an address.

    Compared by 64-bit hashes: two different addresses among ten million collide with a
    probability of 3 in a million.
    """
    ordered = np.sort(scan.email_hash)
    repeated = ordered[:-1][(ordered[:-1] == ordered[1:]) & (ordered[:-1] != 0)]
    sharing = np.flatnonzero(among(scan.email_hash, repeated))
    order = sharing[np.lexsort((scan.client_id[sharing], scan.email_hash[sharing]))]
    shared = np.zeros(len(scan.client_id), bool)
    shared[order[:-1]] = scan.email_hash[order[:-1]] == scan.email_hash[order[1:]]
    return shared


def barred(scan: Scan) -> Mask:
    """Clients that must not be sent: the excluded ones, and whoever has an address of theirs."""
    addresses = scan.email_hash[scan.excluded & (scan.email_hash != 0)]
    return scan.excluded | among(scan.email_hash, addresses)
