"""Verifications: their lives, and what they found. What is compared is in state/sides.py."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contact_sync.base.errors import Fenced
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.numbers import count
from contact_sync.base.verdicts import ExportStatus, Verdict, VerificationState, is_equal
from contact_sync.contacts.destination import Destination
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.database import StateDatabase

SQL = statements.load("verifications")
PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Verification:
    """A verification's row; the columns' meanings are in docs/reference.md.

    `counts` by verdict and by `base.verdicts.Count`; `fields` by SendGrid's field: in how many
    contacts it differs. `age_hours` since it began, on the database's clock.
    """

    verification_id: int
    sync_id: int
    sync_name: str
    state: VerificationState
    attempt: int
    holder: str
    reason: str | None
    definition_hash: str
    destination: Destination
    export_id: str | None
    list_export_id: str | None
    export_status: ExportStatus | None
    export_hash: str | None
    snapshot: SourceSnapshot | None
    compared_at: datetime | None
    counts: dict[str, int]
    fields: dict[str, int]
    sendgrid_digest: str | None
    b2core_digest: str | None
    cause: str | None
    started_at: datetime
    ordered_at: datetime | None
    read_at: datetime | None
    finished_at: datetime | None
    age_hours: float
    rebuilds: bool = False
    rebuilt: int | None = None

    @property
    def is_equal(self) -> bool:
        """Whether it came to its end and found both sides equal."""
        return self.state is VerificationState.SUCCEEDED and is_equal(self.counts)


@dataclass(frozen=True, slots=True)
class Finding:
    """A contact, or a client without one, that isn't as it should be.

    `client_key`: what B2CORE calls the client, if it is known. `fields`: SendGrid's names of those
    that differ. `email` only where somebody has to act on the
    contact; `on_list` None = there is no contact. `repaired`: the next run is told to put it right.
    """

    finding_no: int
    verdict: Verdict
    client_id: int | None
    client_key: str | None
    email: str | None = field(repr=False)
    email_hash: int
    fields: tuple[str, ...]
    on_list: bool | None
    updated_at: datetime | None
    looked_at: datetime | None
    repaired: bool


def begin(
    cursor: Cursor,
    sync_id: int,
    *,
    holder: str,
    reason: str | None,
    definition_hash: str,
    destination: Destination,
    export_id: str | None = None,
    rebuilds: bool = False,
) -> int:
    """Insert a running verification; returns its id. `export_id`: an export that is there.
    `rebuilds`: the ledger is to be filled from it."""
    parameters = {
        "sync_id": sync_id, "holder": holder, "reason": reason, "export_id": export_id,
        "rebuilds": rebuilds, "definition_hash": definition_hash,
        "destination": Jsonb(destination.to_json()),
    }  # fmt: skip
    return int(one(cursor, SQL["begin"], parameters)["verification_id"])


def running(cursor: Cursor, sync_id: int) -> Verification | None:
    """The sync's verification that is under way, or was killed; nobody else begins or takes one
    until the transaction ends."""
    cursor.execute(SQL["lock_sync"], {"sync_id": sync_id})
    rows = many(cursor, SQL["running"], {"sync_id": sync_id})
    return read(cursor, rows[0]["verification_id"]) if rows else None


def newest(cursor: Cursor, sync_id: int, *, only_succeeded: bool) -> Verification | None:
    """The sync's newest verification that is over; None = there is none."""
    parameters = {"sync_id": sync_id, "only_succeeded": only_succeeded}
    rows = many(cursor, SQL["newest"], parameters)
    return read(cursor, rows[0]["verification_id"]) if rows else None


def read(cursor: Cursor, verification_id: int) -> Verification:
    """A verification's row."""
    row = one(cursor, SQL["verification"], {"verification_id": verification_id})
    return _verification(row)


def load(state: StateDatabase, verification_id: int) -> Verification:
    """The same in a transaction of its own."""
    with state.transaction() as cursor:
        return read(cursor, verification_id)


