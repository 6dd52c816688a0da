"""How many clients a run sends, keeps back, and why; counted where they are compared. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.changes import ChangeKind
from contact_sync.base.client_life import Cause, Fate
from contact_sync.base.json_columns import Staged
from contact_sync.base.vocabulary import (
    MAX_REASONS,
    ExclusionReason,
    FieldType,
    RefusalSum,
    SuppressionKind,
)
from contact_sync.base.words import counted
from contact_sync.contacts.decision import Decided, Decision
from contact_sync.contacts.mapping import Mapping

if TYPE_CHECKING:
    import pandas as pd

    from contact_sync.contacts.transform import Dropped

EXAMPLES = 5
NAMES = ("counts", "rejections", "exclusions", "dropped", "stale", "emptied")


@dataclass(frozen=True, slots=True)
class Counts:
    """`counts`: how many clients what happened to, by its name. The others by field and reason:
    rejected and excluded clients, values that were dropped or cut, and values that are stale,
    because SendGrid knows no way to clear a Number or Date field; texts that are emptied.
    `examples`: ids of the first EXAMPLES clients that are rejected for each reason."""

    counts: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    exclusions: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add those of another chunk."""
        for name in NAMES:
            getattr(self, name).update(getattr(other, name))
        self.examples.update(first_examples((self.examples, other.examples)))
        few = dict(with_few_reasons(self.exclusions))
        self.exclusions.clear()
        self.exclusions.update(few)

    def staged(self) -> Staged:
        """For the run's plan; reasons that didn't occur are left out."""
        reasons = {name: dict(+getattr(self, name)) for name in NAMES[1:]}
        return Staged(dict(self.counts), **reasons, examples=self.examples)


def first_examples(parts: Iterable[dict[str, list[int]]]) -> dict[str, list[int]]:
    """Of each reason the first EXAMPLES clients of several parts."""
    found: dict[str, list[int]] = {}
    for part in parts:
        for why, ids in part.items():
            found[why] = (found.get(why, []) + ids)[:EXAMPLES]
    return found


def with_few_reasons(exclusions: Counter[str]) -> Counter[str]:
    """The same, of B2CORE's own words only the MAX_REASONS most frequent ones, the others without
    words: a text of its own for each client would be a report without an end."""
    told = str(ExclusionReason.EXCLUDED_BY_B2CORE)
    own = Counter({said: n for said, n in exclusions.items() if said.startswith(f"{told}: ")})
    rare = own - Counter(dict(own.most_common(MAX_REASONS)))
    if not rare:
        return exclusions
    return (exclusions - rare) + Counter({told: rare.total()})


def count(
    clients: pd.DataFrame,
    decided: Decided,
    send: pd.DataFrame,
    dropped: list[Dropped],
    mapping: Mapping,
) -> Counts:
    """The counts of a chunk: of its clients, of those that are sent, and of values."""
    rejected = _rejected(clients, decided)
    return Counts(
        _how_many(clients, decided, send),
        Counter({why: len(ids) for why, ids in rejected.items()}),
        _exclusions(clients, decided),
        Counter({counted(part.field, part.reason): len(part.client_id) for part in dropped}),
        _stale(send, mapping),
        _emptied(clients, decided, mapping),
        {why: ids[:EXAMPLES] for why, ids in rejected.items() if ids},
    )


def sent_kinds(decided: Decided) -> dict[ChangeKind, Mask]:
    """Whom the run sends, each of exactly one kind."""
    is_sent, is_moved = decided.decision == Decision.SEND, decided.has_contact & ~decided.own
    in_vain, own = decided.known.unconfirmed, decided.own & ~decided.known.unconfirmed
    return {
        ChangeKind.NEW: is_sent & (in_vain | ~decided.has_contact),
        ChangeKind.MOVED: is_sent & is_moved & ~in_vain,
        ChangeKind.CHANGED: is_sent & own & ~decided.same,
        ChangeKind.SENT_AGAIN: is_sent & own & decided.same,
    }


