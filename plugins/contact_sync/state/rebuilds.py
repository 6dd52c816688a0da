"""A ledger that is empty, or isn't believed, filled from what a verification found equal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from contact_sync.base.marks import Mark, Phase
from contact_sync.base.vocabulary import PendingReason
from contact_sync.postgres.copying import copy_into
from contact_sync.postgres.cursor import Cursor, analyze, many
from contact_sync.state import identity, statements

if TYPE_CHECKING:
    import pandas as pd

SQL = statements.load("rebuilds")
PROOF = pa.schema(
    [
        ("verification_id", pa.int64()), ("client_id", pa.int64()), ("email", pa.string()),
        ("email_hash", pa.int64()), ("row_hash", pa.int64()), ("filled", pa.int64()),
        ("person_hash", pa.int64()),
    ]
)  # fmt: skip


def begin_proofs(cursor: Cursor, verification_id: int) -> None:
    """Forget what an earlier try noted, or a verification that is over."""
    cursor.execute(SQL["drop_proofs"], {"verification_id": verification_id})
    cursor.execute(SQL["drop_proofs_of_others"])


def add_proofs(cursor: Cursor, verification_id: int, clients: pd.DataFrame) -> None:
    """Note what the ledger will say of clients that call for a contact, should it be equal;
    columns of PROOF but verification_id, person_hash only if the source tells persons apart."""
    rows = clients.assign(verification_id=verification_id)
    if "person_hash" not in rows:
        rows = rows.assign(person_hash=0)
    copy_into(cursor, "contact_sync.verify_proof", PROOF, [rows])


def confirm_equal(cursor: Cursor, sync_id: int, verification_id: int, read_at: datetime) -> int:
    """Confirm the clients whose contact is equal; returns how many. What was written since
    `read_at`, when B2CORE was read, stays."""
    parameters = {"sync_id": sync_id, "verification_id": verification_id, "read_at": read_at}
    analyze(cursor, "contact_sync.verify_proof")
    cursor.execute(SQL["keep_equal"], parameters)
    cursor.execute(SQL["note_former"], parameters)
    cursor.execute(SQL["release_taken"], parameters)
    cursor.execute(SQL["confirm_equal"], parameters)
    confirmed = cursor.rowcount
    cursor.execute(SQL["note_rebuilt"], parameters | {"clients": confirmed})
    cursor.execute(SQL["drop_proofs"], parameters)
    return confirmed


def prove(cursor: Cursor, sync_id: int, texts: int) -> int:
    """Believe the ledger again; whom it calls confirmed and the verification doesn't is sent by
    the next run. Returns how many. `texts`: mask of the fields that an upsert of them empties."""
    reason = str(PendingReason.STATE_UNPROVEN)
    cursor.execute(SQL["leave_unproven"], {"sync_id": sync_id, "reason": reason})
    left = cursor.rowcount
    identity.believe(cursor, sync_id, texts)
    return left


def newest_mark(cursor: Cursor, sync_id: int) -> Mark | None:
    """The mark that this state database's newest run would have left; None = none has run."""
    rows = many(cursor, SQL["newest_run"], {"sync_id": sync_id})
    if not rows or rows[0]["token"] is None:
        return None
    phase = Phase.BEGUN if rows[0]["is_open"] else Phase.ENDED
    return Mark(rows[0]["life"], rows[0]["run_id"], rows[0]["token"], phase)
