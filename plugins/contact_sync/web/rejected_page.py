"""The rejected clients of a sync: a page, a CSV file, and a button that sends them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.base import words
from contact_sync.base.vocabulary import MAX_REASONS
from contact_sync.state.for_people import rejected
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.rejected import Filter, ReasonCount, RejectedClient
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.client_files import addresses, csv_file
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links, reason_query
from contact_sync.web.rendering import links_of, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 100
COLUMNS = ("field", "reason", "tries", "first_seen", "last_seen")
router = make_router()


@dataclass(frozen=True, slots=True)
class Only:
    """Which of the rejected clients a URL asks for; "" = of every field, for every reason."""

    field: str = ""
    reason: str = ""
    detail: str = ""

    def filter(self, sync_id: int, after: int = -1) -> Filter:
        """The same for the state database."""
        field, reason, detail = self.field or None, self.reason or None, self.detail or None
        return Filter(sync_id, field, reason, after, detail)


OnlyDep = Annotated[Only, Depends()]


@dataclass(frozen=True, slots=True)
class RejectedPage:
    """Clients from the id after `after`, each with its address as the viewer may see it.

    `chosen`: field, reason and detail that were asked for; {} = all. `problem`: why addresses
    can't be shown.
    """

    sync: SeenSync
    links: Links
    chosen: dict[str, str]
    after: int
    clients: list[tuple[RejectedClient, str]]
    has_more: bool
    reasons: list[ReasonCount]
    problem: str

    @property
    def has_more_reasons(self) -> bool:
        """Whether rare reasons are left out."""
        return len(self.reasons) == MAX_REASONS

    @property
    def first_id(self) -> int | None:
        """The id that a later page begins with."""
        return self.clients[0][0].client_id if self.after >= 0 and self.clients else None

    @property
    def file(self) -> str:
        """The CSV file with the same clients, on all pages."""
        return self.links.rejected(self.sync.name, self.chosen, file=".csv")

    @property
    def first_page(self) -> str:
        """Where the list begins; "" on the first page."""
        return self.links.rejected(self.sync.name, self.chosen) if self.after >= 0 else ""

    @property
    def next_page(self) -> str:
        """Where the list goes on; "" on the last page."""
        if not self.has_more:
            return ""
        after = {"after": str(self.clients[-1][0].client_id)}
        return self.links.rejected(self.sync.name, self.chosen | after)

    def only(self, row: ReasonCount) -> str:
        """The page of the clients with one field and reason."""
        chosen = reason_query(row.field, row.reason, row.detail)
        return self.links.rejected(self.sync.name, chosen)

    @property
    def chosen_words(self) -> str:
        """What was asked for, in words."""
        reason = self.chosen.get("reason")
        why = words.reason(reason, self.chosen.get("detail")) if reason else ""
        return words.counted(self.chosen.get("field"), why)


@router.get("/syncs/{name}/rejected")
def rejected_clients(
    request: Request, viewer: ViewerDep, name: str, only: OnlyDep, after: int = -1,
    started: str = "", waits: str = "",
) -> Response:  # fmt: skip
    """ROWS clients from the id after `after`, of one field and reason if asked for."""
    sync = readable_sync(viewer, name)
    rows: list[RejectedClient] = []
    reasons: list[ReasonCount] = []
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        if row:
            rows = rejected.page_of_clients(cursor, only.filter(row.sync_id, after), ROWS + 1)
            reasons = rejected.count_reasons(cursor, row.sync_id)
    found, problem = addresses(name, [row.client_id for row in rows[:ROWS]])
    shown = RejectedPage(
        sync=sync,
        links=links_of(request),
        chosen=reason_query(only.field, only.reason, only.detail),
        after=after,
        clients=[(row, sync.shown(found.get(row.client_id))) for row in rows[:ROWS]],
        has_more=len(rows) > ROWS,
        reasons=reasons,
        problem=problem,
    )
    return page(request, "rejected.html", title="Rejected clients", sync=sync, shown=shown,
                started=started, waits=waits)  # fmt: skip


@router.get("/syncs/{name}/rejected.csv")
def rejected_csv(viewer: ViewerDep, name: str, only: OnlyDep) -> StreamingResponse:
    """All of them, streamed; with addresses for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
    which = only.filter(row.sync_id if row else -1)
    return csv_file(sync, "rejected", COLUMNS, rejected.all_clients(sync.state, which), _cells)


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


def _cells(row: RejectedClient) -> list[Any]:
    moments = (row.first_seen.isoformat(), row.last_seen.isoformat())
    return [row.field, words.reason(row.reason, row.detail), row.tries, *moments]
