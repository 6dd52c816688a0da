"""What a run changes, client by client, as files of any length: CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.reporting import change_lines
from contact_sync.reporting.change_lines import Change
from contact_sync.state.for_people import changes
from contact_sync.state.for_people.reading import reading
from contact_sync.web.changes_query import After, OnlyDep, filter_of, run_and_sync
from contact_sync.web.changes_view import FieldChange, fields, kept_values
from contact_sync.web.client_files import Ending, client_file
from contact_sync.web.failures import make_router
from contact_sync.web.seen_sync import SeenSync, readable_sync

COLUMNS = ("kind", "fields", "why", "state", "batch", "job", "job_status")
VALUES = ("before", "after")
router = make_router()


@router.get("/syncs/{name}/runs/{run_id}/changes.{ending}")
def changes_file(
    viewer: ViewerDep, name: str, run_id: int, ending: Ending, only: OnlyDep
) -> StreamingResponse:
    """All of them, streamed; with addresses and kept values for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        _, row = run_and_sync(cursor, name, run_id)
        which = filter_of(cursor, row, run_id, only, After())
    note_access(viewer, sync.definition, Access.DOWNLOADED, list="changes", run=run_id,
                addresses=sync.sees_addresses, **only.query)  # fmt: skip
    columns = COLUMNS + VALUES * sync.sees_addresses
    chunks = _with_values(sync, run_id, row.fields, changes.all_changes(sync.state, which))
    return client_file(sync, f"changes-{run_id}", ending, columns, chunks, _cells(row.fields))


@dataclass(frozen=True, slots=True)
class _Filed:
    """A change with its values, as a file has it."""

    change: Change
    before_after: tuple[str, ...]

    @property
    def client_id(self) -> int:
        return self.change.client_id

    @property
    def client_key(self) -> str | None:
        return self.change.client_key


def _with_values(
    sync: SeenSync, run_id: int, names: list[str], chunks: Iterator[list[Change]]
) -> Iterator[list[_Filed]]:
    for found in chunks:
        values, _ = kept_values(sync, run_id, found)
        filed = []
        for change in found:
            said = fields(change, names, values)
            filed.append(_Filed(change, _texts(said) * sync.sees_addresses))
        yield filed


def _texts(said: list[FieldChange]) -> tuple[str, str]:
    """All values before, and all after."""
    before = [f"{one.name}: {one.before}" for one in said if one.before]
    after = [f"{one.name}: {one.after}" for one in said if one.after]
    return "; ".join(before), "; ".join(after)


def _cells(names: list[str]) -> Callable[[_Filed], Sequence[Any]]:
    def cells(row: _Filed) -> Sequence[Any]:
        change = row.change
        said = ", ".join(change.names(names) or []) or change_lines.note(change)
        return [
            change_lines.kind(change.kind), said, change_lines.why(change), change.state or "",
            str(change.batch_id or ""), change.job_id or "", change.job_status or "",
            *row.before_after,
        ]  # fmt: skip

    return cells
