"""All clients with whom a person has something to do: by reason, one by one, as a file, and a
button that sends some of them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base import words
from contact_sync.base.refusal_retries import next_try
from contact_sync.base.to_do import TITLES, ToDo, fix
from contact_sync.base.vocabulary import ExclusionReason, Refusal, RunKind
from contact_sync.state.for_people import to_do
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.state.for_people.to_do import ClientToDo, Filter, ReasonToDo
from contact_sync.web.client_files import Ending, addresses, client_file
from contact_sync.web.failures import make_router
from contact_sync.web.links import Links
from contact_sync.web.rendering import links_of, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

ROWS = 100
AT_ONCE = 200
"""So many clients are sent again by one click."""
COLUMNS = ("what", "field", "reason", "since", "tries", "next_try", "what helps")
router = make_router()


@dataclass(frozen=True, slots=True)
class Only:
    """Which of them a URL asks for; "" = any."""

    what: str = ""
    field: str = ""
    reason: str = ""
    detail: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The same as a query."""
        every = {"what": self.what, "field": self.field, "reason": self.reason,
                 "detail": self.detail}  # fmt: skip
        return {name: value for name, value in every.items() if value}

    def filter(self, sync_id: int) -> Filter:
        """The same for the state database."""
        return Filter(sync_id, self.what or None, self.field or None, self.reason or None,
                      self.detail or None)  # fmt: skip


OnlyDep = Annotated[Only, Depends()]


@dataclass(frozen=True, slots=True)
class ToDoPage:
    """The page; each row with the client's address as the viewer may see it. `history`: the newest
    runs that changed a client. `started`: the DAG run that was started from here, "" = none."""

    sync: SeenSync
    links: Links
    only: Only
    reasons: list[ReasonToDo]
    rows: list[tuple[ClientToDo, str]]
    history: dict[int, list[int]]
    next_page: str
    problem: str
    started: str
    now: datetime | None

    def file(self, ending: str) -> str:
        """The file with the same rows, of all pages; `ending` is ".csv" or ".parquet"."""
        return self.links.to_do(self.sync.name, self.only.query, ending)

    def title(self, row: ReasonToDo | ClientToDo) -> str:
        """What it is, in words."""
        return TITLES[row.what]

    def why(self, row: ReasonToDo | ClientToDo) -> str:
        """Field and reason in words."""
        return why(row)

    def fix(self, row: ReasonToDo) -> str:
        """What helps."""
        return fix(row.what, row.reason)

    def only_these(self, row: ReasonToDo) -> str:
        """The page of those of one reason."""
        return self.links.to_do(self.sync.name, asked_for(row).query)

    def next_try(self, row: ClientToDo) -> datetime | None:
        """When a rejected client is sent again by itself; None = only when it changes."""
        return next_try_of(self.sync, row)

    def may_retry(self, row: ReasonToDo | ClientToDo) -> bool:
        """Whether sending it again may help, and the viewer may start runs."""
        return self.sync.may_trigger and retry_conf(row.what, row.reason) is not None


def next_try_of(sync: SeenSync, row: ClientToDo) -> datetime | None:
    """When a client is sent again by itself; None = only when it changes."""
    if row.last is None or row.reason not in set(Refusal):
        return None
    return next_try(row.since, row.last, sync.definition.full_every_hours)


def why(row: ReasonToDo | ClientToDo) -> str:
    """Field and reason in words; "" = neither."""
    return words.counted(row.field, words.reason(row.reason, row.detail) if row.reason else "")


def asked_for(row: ReasonToDo) -> Only:
    """Those of one reason."""
    return Only(row.what, row.field or "", row.reason or "", row.detail or "")


def retry_conf(what: str, reason: str | None) -> dict[str, Any] | None:
    """How a run sends such clients again; None = that can't help."""
    if what == ToDo.REJECTED:
        return {"retry_rejected": True}
    if reason == ExclusionReason.REMOVED_BY_HAND:
        return {"mode": str(RunKind.RESEND)}
    return None


