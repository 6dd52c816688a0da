"""The rejected clients of a sync: a page, a CSV file, and a button that sends them again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.base.errors import SyncError
from contact_sync.reporting.conclusion import REJECTED
from contact_sync.reporting.csv_export import csv_lines
from contact_sync.state.for_people import rejected
from contact_sync.state.for_people.client import look_at_sync
from contact_sync.state.for_people.rejected import Filter
from contact_sync.state.for_people.runs import reading
from contact_sync.web.failures import make_router
from contact_sync.web.rendering import HEADERS, page
from contact_sync.web.same_origin import require_same_origin
from contact_sync.web.seen_sync import SeenSync, readable_sync

log = logging.getLogger(__name__)
ROWS = 100
COLUMNS = ("client_id", "field", "reason", "tries", "first_seen", "last_seen")
router = make_router()


@router.get("/syncs/{name}/rejected")
def rejected_clients(
    request: Request, viewer: ViewerDep, name: str, field: str = "", reason: str = "",
    after: int = -1, started: str = "", waits: str = "",
) -> Response:  # fmt: skip
    """ROWS clients from the id after `after`, of one field and reason if given."""
    sync = readable_sync(viewer, name)
    rows: list[dict[str, Any]] = []
    reasons: list[dict[str, Any]] = []
    with reading(sync.state) as cursor:
        look = look_at_sync(cursor, name)
        if look:
            which = Filter(look.sync_id, field or None, reason or None, after)
            rows = rejected.page_of_clients(cursor, which, ROWS + 1)
            reasons = rejected.count_reasons(cursor, look.sync_id)
    shown = rows[:ROWS]
    addresses, problem = _addresses(name, [row["client_id"] for row in shown])
    chosen = {key: value for key, value in (("field", field), ("reason", reason)) if value}
    return page(
        request,
        "rejected.html",
        title="Rejected clients",
        sync=sync,
        rows=[{**row, "shown": sync.shown(addresses.get(row["client_id"]))} for row in shown],
        reasons=[{**row, "query": urlencode(_which(row))} for row in reasons],
        many=len(reasons) == rejected.MAX_REASONS,
        words=REJECTED,
        problem=problem,
        chosen=chosen,
        query=urlencode(chosen),
        after=after,
        following=urlencode({**chosen, "after": shown[-1]["client_id"]}) if rows[ROWS:] else "",
        started=started,
        waits=waits,
    )


@router.get("/syncs/{name}/rejected.csv")
def rejected_csv(
    viewer: ViewerDep, name: str, field: str = "", reason: str = ""
) -> StreamingResponse:
    """All of them, streamed; with addresses for who may see them."""
    sync = readable_sync(viewer, name)
    with reading(sync.state) as cursor:
        look = look_at_sync(cursor, name)
    which = Filter(look.sync_id if look else -1, field or None, reason or None)
    lines = _lines(sync, which)
    first = next(lines)  # what goes wrong at once is an answer of its own
    named = {"Content-Disposition": f'attachment; filename="rejected-{name}.csv"'}
    return StreamingResponse(
        _then(first, lines), media_type="text/csv; charset=utf-8", headers={**HEADERS, **named}
    )


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
    base = request.scope.get("root_path", "")
    said = urlencode({"started": run.run_id, "waits": "on" if run.waits else ""})
    return RedirectResponse(f"{base}/syncs/{name}/rejected?{said}", status_code=303)


def _which(row: dict[str, Any]) -> dict[str, str]:
    return {key: row[key] for key in ("field", "reason") if row[key]}


def _lines(sync: SeenSync, which: Filter) -> Iterator[bytes]:
    """The header with the first clients, then the others, in pieces of bounded size.

    Whatever ends it also ends the transaction that it reads from.
    """
    header = csv_lines([COLUMNS[:1] + ("email",) * sync.sees_addresses + COLUMNS[1:]])
    with closing(rejected.all_clients(sync.state, which)) as chunks:
        for rows in chunks:
            addresses: dict[int, str] = {}
            if sync.sees_addresses:
                from contact_sync.airflow_edge.handles import open_sync
                from contact_sync.lookup.find_clients import addresses_of

                with open_sync(sync.name) as opened:
                    addresses = addresses_of(opened, [row["client_id"] for row in rows])
            yield header + csv_lines(_cells(row, addresses, sync) for row in rows)
            header = b""
    if header:
        yield header


def _cells(row: dict[str, Any], addresses: dict[int, str], sync: SeenSync) -> list[Any]:
    address = [addresses.get(row["client_id"])] if sync.sees_addresses else []
    moments = [row[key].isoformat() if row[key] else None for key in COLUMNS[4:]]
    return [row["client_id"], *address, *(row[key] for key in COLUMNS[1:4]), *moments]


def _then(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _addresses(name: str, ids: list[int]) -> tuple[dict[int, str], str]:
    """The clients' addresses in B2CORE now; or {} and why it can't be asked."""
    if not ids:
        return {}, ""
    from contact_sync.airflow_edge.handles import open_sync
    from contact_sync.lookup.find_clients import addresses_of

    try:
        with open_sync(name) as opened:
            return addresses_of(opened, ids), ""
    except SyncError as error:
        log.warning("Addresses of rejected clients aren't shown: %s", error)
        return {}, str(error)
