"""What a run changes for each client of a chunk: who is new, changed or kept back. Pure.

Of a first load hardly anything is kept: its clients have no value before, and their batches name
them (decision 39).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64
from contact_sync.base.changes import ChangeKind
from contact_sync.base.vocabulary import ExclusionReason
from contact_sync.contacts.decision import Decided
from contact_sync.run.counting import sent_kinds
from contact_sync.state.changes import FEW, FOUND, MOST, SOME

WHOLE = (ChangeKind.CHANGED, ChangeKind.MOVED, ChangeKind.CLEARED)
"""Kinds of which MOST rows of a slice are kept. Of the others a first load or a resend has very
many, or they have a list of their own: of these FEW, and SOME where a slice has more."""
KEPT_BACK = {"rejected": ChangeKind.REJECTED, "excluded": ChangeKind.EXCLUDED,
             "shared": ChangeKind.EXCLUDED}  # fmt: skip
"""Fates of clients that a run newly notes → what that is called here."""
NOTHING = FOUND.empty_table()


def changes(decided: Decided, ids: Int64, send: pd.DataFrame, keep: pd.DataFrame) -> pa.Table:
    """Rows of FOUND: clients that are sent, by kind, those of whom a text is emptied, and those
    that are newly kept back. `ids` in the order of `decided`; `send` and `keep` as of Compared."""
    rows = [_rows(kind, ids[mask]) for kind, mask in sent_kinds(decided).items() if mask.any()]
    clears = send["clears"].to_numpy(np.int64)
    if clears.any():
        emptied = send["client_id"].to_numpy(np.int64)[clears != 0]
        rows.append(_rows(ChangeKind.CLEARED, emptied, fields=clears[clears != 0]))
    return pa.concat_tables([NOTHING, *rows, *_kept_back(keep)])


def few(found: Sequence[pa.Table]) -> pa.Table:
    """The rows of a slice's chunks: of each kind the first ones."""
    whole = pa.concat_tables(found) if found else NOTHING
    if len(whole) <= FEW:
        return whole
    return pa.concat_tables([_first(whole, kind) for kind in ChangeKind])


def _first(rows: pa.Table, kind: ChangeKind) -> pa.Table:
    found = rows.filter(pc.equal(rows.column("kind"), str(kind)))
    if kind in WHOLE:
        return found[:MOST]
    return found if len(found) <= FEW else found[:SOME]


def _kept_back(keep: pd.DataFrame) -> Iterator[pa.Table]:
    if not len(keep):
        return
    names = ("state", "client_id", "field", "reason", "detail")
    state, client_id, field, reason, detail = (keep[name].to_numpy() for name in names)
    for fate, kind in KEPT_BACK.items():
        rows = np.flatnonzero(state == fate)[: FEW + 1]
        shared = [str(ExclusionReason.SHARED_ADDRESS)] * len(rows)
        yield _rows(
            kind,
            client_id[rows],
            field=["" if pd.isna(name) else str(name) for name in field[rows]],
            reason=shared if fate == "shared" else _texts(reason[rows]),
            detail=_texts(detail[rows]),
        )


def _texts(column: npt.NDArray[Any]) -> list[str | None]:
    return [None if pd.isna(text) else str(text) for text in column]


def _rows(kind: ChangeKind, ids: Int64, **columns: Any) -> pa.Table:
    """The first ones of a kind, one more than FEW if there are. A column that isn't given is NULL,
    `field` empty."""
    n = min(len(ids), MOST if kind in WHOLE else FEW + 1)
    known = {"client_id": ids, "kind": [str(kind)] * n, "field": [""] * n, **columns}
    arrays = [
        pa.array(known[name.name][:n], name.type) if name.name in known else pa.nulls(n, name.type)
        for name in FOUND
    ]
    return pa.Table.from_arrays(arrays, schema=FOUND)