def _how_many(clients: pd.DataFrame, decided: Decided, send: pd.DataFrame) -> Counter[str]:
    """The clients of the chunk by what happens to them."""
    n = np.bincount(decided.decision, minlength=len(Decision))
    is_moved, sent = decided.has_contact & ~decided.own, sent_kinds(decided)
    no_address = clients["field"].eq("email").fillna(value=False).to_numpy(bool)
    found = {
        "read": n.sum(),
        "pending": n[Decision.MOVED] + n[Decision.ERASED],
        "excluded": n[Decision.EXCLUDED] + n[Decision.SHARED] + n[Decision.REMOVED],
        "rejected": n[Decision.REJECTED] + n[Decision.REFUSED],
        "unchanged": n[Decision.UNCHANGED],
        "newly_excluded": (decided.decision[decided.has_contact] == Decision.EXCLUDED).sum(),
        "address_lost": (is_moved & no_address & (decided.known.fate != Fate.REJECTED)).sum(),
        "given_up": (decided.decision[is_moved] == Decision.SHARED).sum(),
        "new": sent[ChangeKind.NEW].sum(),
        "address_changed": sent[ChangeKind.MOVED].sum(),
        "changed": sent[ChangeKind.CHANGED].sum(),
        "sent_again": sent[ChangeKind.SENT_AGAIN].sum(),
        "cleared": (send["clears"] != 0).sum(),
    }
    return Counter({name: int(number) for name, number in found.items()})


def _rejected(clients: pd.DataFrame, decided: Decided) -> dict[str, list[int]]:
    """Ids of the rejected clients, by field and reason; also of those that were refused before."""
    refused = clients["client_id"].take(np.flatnonzero(decided.decision == Decision.REFUSED))
    found = {counted("contact", RefusalSum.REFUSED_BEFORE): refused.tolist()}
    rows = np.flatnonzero(decided.decision == Decision.REJECTED)
    columns = (clients[name].take(rows).tolist() for name in ("field", "reason", "client_id"))
    for name, reason, client_id in zip(*columns, strict=True):
        found.setdefault(f"{name}: {reason}", []).append(client_id)
    return found


def _exclusions(clients: pd.DataFrame, decided: Decided) -> Counter[str]:
    rows = decided.decision == Decision.EXCLUDED
    shared = int((decided.decision == Decision.SHARED).sum())
    found = Counter({str(ExclusionReason.SHARED_ADDRESS): shared})
    found[str(ExclusionReason.REMOVED_BY_HAND)] = int((decided.decision == Decision.REMOVED).sum())
    if rows.any():
        why = clients.loc[rows, "exclusion"]
        suppressed = decided.suppressed[rows]
        found[str(ExclusionReason.EXCLUDED_ADDRESS)] = int((why.isna() & (suppressed == 0)).sum())
        for number, kind in enumerate(SuppressionKind, 1):
            n = int((suppressed == number).sum())
            found[counted(ExclusionReason.SUPPRESSED_AT_SENDGRID, kind)] = n
        for said, n in why.value_counts().to_dict().items():
            found[counted(ExclusionReason.EXCLUDED_BY_B2CORE, said)] = n
    return found


def _stale(send: pd.DataFrame, mapping: Mapping) -> Counter[str]:
    return _by_field(send["stale"].to_numpy(np.int64), mapping)


def _emptied(clients: pd.DataFrame, decided: Decided, mapping: Mapping) -> Counter[str]:
    """Clients by the text that the sync has sent to their contact, at this address or the former
    one, and that they lack now. What is unknown of the ledger, or what somebody has typed in at
    SendGrid, isn't a client's loss."""
    send = (decided.decision == Decision.SEND) & decided.has_contact
    send &= decided.known.cause != Cause.CONTACT
    now = clients["filled"].to_numpy(np.int64)[send]
    return _by_field(decided.known.filled[send] & ~now & mapping.mask(FieldType.TEXT), mapping)


def _by_field(masks: Int64, mapping: Mapping) -> Counter[str]:
    return Counter({f.name: int((masks >> f.bit & 1).sum()) for f in mapping.fields})
