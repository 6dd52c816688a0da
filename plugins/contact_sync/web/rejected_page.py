"""The rejected clients of a sync: a page, files, and a button that sends them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base import words
from contact_sync.base.refusal_retries import next_try
from contact_sync.base.vocabulary import Refusal
from contact_sync.state.for_people import rejected
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import Filter, ReasonCount, RejectedClient
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.client_files import Ending, addresses, client_file
from contact_sync.web.failures import make_router
from contact_sync.web.links import reason_query
from contact_sync.web.list_page import ListPage
from contact_sync.web.rendering import links_of, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 100
COLUMNS = ("field", "reason", "tries", "first_seen", "last_seen", "next_try")
router = make_router()


@dataclass(frozen=True, slots=True)
class Only:
    """Which of the rejected clients a URL asks for; "" = of every field, for every reason."""

    field: str = ""
    reason: str = ""
    detail: str = ""

    def filter(self, sync_id: int, after: int | None = None) -> Filter:
        """The same for the state database."""
        field, reason, detail = self.field or None, self.reason or None, self.detail or None
        return Filter(sync_id, field, reason, after, detail)


OnlyDep = Annotated[Only, Depends()]


@router.get("/syncs/{name}/rejected")
def rejected_clients(
    request: Request, viewer: ViewerDep, name: str, only: OnlyDep, after: int | None = None,
    started: str = "", waits: str = "",
) -> Response:  # fmt: skip
    """ROWS clients from the id after `after`, of one field and reason if asked for."""
    sync = readable_sync(viewer, name)
    rows: list[RejectedClient] = []
    reasons: list[ReasonCount] = []
    now: datetime | None = None  # by the state database's clock
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        if row:
            rows = rejected.page_of_clients(cursor, only.filter(row.sync_id, after), ROWS + 1)
            reasons = rejected.count_reasons(cursor, row.sync_id)
            now = row.now
    ids = [row.client_id for row in rows[:ROWS]]
    found, problem = addresses(name, ids)
    if sync.sees_addresses and ids:
        note_access(viewer, sync.definition, Access.LISTED, list="rejected", client_ids=ids)
    shown = ListPage(
        sync=sync,
        link=links_of(request).rejected,
        chosen=reason_query(only.field, only.reason, only.detail),
        is_later=after is not None,
        rows=[(row, sync.shown(found.get(row.client_id))) for row in rows[:ROWS]],
        after={"after": str(rows[ROWS - 1].client_id)} if len(rows) > ROWS else {},
        reasons=reasons,
        problem=problem,
    )
    return page(request, "rejected.html", title="Rejected clients", sync=sync, shown=shown,
                started=started, waits=waits, now=now,
                next_try=partial(_next_try, sync))  # fmt: skip


@router.get("/syncs/{name}/rejected.{ending}")
def rejected_file(viewer: ViewerDep, name: str, ending: Ending, only: OnlyDep) -> StreamingResponse:
    """All of them, streamed; with addresses for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
    which = only.filter(row.sync_id if row else -1)
    note_access(viewer, sync.definition, Access.DOWNLOADED, list="rejected", field=only.field,
                reason=only.reason, addresses=sync.sees_addresses)  # fmt: skip
    return client_file(sync, "rejected", ending, COLUMNS, rejected.all_clients(sync.state, which),
                partial(_cells, sync))  # fmt: skip


@router.post("/syncs/{name}/rejected/retry")
def retry(request: Request, viewer: ViewerDep, name: str) -> Response:
    """Start a run that sends rejected clients again, by Airflow's own rules and permissions."""
    sync = readable_sync(viewer, name)
    require_same_origin(request)
    if not sync.may_trigger:
        raise HTTPException(403, "Airflow doesn't let you start runs of this DAG.")
    from contact_sync.airflow_edge.start_dag_run import start_dag_run

    conf = {"retry_rejected": True, "reason": "retry rejected, from the page of rejected clients"}
    run = start_dag_run(request, viewer, sync.definition.dag_id, conf)
    said = {"started": run.run_id, "waits": "on" if run.waits else ""}
    return RedirectResponse(links_of(request).rejected(name, said), status_code=303)


def _next_try(sync: SeenSync, row: RejectedClient) -> datetime | None:
    """When it is sent again by itself; None = only when it changes."""
    if row.reason not in set(Refusal):
        return None
    return next_try(row.first_seen, row.last_seen, sync.definition.full_every_hours)


def _cells(sync: SeenSync, row: RejectedClient) -> list[Any]:
    due = _next_try(sync, row)
    seen = (row.first_seen, row.last_seen, due)
    moments = [at.isoformat() if at else "" for at in seen]
    return [row.field, words.reason(row.reason, row.detail), row.tries, *moments]
