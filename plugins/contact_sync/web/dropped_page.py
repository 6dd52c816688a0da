"""The values of a sync's clients that don't fit their fields: a page and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base import words
from contact_sync.state.for_people import dropped
from contact_sync.state.for_people.dropped import DroppedValue, Filter
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import ReasonCount
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.client_files import Ending, addresses, client_file
from contact_sync.web.failures import make_router
from contact_sync.web.links import reason_query
from contact_sync.web.list_page import ListPage
from contact_sync.web.rendering import links_of, page
from contact_sync.web.seen_sync import readable_sync

ROWS = 100
COLUMNS = ("field", "reason", "since")
router = make_router()


@dataclass(frozen=True, slots=True)
class Only:
    """Which of the dropped values a URL asks for; "" = of every field, for every reason."""

    field: str = ""
    reason: str = ""

    def filter(self, sync_id: int, after: int | None = None, after_field: str = "") -> Filter:
        """The same for the state database."""
        return Filter(sync_id, self.field or None, self.reason or None, after, after_field)


OnlyDep = Annotated[Only, Depends()]


@router.get("/syncs/{name}/dropped")
def dropped_values(
    request: Request, viewer: ViewerDep, name: str, only: OnlyDep, after: int | None = None,
    after_field: str = "",
) -> Response:  # fmt: skip
    """ROWS values from the one after client `after` and its field, of one reason if asked for."""
    sync = readable_sync(viewer, name)
    rows: list[DroppedValue] = []
    reasons: list[ReasonCount] = []
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        if row:
            which = only.filter(row.sync_id, after, after_field)
            rows = dropped.page_of_values(cursor, which, ROWS + 1)
            reasons = dropped.count_reasons(cursor, row.sync_id)
    ids = list(dict.fromkeys(value.client_id for value in rows[:ROWS]))
    found, problem = addresses(name, ids)
    if sync.sees_addresses and ids:
        note_access(viewer, sync.definition, Access.LISTED, list="dropped", client_ids=ids)
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    shown = ListPage(
        sync=sync,
        link=links_of(request).dropped,
        chosen=reason_query(only.field, only.reason),
        is_later=after is not None,
        rows=[(value, sync.shown(found.get(value.client_id))) for value in rows[:ROWS]],
        after={"after": str(last.client_id), "after_field": last.field} if last else {},
        reasons=reasons,
        problem=problem,
    )
    return page(request, "dropped.html", title="Dropped values", sync=sync, shown=shown)


@router.get("/syncs/{name}/dropped.{ending}")
def dropped_file(viewer: ViewerDep, name: str, ending: Ending, only: OnlyDep) -> StreamingResponse:
    """All of them, streamed; with addresses for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
    which = only.filter(row.sync_id if row else -1)
    note_access(viewer, sync.definition, Access.DOWNLOADED, list="dropped", field=only.field,
                reason=only.reason, addresses=sync.sees_addresses)  # fmt: skip
    return client_file(
        sync, "dropped", ending, COLUMNS, dropped.all_values(sync.state, which), _cells
    )


def _cells(value: DroppedValue) -> list[Any]:
    return [value.field, words.reason(value.reason), value.since.isoformat()]
