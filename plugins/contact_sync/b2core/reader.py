"""Read B2CORE's database. The only SQL against it is in `include/sql/<source>/`. Everything is read
in one `REPEATABLE READ READ ONLY` transaction with time-outs, which ends before any HTTP call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.b2core import plans
from contact_sync.b2core.client_ids import changed_ids, ids_of, refuse_twice
from contact_sync.b2core.counts import judged, parts_of, read_counts
from contact_sync.b2core.origins import place_of_no_text
from contact_sync.b2core.position import position, refused_functions
from contact_sync.b2core.powers import role_finding
from contact_sync.b2core.replaced import marks, refuse_replaced
from contact_sync.b2core.session import READ_ONLY, settings
from contact_sync.b2core.statements import filled, problems, read_statement, refuse_same_names
from contact_sync.b2core.still import standing_still
from contact_sync.base.arrays import Int64
from contact_sync.base.errors import B2CORE, ConfigError, FatalError
from contact_sync.base.findings import Finding
from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.source_look import SourceCounts
from contact_sync.postgres import arrow_reader
from contact_sync.postgres.bounded import Bounded
from contact_sync.postgres.idle import Kept
from contact_sync.postgres.literals import literal

WHAT = B2CORE
EVER = "2"
"""A horizon that no row is older than: the age of a permanent xid has no limit (PostgreSQL's
xid_age)."""
SILENT_SECONDS = 60.0
"""A server that keeps its own statement time-out has answered so long after it."""
CHOICE = ("part", "place", "row_id", "label", "updated_at", "reason")
"""What explain.sql gives of each row, beside its values."""
_ANY = {
    "first_id": 0, "last_id": 0, "ids": None, "horizon": "3", "client_id": 0,
    "since": datetime(2000, 1, 1, tzinfo=UTC),
}  # fmt: skip
"""Values for all parameters, to look at a statement's columns."""


