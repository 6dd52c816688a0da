"""How much of B2CORE a run reads, and why: the codes, what people read, and what is kept for that.

PostgreSQL counts what is inserted, updated and deleted in each table (its docs, "The Cumulative
Statistics System"). A table whose counts, file and oid stand still since it was last read needs no
reading. Counts may come later than the rows they are of, so each table keeps the horizon of the
snapshot in which it was read last, however often it was passed over since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Look(StrEnum):
    """How much of B2CORE a run reads to find who changed."""

    WHOLE = "whole"  # all ids and addresses, and the changed rows of all tables
    CHANGES = "changes"  # the changed rows of tables that moved, and who has to do with them
    NOTHING = "nothing"  # no table moved, and nobody waits to be looked at


class LookWhy(StrEnum):
    """Why B2CORE is read as a whole; of the two other ways there is one reason."""

    COUNTS = "counts"  # the counts tell what has to be read
    EVERYBODY = "everybody"  # the run compares all clients, or chosen ones among all others
    REJECTED_AGAIN = "rejected_again"  # a person asked for all rejected clients
    DETECTION = "detection"  # changes are found by updated_at
    NOTHING_KEPT = "nothing_kept"  # no run has kept counts, or what it kept is not valid any more
    RUN_BEFORE = "run_before"  # failed, was a full one or a trial, or had another definition
    VERIFIED = "verified"  # a verification has been at work since
    LIFTED = "lifted"  # a person may be sent again who was erased
    HELD = "held"  # absent clients are held
    STANDBY = "standby"
    NOT_COUNTED = "not_counted"  # track_counts is off, for somebody
    NO_PRIVILEGE = "no_privilege"  # detail: the functions
    RESET = "reset"
    LONG_AGO = "long_ago"  # detail: minutes
    FUNCTIONS = "functions"  # detail: their names; what they read or answer isn't seen
    OTHER_TABLES = "other_tables"  # detail: their names; foreign ones, and those with row security
    DELETED = "deleted"  # detail: the tables
    NOT_COVERED = "not_covered"  # detail: the tables
    MANY = "many"  # detail: how many clients


LOOKS: Mapping[str, str] = {
    Look.WHOLE: "all ids and addresses of B2CORE were read",
    Look.CHANGES: "only the tables that had changed were read",
    Look.NOTHING: "no table had changed, so that none was read",
}
"""What people read."""
LOOK_REASONS: Mapping[str, str] = {
    LookWhy.COUNTS: "by PostgreSQL's counts of rows written",
    LookWhy.EVERYBODY: "clients are compared with all others",
    LookWhy.REJECTED_AGAIN: "all rejected clients are tried again",
    LookWhy.DETECTION: "counts are used with the change detection xmin only",
    LookWhy.NOTHING_KEPT: "no counts are kept of an earlier run",
    LookWhy.RUN_BEFORE:
        "the run before wasn't an incremental one of the same definition that succeeded",
    LookWhy.VERIFIED: "a verification has been at work since the last run",
    LookWhy.LIFTED: "an erasure was lifted since the last run",
    LookWhy.HELD: "absent clients are held",
    LookWhy.STANDBY: "a standby doesn't count what is written",
    LookWhy.NOT_COUNTED: "track_counts is off in B2CORE, for all or for a role",
    LookWhy.NO_PRIVILEGE: "the role that reads B2CORE may not call {detail}",
    LookWhy.RESET: "the counts were reset",
    LookWhy.LONG_AGO: "that was done last more than {detail} minutes ago",
    LookWhy.FUNCTIONS: "the statements use functions whose answers may change by themselves: "
        "{detail}",
    LookWhy.OTHER_TABLES: "these aren't counted, or not everybody sees all their rows: {detail}",
    LookWhy.DELETED: "rows were deleted, so that clients may be gone: {detail}",
    LookWhy.NOT_COVERED: "changed_xmin.sql doesn't tell of each row that scan.sql reads: {detail}",
    LookWhy.MANY: "{detail} clients have changed, or have to do with those",
}  # fmt: skip


def look_in_words(look: str, why: str, detail: str | None) -> str:
    """How much was read, and why, in one clause."""
    said = f"{int(detail):,}" if detail and detail.isdecimal() else detail
    reason = LOOK_REASONS.get(why, why).format(detail=said)
    return f"{LOOKS.get(look, look)}: {reason}"


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What PostgreSQL says of one table, `name` as schema.table: its file, and how many rows were
    ever inserted, updated and deleted. `horizon`: xid8 of the snapshot in which it was read last.
    """

    name: str
    file: int
    inserted: int
    updated: int
    deleted: int
    horizon: int = 0

    @property
    def moved(self) -> tuple[int, ...]:
        """What differs when anything was written."""
        return self.file, self.inserted, self.updated, self.deleted

    @property
    def lost(self) -> tuple[int, int]:
        """What differs when rows were deleted."""
        return self.file, self.deleted


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What a run keeps of the counts, in its snapshot (base.json_columns).

    `parts`: for "scan" and each part of changed_xmin.sql ("changed 0" …) the oids of its tables;
    `tables` by oid; `reset_at`: when the counts were reset last, "" = never; `whole_at`: when
    everything was read last, ISO 8601; `unusable`: why they can't be used, with its detail.
    `covered`: a change of any row that scan.sql reads is told by changed_xmin.sql. `catalogs`: what
    was written into the catalogs that say what a statement means, "" = not known.
    """

    parts: dict[str, list[int]] = field(default_factory=dict)
    tables: dict[int, TableCounts] = field(default_factory=dict)
    reset_at: str = ""
    whole_at: str = ""
    unusable: tuple[str, str] | None = None
    covered: bool = False
    catalogs: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SourceCounts:
        """What `asdict` gave, after JSON has made texts of keys and lists of tuples; a later
        version may have written more."""
        tables = {int(oid): TableCounts(**row) for oid, row in data["tables"].items()}
        unusable = data["unusable"] and tuple(data["unusable"])
        known = {entry.name for entry in fields(cls)}
        given = {name: value for name, value in data.items() if name in known}
        return cls(**{**given, "tables": tables, "unusable": unusable})

    @property
    def oldest_horizon(self) -> int:
        """Of all tables: nothing that was committed before it is unread."""
        return min((table.horizon for table in self.tables.values()), default=0)
