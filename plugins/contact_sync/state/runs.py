"""Syncs, their lease, and runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from contact_sync.base.errors import Fenced
from contact_sync.base.json_columns import Approval, JsonColumn, Plan, Result, SourceSnapshot
from contact_sync.base.numbers import count
from contact_sync.base.run_life import EndedWhy, KindReason
from contact_sync.base.vocabulary import Answer, Lane, RunKind, RunState
from contact_sync.contacts.destination import Destination
from contact_sync.postgres.cursor import Cursor, many, one
from contact_sync.state import statements
from contact_sync.state.clocks import pull_back, went_back
from contact_sync.state.database import StateDatabase

SQL = statements.load("runs")


@dataclass(frozen=True, slots=True)
class SyncState:
    """A sync's row: what has been read and with which mapping. `now`: the database's clock when
    the row was read."""

    sync_id: int
    epoch: int
    watermark: SourceSnapshot | None
    mapping_version: str | None
    fields: list[str]
    full_age_hours: float | None
    now: datetime
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked a run for, besides its kind.

    `approve_removals`: remove exactly so many absent clients although that is above the limit.
    `approve`: send a plan above the limits without asking anybody. `only`: ids of the clients of a
    trial; None = an ordinary run.
    """

    reason: str | None = None
    dry_run: bool = False
    retry_rejected: bool = False
    approve_removals: int | None = None
    approve: bool = False
    only: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Whether a run believes the ledger, and by what the next one knows it (state.identity):
    `unproven`: why it isn't believed; `mark_place`: where the run leaves its mark, with `token`."""

    unproven: str | None = None
    token: str | None = None
    mark_place: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run's row. `destination` and `snapshot` are set by check_setup and select_clients;
    `age_hours` since it began, on the database's clock. `life` of its sync and its own `token`:
    see base.marks. `unproven`: why the ledger isn't believed, if it isn't. `kind_reason`: once
    select_clients has decided."""

    run_id: int
    sync_id: int
    sync_name: str
    epoch: int
    kind: RunKind
    dry_run: bool
    state: RunState
    definition_hash: str
    destination: Destination | None
    snapshot: SourceSnapshot | None
    plan: Plan | None
    retry_rejected: bool
    approve_removals: int | None
    approval: Approval | None
    age_hours: float
    life: str = ""
    token: str | None = None
    unproven: KindReason | None = None
    kind_reason: str | None = None
    only: tuple[int, ...] | None = None

    @property
    def is_trial(self) -> bool:
        """Whether it looks at chosen clients only: it removes nothing and moves no watermark."""
        return self.only is not None

    @property
    def fence(self) -> tuple[int, int] | None:
        """What every state write of this run checks; a dry run writes none."""
        return None if self.dry_run else (self.sync_id, self.epoch)


JSON: dict[str, type[JsonColumn]] = {
    "destination": Destination,
    "watermark": SourceSnapshot,
    "snapshot": SourceSnapshot,
    "plan": Plan,
    "approval": Approval,
    "result": Result,
}
"""The JSON columns of syncs and runs, and what each becomes."""


def with_objects(row: dict[str, Any]) -> dict[str, Any]:
    """A row of either, with objects in its JSON columns."""
    return row | {name: kind.of_column(row[name]) for name, kind in JSON.items() if name in row}


def ensure_sync(cursor: Cursor, name: str) -> SyncState:
    """The sync's row, made at its first run; that waits while the hashes get another key, because
    nobody can fence off a sync that isn't there yet."""
    if not one(cursor, SQL["has_sync"], {"name": name})["found"]:
        many(cursor, SQL["hold_syncs"])
        cursor.execute(SQL["insert_sync"], {"name": name})
    return read_sync(cursor, name)


def read_sync(cursor: Cursor, name: str) -> SyncState:
    """The sync's row."""
    return SyncState(**with_objects(one(cursor, SQL["read_sync"], {"name": name})))


def create_run(
    cursor: Cursor,
    *,
    sync_id: int,
    epoch: int,
    kind: RunKind,
    holder: str,
    options: Options,
    definition_hash: str,
    evidence: Evidence | None = None,
) -> int:
    """Insert a running run and return its id."""
    approval = Approval(decision=Answer.APPROVED, by=holder) if options.approve else None
    row = one(
        cursor,
        SQL["create_run"],
        {
            "sync_id": sync_id,
            "epoch": epoch,
            "kind": kind,
            "dry_run": options.dry_run,
            "holder": holder,
            "reason": options.reason,
            "definition_hash": definition_hash,
            **asdict(evidence or Evidence()),
            "retry_rejected": options.retry_rejected,
            "approve_removals": options.approve_removals,
            "approval": approval and Jsonb(approval.to_json()),
            "only_clients": None if options.only is None else list(options.only),
        },
    )
    return int(row["run_id"])


def load_run(state: StateDatabase, run_id: int) -> Run:
    """The run's row."""
    with state.transaction() as cursor:
        return read_run(cursor, run_id)


def read_run(cursor: Cursor, run_id: int) -> Run:
    """The same in a transaction that is open."""
    row = one(cursor, SQL["load_run"], {"run_id": run_id})
    if went_back(row["age_hours"] * 3600):
        pull_back(cursor, row["sync_id"])
        row["age_hours"] = 0.0
    row |= {"kind": RunKind(row["kind"]), "state": RunState(row["state"])}
    only = row.pop("only_clients")
    row["only"] = None if only is None else tuple(only)
    row["unproven"] = row["unproven"] and KindReason(row["unproven"])
    return Run(**with_objects(row))


