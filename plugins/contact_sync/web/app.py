"""The app of all pages in Airflow's UI, under `/contact-sync`.

To add a page:

1. What it reads: a function in state/for_people/ that takes a cursor and returns frozen
   dataclasses; its SQL is a named statement of include/sql/state/for_people/.
2. A module `web/NAME_page.py` with `router = make_router()` and one function a page::

       @router.get("/syncs/{name}/things")
       def things(request: Request, viewer: ViewerDep, name: str) -> Response:
           sync = readable_sync(viewer, name)              # 401, 403 or 404 otherwise
           with reading(sync.state) as cursor:             # read only, seconds at most
               found = things_of(cursor, name)
           shown = ThingsPage(found, sync, links_of(request))
           return page(request, "things.html", title="Things", sync=sync, shown=shown)

   Write `def`, not `async def`: it then runs in a thread and may wait for a database. What the
   page says is worked out in Python, in a dataclass with properties (`ThingsPage` here, or a
   module `web/NAME_view.py` as run_view.py is): texts, numbers to be shown, which link. Words for
   codes come from base/, sentences about runs and clients from reporting/. `sync.shown(address)`
   masks an address unless the viewer may see it.
3. A template `templates/things.html` that extends `base.html` (blocks: path, title, content) and
   only lays out, in lines of at most 120 characters. parts.html has tables, notes, tags and times,
   and `links` every URL path. Values are escaped. The Content-Security-Policy forbids inline
   scripts and styles and every foreign resource: styles go to static/style.css, which has the
   colours of both themes as variables.
4. Its router in PAGES below.
5. Tests: what it says and to whom in tests/dags, `barriers(page) == []` in a real browser; its
   picture in local/browser/screenshots.py if the documents show it.

Whatever goes wrong becomes a page in words with a status (failures.py): raise
ConfigError, RetryableError or HTTPException, and nothing else has to be caught.
"""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from contact_sync.web import (
    change_files,
    changes_page,
    check_page,
    clients_page,
    dropped_page,
    erasures_page,
    full_run_page,
    mapping_page,
    plan_page,
    rejected_page,
    run_page,
    suppressions_page,
    sync_actions,
    sync_page,
    syncs_page,
    to_do_page,
    verification_page,
)
from contact_sync.web.admission import Admission
from contact_sync.web.failures import show_failures
from contact_sync.web.rendering import FOLDER

PAGES = (
    syncs_page.router, sync_page.router, sync_actions.router,
    run_page.router, clients_page.router, rejected_page.router,
    dropped_page.router, mapping_page.router, check_page.router,
    suppressions_page.router, erasures_page.router, changes_page.router, plan_page.router,
    change_files.router, to_do_page.router,
    verification_page.router, full_run_page.router,
)  # fmt: skip


@cache
def the_app() -> FastAPI:
    """The app, made once a process."""
    app = FastAPI(title="Contact sync", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    for router in PAGES:
        app.include_router(router)
    show_failures(app)
    app.add_middleware(Admission)
    return app
