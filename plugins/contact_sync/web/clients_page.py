"""Look a client up: why does this contact look like this.

Addresses never go into a URL: Airflow logs the query of every request. So an address is posted.
What reads B2CORE imports pandas, a second at the first look-up of a process: not with the app.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from contact_sync.airflow_edge.access import ViewerDep
from contact_sync.airflow_edge.audit import Access, note_access
from contact_sync.base.vocabulary import CLIENT_IDS
from contact_sync.state.for_people.reading import reading
from contact_sync.state.for_people.syncs import sync_row
from contact_sync.web.client_view import client_view
from contact_sync.web.failures import make_router
from contact_sync.web.formats import count
from contact_sync.web.look_up import asking_b2core, asking_sendgrid
from contact_sync.web.rendering import links_of, page
from contact_sync.web.seen_sync import SeenSync, readable_sync

router = make_router()


@router.get("/syncs/{name}/clients")
def clients(request: Request, viewer: ViewerDep, name: str, q: str = "") -> Response:
    """The search form; a key or an id in `q` leads to its client."""
    sync = readable_sync(viewer, name)
    if q.strip():
        return _named(request, sync, q)
    return _search(request, sync)


@router.post("/syncs/{name}/clients")
def find(
    request: Request, viewer: ViewerDep, name: str, q: Annotated[str, Form(max_length=320)],
    every: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Look for a key or an id, or for the clients of an address; `every=on`: list them, even if it
    is one, and look at all of B2CORE's addresses."""
    sync = readable_sync(viewer, name)
    if "@" not in q:
        return _named(request, sync, q)
    if not sync.sees_addresses:
        why = "You may look clients up by key or id only: Airflow doesn't let you see addresses."
        return _search(request, sync, why, status=403)
    from contact_sync.lookup.find_clients import find_clients

    with asking_b2core(name) as opened:
        matches = find_clients(opened, q, thorough=every == "on")
    ids, keys = [each.client_id for each in matches], [each.client_key for each in matches]
    note_access(viewer, sync.definition, Access.SEARCHED, client_ids=ids, client_keys=keys)
    if len(matches) == 1 and not every:
        return _to_client(request, sync, matches[0].client_id)
    problem = (
        "" if matches else "No client of B2CORE has this address, and no contact of this sync."
    )
    return _search(request, sync, problem, status=200 if matches else 404, matches=matches)


@router.get("/syncs/{name}/clients/{client_id}")
def client(
    request: Request, viewer: ViewerDep, name: str, client_id: int, live: str = ""
) -> Response:
    """One client; `live=on` also asks SendGrid what it has, with one call."""
    sync = readable_sync(viewer, name)
    if client_id not in CLIENT_IDS:
        raise HTTPException(404, f"No client can have the id {client_id}.")
    from contact_sync.lookup.explain import explain_client

    with ExitStack() as opened:
        databases = opened.enter_context(asking_b2core(name))
        asked = live == "on"
        sendgrid = opened.enter_context(asking_sendgrid(sync.definition)) if asked else None
        found = explain_client(databases, client_id, live=sendgrid)
    note_access(
        viewer, sync.definition, Access.LOOKED_UP, client_id=client_id,
        client_key=found.keys.get(client_id), live=asked, addresses=sync.sees_addresses,
    )  # fmt: skip
    shown = client_view(found, may_see=sync.sees_addresses)
    status, title = 200 if shown.is_known else 404, f"Client {found.called(client_id)}"
    return page(request, "client.html", status=status, title=title, sync=sync, shown=shown)


def _named(request: Request, sync: SeenSync, q: str) -> Response:
    """To the client with this key, else to the one with this id."""
    if "@" not in q:
        from contact_sync.lookup.client_keys import clients_named, id_of

        with reading(sync.state) as cursor:
            look = sync_row(cursor, sync.name)
        has_keys = look and look.destination and look.destination.mapping.has_client_key
        if (ids := id_of(q.strip())) and not has_keys:
            return _to_client(request, sync, ids[0])
        with asking_b2core(sync.name) as opened:
            if ids := clients_named(opened, q):
                return _to_client(request, sync, ids[-1])
    problem = (
        "No client has this key or id. Enter those of a client, or an e-mail address. An address "
        "isn't taken from a link."
    )
    return _search(request, sync, problem, status=422)


def _to_client(request: Request, sync: SeenSync, client_id: int) -> Response:
    return RedirectResponse(links_of(request).client(sync.name, client_id), status_code=303)


def _search(
    request: Request, sync: SeenSync, problem: str = "", *, status: int = 200,
    matches: Sequence[Any] = (),
) -> Response:  # fmt: skip
    many = count(len(matches), "client matches", "clients match")
    return page(
        request,
        "clients.html",
        status=status,
        title=f"{many} this address" if matches else "Look up a client",
        sync=sync,
        problem=problem,
        matches=matches,
    )
