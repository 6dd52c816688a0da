"""What a run changes, client by client, as a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from contact_sync.airflow_edge.access import Viewer, ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.airflow_edge.handles import databases_of
from contact_sync.base.changes import KINDS
from contact_sync.base.vocabulary import RunState
from contact_sync.reporting import change_lines
from contact_sync.reporting.change_lines import Change
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people import changes
from contact_sync.state.for_people import client as known_clients
from contact_sync.state.for_people.changes import KindCount
from contact_sync.state.for_people.reading import reading
from contact_sync.web.changes_query import AfterDep, Only, OnlyDep, filter_of, run_and_sync
from contact_sync.web.changes_view import STATES, ChangeRow, kept_values, rows_of
from contact_sync.web.client_files import addresses
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links
from contact_sync.web.rendering import links_of, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 100
router = make_router()


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """The page. `planned`: how many clients the run's plan counts by kind, where more than are
    listed; `next_page`: "" = it is the last one; `problem`: what can't be shown, and why."""

    sync: SeenSync
    links: Links
    run: ShownRun
    only: Only
    rows: list[ChangeRow]
    counts: list[KindCount]
    by_field: dict[str, int]
    field_names: list[str]
    next_page: str
    problem: str

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Code and word of each kind that there is."""
        there = {each.kind for each in self.counts}
        return [(code, word) for code, (word, _) in KINDS.items() if code in there]

    @property
    def states(self) -> tuple[str, ...]:
        """The fates that can be asked for."""
        return STATES

    @property
    def reasons(self) -> list[tuple[str, str, int, str]]:
        """Kind, reason, number of rows, and the page of these."""
        return [
            (
                change_lines.kind(each.kind),
                change_lines.reason(each.kind, each.reason),
                each.n,
                self._page(kind=each.kind, reason=each.reason or ""),
            )
            for each in self.counts
        ]

    @property
    def fields(self) -> list[tuple[str, int, str]]:
        """How many of the compared clients change a field, and the page of these."""
        return [(name, n, self._page(kind="changed", field=name))
                for name, n in self.by_field.items()]  # fmt: skip

    @property
    def is_cut(self) -> bool:
        """Whether the run sends more clients than are listed."""
        planned = self.run.plan.counts.get("to_send", 0) if self.run.plan else 0
        sent = ("new", "changed", "moved", "sent_again")
        return planned > sum(each.n for each in self.counts if each.kind in sent)

    def file(self, kind: str) -> str:
        """The file with the same rows; `kind` as `Links.changes` takes it."""
        return self.links.changes(self.sync.name, self.run.id, self.only.query, kind)

    def _page(self, **query: str) -> str:
        asked = {name: value for name, value in query.items() if value}
        return self.links.changes(self.sync.name, self.run.id, asked)


@router.get("/syncs/{name}/runs/{run_id}/changes")
def changes_of_run(
    request: Request, viewer: ViewerDep, name: str, run_id: int, only: OnlyDep, after: AfterDep
) -> Response:
    """ROWS changes, as asked for."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        run, row = run_and_sync(cursor, name, run_id)
        which = filter_of(cursor, row, run_id, only, after)
        found = changes.page_of_changes(cursor, which, ROWS + 1)
        counts = changes.count_kinds(cursor, run_id)
    rows, links = found[:ROWS], links_of(request)
    values, problem = kept_values(sync, run_id, rows)
    mail, no_mail = _addresses(viewer, sync, run_id, rows)
    shown = ChangesPage(
        sync, links, run, only,
        rows_of(rows, row.fields, mail, values, sync, is_over=_is_over(run)),
        counts, run.plan.changed_fields if run.plan else {}, row.fields,
        _next(links, sync, run_id, only, rows) if len(found) > ROWS else "", problem or no_mail,
    )  # fmt: skip
    return page(request, "changes.html", title=f"Changes of run {run_id:,}", sync=sync, shown=shown)


@router.post("/syncs/{name}/runs/{run_id}/changes")
def search(
    request: Request, viewer: ViewerDep, name: str, run_id: int,
    q: Annotated[str, Form(max_length=320)],
) -> Response:  # fmt: skip
    """Look for a client by key, id or address. It is posted, because Airflow logs every query."""
    sync = readable_sync(viewer, name)
    require_same_origin(request)
    asked = q.strip()
    if "@" in asked:
        if not sync.sees_addresses:
            raise HTTPException(403, "You may search by key or id only: Airflow doesn't let you "
                                     "see addresses.")  # fmt: skip
        from contact_sync.state.suppressed import address_hashes

        (email_hash,) = address_hashes([asked], databases_of(name).hashing())
        with reading(sync.state) as cursor:
            _, row = run_and_sync(cursor, name, run_id)
            same = known_clients.clients_of_address(cursor, row.sync_id, email_hash)
        note_access(viewer, sync.definition, Access.SEARCHED,
                    client_ids=[each.client_id for each in same])  # fmt: skip
        if not same:
            raise HTTPException(404, "No client that the sync knows has this address.")
        asked = str(same[0].client_id)
    return RedirectResponse(
        links_of(request).changes(name, run_id, {"client": asked} if asked else None), 303
    )


def _addresses(
    viewer: Viewer, sync: SeenSync, run_id: int, rows: list[Change]
) -> tuple[dict[int, str], str]:
    ids = list(dict.fromkeys(change.client_id for change in rows))
    if sync.sees_addresses and ids:
        note_access(viewer, sync.definition, Access.LISTED, list="changes", run=run_id,
                    client_ids=ids)  # fmt: skip
    found, problem = addresses(sync.name, ids)
    return found, f"Addresses can't be shown: {problem}" if problem else ""


def _next(links: Links, sync: SeenSync, run_id: int, only: Only, rows: list[Change]) -> str:
    last = rows[-1]
    place = {"after_id": str(last.client_id), "after_kind": last.kind, "after_field": last.field}
    return links.changes(sync.name, run_id, only.query | place)


def _is_over(run: ShownRun) -> bool:
    return run.state != RunState.RUNNING