@router.get("/syncs/{name}/to-do")
def clients_to_do(
    request: Request, viewer: ViewerDep, name: str, only: OnlyDep,
    after_id: int | None = None, after_what: str = "", after_field: str = "", started: str = "",
) -> Response:  # fmt: skip
    """By reason, and ROWS clients."""
    sync, links = readable_sync(viewer, name), links_of(request)
    rows: list[ClientToDo] = []
    reasons: list[ReasonToDo] = []
    history: dict[int, list[int]] = {}
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        if row:
            found = only.filter(row.sync_id)
            which = Filter(found.sync_id, found.what, found.field, found.reason, found.detail,
                           after_id, after_what, after_field)  # fmt: skip
            rows = to_do.page_of_clients(cursor, which, ROWS + 1)
            reasons = to_do.reasons(cursor, row.sync_id)
            history = to_do.history(cursor, row.sync_id, [each.client_id for each in rows])
    shown = rows[:ROWS]
    ids = list(dict.fromkeys(each.client_id for each in shown))
    mail, problem = addresses(name, ids)
    if sync.sees_addresses and ids:
        note_access(viewer, sync.definition, Access.LISTED, list="to do", client_ids=ids)
    after: dict[str, str] = {}
    if len(rows) > ROWS:
        last = shown[-1]
        after = {"after_id": str(last.client_id), "after_what": last.what,
                 "after_field": last.field or ""}  # fmt: skip
    return page(
        request, "to_do.html", title="Clients with something to do", sync=sync,
        shown=ToDoPage(
            sync, links, only, reasons,
            [(each, sync.shown(mail.get(each.client_id))) for each in shown], history,
            links.to_do(name, only.query | after) if after else "", problem, started,
            row.now if row else None,
        ),
    )  # fmt: skip


@router.get("/syncs/{name}/to-do.{ending}")
def to_do_file(viewer: ViewerDep, name: str, ending: Ending, only: OnlyDep) -> StreamingResponse:
    """All of them, streamed; with addresses for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
    which = only.filter(row.sync_id if row else -1)
    note_access(viewer, sync.definition, Access.DOWNLOADED, list="to do", kind=only.what,
                field=only.field, reason=only.reason, addresses=sync.sees_addresses)  # fmt: skip
    return client_file(sync, "to-do", ending, COLUMNS, to_do.all_clients(sync.state, which),
                partial(_cells, sync))  # fmt: skip


@router.post("/syncs/{name}/to-do")
def retry(
    request: Request, viewer: ViewerDep, name: str,
    what: Annotated[str, Form()], field: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "", detail: Annotated[str, Form()] = "",
    client_id: Annotated[int | None, Form()] = None,
) -> Response:  # fmt: skip
    """Start a trial that sends the clients of one reason again, AT_ONCE at most, or one of them."""
    sync, links = readable_sync(viewer, name), links_of(request)
    require_same_origin(request)
    conf = retry_conf(what, reason)
    if not sync.may_trigger:
        raise HTTPException(403, "Airflow doesn't let you start runs of this DAG.")
    if conf is None:
        raise HTTPException(422, "Sending these clients again can't help: see what does.")
    with reading(sync.state) as cursor:
        row = sync_row(cursor, name)
        which = Only(what, field, reason, detail).filter(row.sync_id if row else -1)
        if client_id is not None:
            before = {"after_id": client_id - 1, "after_what": "", "after_field": ""}
            found = to_do.page_of_clients(cursor, Filter(**{**_asked(which), **before}), 1)
            found = [each for each in found if each.client_id == client_id]
        else:
            found = to_do.page_of_clients(cursor, which, AT_ONCE)
    if not found:
        raise HTTPException(404, "There is no such client any more: it was sent meanwhile.")
    from contact_sync.airflow_edge.start_dag_run import start_dag_run

    named = [each.client_key or str(each.client_id) for each in found]
    conf |= {"clients": named, "reason": "sent again, from the page of what is to do"}
    started = start_dag_run(request, viewer, sync.definition.dag_id, conf)
    back = Only(what, field, reason, detail).query | {"started": started.run_id}
    return RedirectResponse(links.to_do(name, back), status_code=303)


def _asked(which: Filter) -> dict[str, Any]:
    return {"sync_id": which.sync_id, "what": which.what, "field": which.field,
            "reason": which.reason, "detail": which.detail}  # fmt: skip


def _cells(sync: SeenSync, row: ClientToDo) -> list[Any]:
    due = next_try_of(sync, row)
    reason = words.reason(row.reason, row.detail) if row.reason else ""
    return [TITLES[row.what], row.field or "", reason, row.since.isoformat(), row.tries,
            due.isoformat() if due else "", fix(row.what, row.reason)]  # fmt: skip