def end_dead_dry_runs(cursor: Cursor, run: Run, *, hours: float) -> None:
    """End as failed what is older than any dry run of the sync can be, in the name of a run."""
    cause = (
        f"It gave no result within {count(hours, 'hour')} (`deadlines.run_hours`): it was killed"
    )
    parameters = {"sync_id": run.sync_id, "seconds": hours * 3600, "cause": cause,
                  "run_id": run.run_id, "why": str(EndedWhy.TOO_OLD)}  # fmt: skip
    cursor.execute(SQL["end_dead_dry_runs"], parameters)


def save_destination(cursor: Cursor, run_id: int, destination: Destination) -> None:
    """Store what check_setup resolved: mapping with ids, and the list."""
    parameters = {"run_id": run_id, "destination": Jsonb(destination.to_json())}
    cursor.execute(SQL["save_destination"], parameters)


def save_fields(cursor: Cursor, sync_id: int, fields: list[str]) -> None:
    """Store the append-only field list that gives filled masks their meaning."""
    cursor.execute(SQL["save_fields"], {"sync_id": sync_id, "fields": fields})


def save_snapshot(
    cursor: Cursor,
    run_id: int,
    snapshot: SourceSnapshot,
    kind: RunKind,
    why: tuple[KindReason, str | None],
    began: datetime,
) -> None:
    """Store the snapshot that the run reads, and the kind it has become, with code and detail of
    the reason; `began`: when it began to read, by the state database's clock."""
    stored = Jsonb(snapshot.to_json())
    parameters = {"run_id": run_id, "snapshot": stored, "kind": kind, "began": began}
    cursor.execute(SQL["save_snapshot"], parameters | {"why": why[0], "detail": why[1]})


def save_plan(cursor: Cursor, run_id: int, plan: Plan) -> None:
    """Store what the run is going to do."""
    cursor.execute(SQL["save_plan"], {"run_id": run_id, "plan": Jsonb(plan.to_json())})


def learn_size(cursor: Cursor, run_id: int, lane: Lane, size: int) -> None:
    """Requests (JSON) or files (CSV) of more than `size` bytes aren't worth a try in this run."""
    cursor.execute(SQL["learn_size"], {"run_id": run_id, "lane": str(lane), "bytes": size})


def take_size(cursor: Cursor, run_id: int, lane: Lane, size: int) -> None:
    """SendGrid took a request or a file of so many bytes: a refusal isn't due to less."""
    cursor.execute(SQL["take_size"], {"run_id": run_id, "lane": str(lane), "bytes": size})


def learned_size(cursor: Cursor, run_id: int, lane: Lane) -> int | None:
    """The most bytes that are worth a try in this run, if anything was too large."""
    found = one(cursor, SQL["learned_size"], {"run_id": run_id, "lane": str(lane)})["bytes"]
    return None if found is None else int(found)


def save_approval(cursor: Cursor, run_id: int, approval: Approval | None) -> None:
    """Store why a run needs a person's approval, and later the decision."""
    value = approval and Jsonb(approval.to_json())
    cursor.execute(SQL["save_approval"], {"run_id": run_id, "approval": value})


def degraded_before(cursor: Cursor, run: Run) -> dict[str, int]:
    """What was not as it should be, by `Degraded`, after the last run before that succeeded."""
    rows = many(cursor, SQL["degraded_before"], {"sync_id": run.sync_id, "run_id": run.run_id})
    return dict(rows[0]["degraded"]) if rows else {}


def finish_run(
    cursor: Cursor, run: Run, state: RunState, *, result: Result, cause: str | None = None
) -> None:
    """End the run (once) and drop its scratch rows."""
    cursor.execute(
        SQL["finish_run"],
        {"run_id": run.run_id, "state": state, "result": Jsonb(result.to_json()), "cause": cause},
    )
    cursor.execute(SQL["drop_slices"], {"run_id": run.run_id})


def advance_watermark(
    cursor: Cursor, run: Run, watermark: SourceSnapshot, destination: Destination
) -> None:
    """Move the watermark and remember list and fields; compare-and-set on the run's epoch. A trial
    leaves all as it is.

    Raises Fenced when a newer run holds the lease.
    """
    if run.is_trial:
        return
    cursor.execute(
        SQL["advance_watermark"],
        {
            "sync_id": run.sync_id,
            "epoch": run.epoch,
            "watermark": Jsonb(watermark.to_json()),
            "mapping_version": destination.version,
            "destination": Jsonb(destination.to_json()),
            "is_full": run.kind is not RunKind.INCREMENTAL,
        },
    )
    if cursor.rowcount == 0:
        raise Fenced(f"Run {run.run_id:,} has lost its lease to a newer run: the watermark stays")


def note_cause(state: StateDatabase, run_id: int, cause: str) -> None:
    """Keep the first cause of a run's failure for its report."""
    with state.transaction() as cursor:
        cursor.execute(SQL["note_cause"], {"run_id": run_id, "cause": cause})


def note_wait(state: StateDatabase, run_id: int, why: str, seconds: float) -> None:
    """A call of the run waits for so many seconds; for people."""
    with state.transaction() as cursor:
        cursor.execute(SQL["note_wait"], {"run_id": run_id, "why": why, "seconds": seconds})