def _verification(row: dict[str, Any]) -> Verification:
    status = row["export_status"]
    return Verification(
        **row
        | {
            "state": VerificationState(row["state"]),
            "export_status": None if status is None else ExportStatus(status),
            "destination": Destination.from_json(row["destination"]),
            "snapshot": SourceSnapshot.of_column(row["snapshot"]),
            "counts": row["counts"] or {},
            "fields": row["fields"] or {},
        }
    )


def take_over(cursor: Cursor, verification_id: int, holder: str) -> None:
    """Continue a verification that somebody else began, or this holder in an earlier try: whoever
    worked for it may not write any more."""
    parameters = {"verification_id": verification_id, "holder": holder}
    cursor.execute(SQL["take_over"], parameters)


@contextmanager
def writing(state: StateDatabase, verification: Verification) -> Iterator[Cursor]:
    """A transaction for whoever works for the verification.

    Raises Fenced when somebody else continues it, or it is over: nothing is written then.
    """
    with state.transaction() as cursor:
        found = many(
            cursor,
            SQL["fence"],
            {"verification_id": verification.verification_id, "attempt": verification.attempt},
        )
        if not found:
            raise Fenced(
                f"Verification {verification.verification_id} is over, or another process "
                f"continues it; this one writes nothing more"
            )
        yield cursor


def save_order(
    cursor: Cursor, verification_id: int, export_id: str, list_export_id: str | None
) -> None:
    """The exports are ordered."""
    parameters = {"verification_id": verification_id, "export_id": export_id}
    cursor.execute(SQL["save_order"], parameters | {"list_export_id": list_export_id})


def save_status(cursor: Cursor, verification_id: int, status: ExportStatus) -> None:
    """What SendGrid says of the exports."""
    parameters = {"verification_id": verification_id, "status": str(status)}
    cursor.execute(SQL["save_status"], parameters)


def save_counts(cursor: Cursor, verification_id: int, counts: Mapping[str, int]) -> None:
    """How many findings there are in the end, and how many contacts are equal; by field, too."""
    parameters = {"verification_id": verification_id, "counts": Jsonb(dict(counts))}
    cursor.execute(SQL["save_counts"], parameters)


def finish(
    cursor: Cursor,
    verification: Verification,
    state: VerificationState,
    cause: str | None = None,
) -> None:
    """End a verification. The findings of one that succeeded stand for all earlier ones; one that
    failed leaves none."""
    ids = {"verification_id": verification.verification_id, "sync_id": verification.sync_id}
    succeeded = state is VerificationState.SUCCEEDED
    cursor.execute(SQL["drop_older_findings"] if succeeded else SQL["drop_findings"], ids)
    cursor.execute(SQL["finish"], ids | {"state": str(state), "cause": cause})


def end_dead(cursor: Cursor, sync_id: int | None, *, hours: float) -> None:
    """End as failed what was begun so long ago that no step works for it any more, of a sync or,
    None, of all: one that was killed would keep erasures and a new hash key waiting until somebody
    verifies again."""
    cause = f"It came to no end within {count(hours, 'hour')}: it was killed, or given up"
    for row in many(cursor, SQL["dead"], {"sync_id": sync_id, "seconds": hours * 3600}):
        finish(cursor, read(cursor, row["verification_id"]), VerificationState.FAILED, cause)


def findings(
    cursor: Cursor,
    verification_id: int,
    verdicts: Collection[Verdict] = tuple(Verdict),
    *,
    after: int = 0,
    at_most: int = PAGE,
) -> list[Finding]:
    """A page of what a verification found, by number."""
    parameters = {
        "verification_id": verification_id, "verdicts": [str(code) for code in verdicts],
        "after": after, "at_most": at_most,
    }  # fmt: skip
    return [_finding(row) for row in many(cursor, SQL["findings"], parameters)]


def _finding(row: dict[str, Any]) -> Finding:
    known = {"verdict": Verdict(row["verdict"]), "fields": tuple(row["fields"])}
    return Finding(**row | known)


def count_findings(cursor: Cursor, verification_id: int) -> dict[str, int]:
    """How many there are, by verdict."""
    rows = many(cursor, SQL["count_findings"], {"verification_id": verification_id})
    return {row["verdict"]: row["n"] for row in rows}