@dataclass(frozen=True, slots=True)
class B2Core:
    """How to reach and read B2CORE: `dsn` a libpq URL, `folder` the statements."""

    dsn: str
    folder: Path
    statement_timeout_seconds: int
    _connections: Kept[arrow_reader.Connection] = field(default_factory=Kept, repr=False)
    _lookers: Kept[Bounded] = field(default_factory=Kept, repr=False)

    @contextmanager
    def snapshot(self, *, counting: bool = False) -> Iterator[Snapshot]:
        """One read-only snapshot of all tables; `counting`: what was written into them is looked up
        before. Raises ConfigError or RetryableError."""
        limit, patience = self.statement_timeout_seconds, SILENT_SECONDS
        connect = partial(arrow_reader.open_connection, self.dsn, WHAT, seconds=limit + patience)
        with self._connections.used(connect, arrow_reader.answers) as connection:
            counts = self._counts(connection) if counting else None
            for statement in (READ_ONLY, settings(limit)):
                arrow_reader.execute(connection, statement, WHAT)
            yield (snapshot := Snapshot(connection, self.folder, counts))
            if arrow_reader.answers(connection):
                seen = snapshot.marks()
                connection.rollback(WHAT)
                if seen:
                    arrow_reader.execute(connection, settings(limit), WHAT)
                    refuse_replaced(seen, snapshot.marks(), WHAT)
                    connection.rollback(WHAT)

    def _counts(self, connection: arrow_reader.Connection) -> SourceCounts:
        arrow_reader.execute(connection, settings(self.statement_timeout_seconds), WHAT)
        counts = read_counts(connection, parts_of(self.folder), WHAT)
        connection.rollback(WHAT)
        return counts

    def standing_still(self, mark: SourceSnapshot | None) -> SourceSnapshot | None:
        """Where B2CORE stands, if it hasn't changed since a run left this mark; else None."""
        return standing_still(self._lookers, self.dsn, mark, self.statement_timeout_seconds)

    @contextmanager
    def keeping_connections(self) -> Iterator[None]:
        """Meanwhile one is kept for the next snapshot, without a transaction, and for a look."""
        with self._connections.keeping(), self._lookers.keeping():
            yield

    def seen_problems(self, name: str) -> tuple[str, ...]:
        """What can be seen to be wrong with a statement's text. Raises ConfigError without one."""
        return problems(read_statement(self.folder, name), name)

    def columns(self, name: str = "clients") -> pa.Schema:
        """As a snapshot's `columns`."""
        with self.snapshot() as snapshot:
            return snapshot.columns(name)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open transaction; every method sees the same moment. `counts`: what had been written
    shortly before, if it was asked for."""

    connection: arrow_reader.Connection
    folder: Path
    counts: SourceCounts | None = None
    _read_so_far: set[str] = field(default_factory=set, repr=False)

    def marks(self) -> dict[str, str]:
        """Marks of the tables that were read so far: when they are others outside of the snapshot,
        what was read may be nothing, although the tables had rows all the time."""
        if not self._read_so_far:
            return {}
        return marks(self.connection, self._texts(*self._read_so_far), WHAT, files_of_matviews=True)

    def tables(self) -> dict[str, str]:
        """Marks of the tables that contacts are made of, to compare them with those of another run:
        a materialized view that was refreshed is still the same."""
        return marks(self.connection, self._texts("clients", "scan"), WHAT, files_of_matviews=False)

    def _texts(self, *names: str) -> list[str]:
        return [self._sql(name, _ANY) for name in sorted(names)]

    def position(self) -> SourceSnapshot:
        """Where this snapshot stands: xid horizon (a xid8), time, system identifier, timeline,
        start of the server, the database's oid, and a standby's seconds behind (0: primary).

        Rows written by a transaction that this snapshot doesn't see have an xmin at or above the
        horizon (PostgreSQL docs, `pg_snapshot_xmin`), also when it commits late.
        """
        return SourceSnapshot.from_json(position(self.connection, WHAT))

    def refused_functions(self) -> list[str]:
        """Functions that the server refuses to the role that reads, and that tell where it is."""
        return refused_functions(self.connection, WHAT)

    def role(self) -> Finding:
        """What the role that reads may do besides."""
        return role_finding(self.connection, WHAT)

    def columns(self, name: str = "clients") -> pa.Schema:
        """Names and types of the columns that a statement gives; executes nothing."""
        found = arrow_reader.schema(self.connection, self._sql(name, _ANY), _what(name))
        refuse_same_names(found.names, name)
        return found

    def scan(self) -> Iterator[pa.RecordBatch]:
        """client_id, email and exclusion of every client, unordered."""
        for batch in self._batches("scan", {}):
            ids_of(batch, "scan")
            yield batch

    def changed_since_xid(self, horizon: int) -> Int64:
        """Int64 of clients with any contributing row written at or after the xid8 `horizon`."""
        return changed_ids(self._batches("changed_xmin", {"horizon": str(horizon % 2**32)}))

    def changed_in_part(self, part: str, horizon: int) -> Int64:
        """The same of one part of the statement, as the counts name them."""
        sql = filled(parts_of(self.folder)[part], "changed_xmin", {"horizon": str(horizon % 2**32)})
        return changed_ids(self._read(sql, "changed_xmin"))

    def of_parts(self, parts: Sequence[str], query: str) -> list[pa.RecordBatch]:
        """The answer to a query about all client ids that these parts give, for each row one,
        whenever it was written: {rows} in it."""
        texts = parts_of(self.folder)
        rows = [filled(texts[part], "changed_xmin", {"horizon": EVER}) for part in parts]
        sql = query.replace("{rows}", "\nUNION ALL\n".join(rows))
        return [*self._read(sql, "changed_xmin")]

    def judged_counts(self) -> SourceCounts | None:
        """The counts, unusable if the statements may answer otherwise although nothing is written;
        `covered` as base.source_look says. Reads no table."""
        if self.counts is None or self.counts.unusable:
            return self.counts
        told = plans.is_told_row_by_row(self.plan("scan"), self.plan("changed_xmin"))
        counts = replace(self.counts, covered=told)
        return judged(counts, self.connection, parts_of(self.folder), WHAT)

    def changed_since(self, since: datetime) -> Int64:
        """Int64 of clients with any contributing row whose updated_at is not before `since`."""
        return changed_ids(self._batches("changed_updated_at", {"since": since}))

    def clients(
        self, columns: Sequence[str], first_id: int, last_id: int, ids: Int64 | None
    ) -> Iterator[pa.RecordBatch]:
        """The mapped columns of the clients in the id range (of those in `ids`, if given).

        Raises FatalError at the end when a client came twice.
        """
        seen = [np.empty(0, np.int64)]
        for batch in self.rows(columns, self._clients(first_id, last_id, ids)):
            seen.append(np.array(ids_of(batch, "clients")))  # a view keeps the batch
            yield batch
            del batch  # before the next one is read
        refuse_twice(np.sort(np.concatenate(seen)), "clients")

    def rows(self, columns: Sequence[str], clients: str) -> Iterator[pa.RecordBatch]:
        """Some columns of the statement `clients`, whose parameters are filled."""
        names = ", ".join(f'"{name}"' for name in columns)
        sql = f"SELECT {names} FROM (\n{clients}\n) AS clients"  # noqa: S608 names match [a-z0-9_]+
        return self._read(sql, "clients")

    def text(self, name: str, parameters: dict[str, Any] | None = None) -> str:
        """A statement with its parameters filled, to be used inside a larger one."""
        return self._sql(name, parameters or _ANY)

    def row(self, sql: str, name: str) -> dict[str, Any]:
        """The only row of a statement that is made of the statement `name`."""
        (row,) = arrow_reader.table(self.connection, sql, _what(name)).to_pylist()
        return dict(row)

    def ids_by(self, sql: str, name: str) -> list[int]:
        """The client_id of each row of a statement that is made of the statement `name`."""
        found = arrow_reader.table(self.connection, sql, _what(name))
        return [int(client_id) for client_id in found.column("client_id").to_pylist()]

    def plan(self, name: str) -> Any:
        """How PostgreSQL would carry a statement out; nothing is read."""
        explain = f"EXPLAIN (VERBOSE, FORMAT JSON) {self._sql(name, _ANY)}"
        found = arrow_reader.table(self.connection, explain, _what(name), is_query=False)
        return json.loads(found.column(0)[0].as_py())

    def tables_of(self, name: str) -> set[plans.Table]:
        """The tables that a statement reads, also below views, with their kinds."""
        names = [str(table) for table in plans.tables(self.plan(name))]
        sql = plans.KINDS.format(names=literal(names))
        rows = arrow_reader.table(self.connection, sql, _what(name)).to_pylist()
        return {plans.Table(row["schema_name"], row["name"], row["kind"]) for row in rows}

    def times_without_zone(self, name: str) -> list[str]:
        """schema.table.column of what a statement compares with a time although it has no zone."""
        names = plans.compared_with_a_time(self.plan(name))
        sql = plans.WITHOUT_ZONE.format(names=literal(names))
        rows = arrow_reader.table(self.connection, sql, _what(name)).to_pylist()
        return [row["name"] for row in rows]

    def choices(self, client_id: int) -> list[dict[str, Any]]:
        """All phone and address rows of a client in the order of the rule that chooses one of each.

        Raises ConfigError when the folder has no explain.sql that fits: a run doesn't need it.
        """
        sql = self._sql("explain", {"client_id": client_id})
        found = arrow_reader.table(self.connection, sql, _what("explain"))
        if lacking := [name for name in CHOICE if name not in found.schema.names]:
            raise ConfigError(f"explain.sql gives no column {', '.join(lacking)}: see its head")
        return arrow_reader.rows_of(found)

    def addresses_of(self, ids: Int64) -> Iterator[pa.RecordBatch]:
        """client_id, email and exclusion of some clients, as scan.sql gives them."""
        return self._scanned(f"client_id = ANY({literal(ids)}::bigint[])")

    def addresses_with(self, part: str) -> Iterator[pa.RecordBatch]:
        """client_id, email and exclusion of clients with these lower-case characters in their
        address; reads all addresses, half a second per million. Those that aren't ASCII are left
        to the caller: how they are written, what is their lower case and whether they can be
        written at all is the database's matter."""
        if not part.isascii():
            return self._scanned("TRUE")
        written = f"convert_from(decode('{part.encode().hex()}', 'hex'), 'UTF8')"  # holds no quote
        return self._scanned(f"position({written} IN lower(email)) > 0")

    def _scanned(self, condition: str) -> Iterator[pa.RecordBatch]:
        sql = f"""SELECT client_id, email, exclusion FROM (\n{self._sql("scan", {})}\n) AS clients
                  WHERE {condition}"""  # noqa: S608 integers and hex digits only
        return self._read(sql, "scan")

    def _clients(self, first_id: int, last_id: int, ids: Int64 | None) -> str:
        return self._sql("clients", {"first_id": first_id, "last_id": last_id, "ids": ids})

    def _batches(self, name: str, parameters: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        return self._read(self._sql(name, parameters), name)

    def _read(self, sql: str, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of a statement; raises FatalError that says where bytes are no text."""
        self._read_so_far.add(name)
        try:
            yield from arrow_reader.record_batches(
                self.connection, sql, _what(name), batch_bytes=arrow_reader.BATCH_BYTES
            )
        except arrow_reader.NotText as error:
            if (where := place_of_no_text(self.connection, sql, name, _what(name))) is None:
                raise
            raise FatalError(f"{error}; {where}") from None

    def _sql(self, name: str, parameters: dict[str, Any]) -> str:
        return filled(read_statement(self.folder, name), name, parameters)


def _what(statement: str) -> str:
    return f"{WHAT} ({statement}.sql)"
