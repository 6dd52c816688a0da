"""What becomes of a client, against the rules written down for one client."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from contact_sync.base.client_life import Cause, Fate
from contact_sync.contacts.decision import Decision, decide
from contact_sync.contacts.ledger_rows import LedgerRows
from contact_sync.contacts.selection import EXCLUDED, SHARED, TAKES_OVER
from contact_sync.contacts.text_columns import TEXT


@dataclass(frozen=True)
class Known:
    """A client's row in the ledger; hash 0 = none."""

    contact_hash: int
    row_hash: int
    fate: Fate
    cause: Cause
    email_hash: int

    @property
    def is_removed_by_hand(self) -> bool:
        """Whether a person has removed its contact at SendGrid."""
        return self.fate is Fate.EXCLUDED and self.cause is Cause.SENDGRID


@dataclass(frozen=True)
class Client:
    """A client as it was scanned and then read."""

    scanned_hash: int
    verdict: int
    email_hash: int
    row_hash: int
    reason: str | None
    exclusion: str | None
    known: Known | None

    def decision(self, *, resend: bool, retry_rejected: bool) -> Decision:
        """The rules, one after the other."""
        if self.scanned_hash != self.email_hash:
            return Decision.MOVED
        if self.verdict & EXCLUDED or self.exclusion:
            return Decision.EXCLUDED
        if self.reason:
            return Decision.REJECTED
        if self.verdict & SHARED:
            return Decision.SHARED
        if self.known is None:
            return Decision.SEND
        return self.settled(self.known, resend=resend, retry_rejected=retry_rejected)

    def settled(self, known: Known, *, resend: bool, retry_rejected: bool) -> Decision:
        """The rules for what SendGrid has confirmed or refused, and for whom a person removed."""
        if known.is_removed_by_hand and known.email_hash == self.email_hash:
            return Decision.REMOVED
        if resend or known.row_hash != self.row_hash:
            return Decision.SEND
        if known.fate is Fate.REJECTED and not retry_rejected:
            return Decision.REFUSED
        is_own = known.contact_hash == self.email_hash
        return Decision.UNCHANGED if known.fate is Fate.CONFIRMED and is_own else Decision.SEND


HASHES = st.integers(1, 3)
KNOWN = st.builds(Known, contact_hash=st.integers(0, 3), row_hash=st.integers(0, 3),
                  fate=st.sampled_from(Fate), cause=st.sampled_from(Cause),
                  email_hash=st.integers(0, 3))  # fmt: skip
CLIENTS = st.builds(
    Client, scanned_hash=HASHES, verdict=st.sampled_from([0, 0, SHARED, EXCLUDED, TAKES_OVER]),
    email_hash=HASHES, row_hash=HASHES, reason=st.sampled_from([None, None, "invalid"]),
    exclusion=st.sampled_from([None, None, "no consent"]), known=st.none() | KNOWN,
)  # fmt: skip


def column(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Whole numbers as a column."""
    return np.array(values, np.int64)


def ledger(clients: list[Client]) -> LedgerRows:
    """The rows of those that are known."""
    known = [(number, client.known) for number, client in enumerate(clients) if client.known]
    return LedgerRows(
        client_id=column([number for number, _ in known]),
        email_hash=column([row.email_hash for _, row in known]),
        contact_hash=column([row.contact_hash for _, row in known]),
        fate=np.array([row.fate for _, row in known], np.int16),
        cause=np.array([row.cause for _, row in known], np.int16),
        row_hash=column([row.row_hash for _, row in known]),
        filled=column([0 for _ in known]),
        person_hash=column([0 for _ in known]),
        unconfirmed=np.zeros(len(known), bool),
    )


@given(st.lists(CLIENTS, max_size=12), st.booleans(), st.booleans())
def test_each_client_is_decided_about_by_the_rules(
    clients: list[Client],
    resend: bool,
    retry_rejected: bool,
) -> None:
    """Whoever else is in the column, and whether or not the ledger knows anybody."""
    frame = pd.DataFrame(
        {
            "client_id": column(list(range(len(clients)))),
            "email_hash": column([client.email_hash for client in clients]),
            "row_hash": column([client.row_hash for client in clients]),
            "reason": pd.Series([client.reason for client in clients], dtype=TEXT),
            "exclusion": pd.Series([client.exclusion for client in clients], dtype=TEXT),
        }
    )
    found = decide(
        frame,
        column([client.scanned_hash for client in clients]),
        np.array([client.verdict for client in clients], np.int8),
        ledger(clients),
        resend=resend,
        retry_rejected=retry_rejected,
    )
    assert found.decision.tolist() == [
        client.decision(resend=resend, retry_rejected=retry_rejected) for client in clients
    ]
