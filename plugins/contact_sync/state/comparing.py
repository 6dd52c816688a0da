"""What isn't equal of both sides of a verification: the database joins it with what it knows.

PostgreSQL spills to disk what doesn't fit into its memory, so that ours stays flat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from contact_sync.base.verdicts import CallsFor, Count
from contact_sync.base.vocabulary import RemovalReason
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import sides, statements
from contact_sync.state.ledger import ENOUGH_ABSENCES
from contact_sync.state.verifications import Verification

SQL = statements.load("comparing")
WITHOUT_CONTACT = {
    CallsFor.REJECTED: Count.REJECTED, CallsFor.EXCLUDED: Count.EXCLUDED,
    CallsFor.SHARED: Count.SHARED, CallsFor.REMOVED_BY_HAND: Count.REMOVED_BY_HAND,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about contacts without a client: the definition's `policies` by reason, whether
    the sync has a list, whether the next run follows an earlier one (`expects_run`), and whether
    that one believed the absences it saw."""

    policies: Mapping[RemovalReason, str]
    has_list: bool
    expects_run: bool
    believes_absences: bool


def compare(cursor: Cursor, verification: Verification, names: Sequence[str], rules: Rules) -> None:
    """Join both sides, and note what isn't equal and how many are what else.

    `names`: SendGrid's fields in mapping order.
    """
    ids = {"verification_id": verification.verification_id, "sync_id": verification.sync_id}
    calls = sides.count_calls(cursor, verification.verification_id)
    compared, moved = calls.get(CallsFor.CONTACT, 0), calls.get(CallsFor.MOVED, 0)
    waiting = int(one(cursor, SQL["note_differences"], ids | {"names": list(names)})["waiting"])
    strangers = many(
        cursor,
        SQL["note_strangers"],
        ids
        | {str(why): policy for why, policy in rules.policies.items()}
        | {
            "has_list": rules.has_list, "expects_run": rules.expects_run,
            "believes_absences": rules.believes_absences, "enough": ENOUGH_ABSENCES,
            "after": compared,
        },
    )  # fmt: skip
    found = {row["verdict"]: int(row["n"]) for row in strangers}
    counts = {
        Count.COMPARED: compared + moved, Count.WAITING: waiting + moved,
        Count.LEAVING: found.get("waiting", 0), Count.FOREIGN: found.get("foreign", 0),
        Count.KEPT: found.get("kept", 0),
    }  # fmt: skip
    counts |= {count: calls.get(call, 0) for call, count in WITHOUT_CONTACT.items()}
    cursor.execute(SQL["compared"], ids | {"counts": Jsonb(counts)})


def save_digests(cursor: Cursor, verification: Verification) -> None:
    """A digest of each side, once nothing more is found to be no difference."""
    ids = {"verification_id": verification.verification_id}
    cursor.execute(SQL["save_digests"], ids | one(cursor, SQL["digests"], ids))
