"""What becomes of each client: it is sent, or why it isn't. Pure.

A run decides by this about whole columns of clients, a look-up about one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.client_life import Cause, Fate
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.selection import EXCLUDED, PASSED_OVER, SHARED, SUPPRESSED_BITS

if TYPE_CHECKING:
    import pandas as pd


class Decision(IntEnum):
    """What a run does with a client; only SEND is sent."""

    SEND = 0
    MOVED = 1  # its address changed between the scan and the reading: for the next run
    EXCLUDED = 2  # it must not be sent, or somebody with its address must not
    REJECTED = 3  # one of its values can't be sent
    SHARED = 4  # another client represents its address
    REFUSED = 5  # SendGrid refused exactly this content
    UNCHANGED = 6  # SendGrid has confirmed exactly this content
    REMOVED = 7  # a person has removed its contact at SendGrid
    ERASED = 8  # it was erased on request, or somebody with its address was


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions about clients, and what they follow from; all in the clients' order.

    `own`: its contact at SendGrid has its address. `same`: SendGrid confirmed, or refused, exactly
    what would be sent. `has_contact`: at its own address or another one.
    `suppressed`: the number of the suppression that excludes it, 0 = of none.
    """

    decision: npt.NDArray[np.int8]
    known: LedgerRows
    has_contact: Mask
    own: Mask
    same: Mask
    suppressed: npt.NDArray[np.int8]


def decide(
    clients: pd.DataFrame,
    scanned_hash: Int64,
    verdict: npt.NDArray[np.int8],
    ledger: LedgerRows,
    *,
    resend: bool = False,
    bring_back: bool = False,
    retry_rejected: bool = False,
    erased: Mask | None = None,
) -> Decided:
    """Decide about clients that were read and transformed (`transform`'s frame).

    `scanned_hash` and `verdict` are the scan's, in the order of `clients`; `ledger` has these
    clients and perhaps others. `erased`: who has a tombstone, None = nobody. The first line that
    fits a client decides:

    ========================================================= =========
    it or its address was erased on request                   ERASED
    its address isn't the scanned one                         MOVED
    it or its address is excluded, by B2CORE or a suppression EXCLUDED
    a value is rejected                                       REJECTED
    refused before, same content, and passed over for that    REFUSED
    another client represents its address                     SHARED
    a person removed its contact, same address, not back      REMOVED
    refused before with the same content, not retried         REFUSED
    confirmed with the same content at its address, no resend UNCHANGED
    any other                                                 SEND
    ========================================================= =========
    """
    email_hash = clients["email_hash"].to_numpy(np.int64)
    known = ledger.rows_of(clients["client_id"].to_numpy(np.int64))
    has_contact = known.contact_hash != 0
    own = has_contact & (known.contact_hash == email_hash)
    same = known.is_known & (known.row_hash == clients["row_hash"].to_numpy(np.int64))
    refused = (known.fate == Fate.REJECTED) & same & (not (resend or retry_rejected))
    passed_over = refused & ((verdict & PASSED_OVER) > 0)
    by_hand = (known.fate == Fate.EXCLUDED) & (known.cause == Cause.SENDGRID)
    lines = {
        Decision.ERASED: np.zeros(len(clients), bool) if erased is None else erased,
        Decision.MOVED: scanned_hash != email_hash,
        Decision.EXCLUDED: ((verdict & EXCLUDED) > 0) | clients["exclusion"].notna().to_numpy(bool),
        Decision.REJECTED: clients["reason"].notna().to_numpy(bool),
        Decision.SHARED: ((verdict & SHARED) > 0) & ~passed_over,
        Decision.REMOVED: by_hand & (known.email_hash == email_hash) & (not bring_back),
        Decision.REFUSED: refused,
        Decision.UNCHANGED: (known.fate == Fate.CONFIRMED) & own & same & (not resend),
    }
    decision = np.select(list(lines.values()), [np.int8(line) for line in lines], np.int8(0))
    suppressed = np.where(clients["exclusion"].isna(), verdict >> SUPPRESSED_BITS, 0)
    return Decided(decision, known, has_contact, own, same, suppressed.astype(np.int8))
