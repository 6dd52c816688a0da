"""The app of all pages in Airflow's UI, under `/contact-sync`.

To add a page:

1. A module `web/NAME_page.py` with `router = make_router()` and one function a page::

       @router.get("/syncs/{name}/things")
       def things(request: Request, viewer: ViewerDep, name: str) -> Response:
           sync = readable_sync(viewer, name)              # 401, 403 or 404 otherwise
           with reading(sync.state) as cursor:             # read only, seconds at most
               rows = state.things.of(cursor, name)        # SQL lives in state/ or include/sql/
           return page(request, "things.html", title="Things", sync=sync, rows=rows)

   Write `def`, not `async def`: it then runs in a thread and may wait for a database.
2. A template `templates/things.html` that extends `base.html` (blocks: title, content). Values are
   escaped; `shown(address)` from `sync.shown` masks an address unless the viewer may see it. The
   Content-Security-Policy forbids inline scripts and styles and every foreign resource: styles go
   to static/style.css, which has the colours of both themes as variables.
3. Add the router to PAGES below.

Whatever goes wrong becomes a page in words with a status (failures.py): raise
ConfigError, RetryableError or HTTPException, and nothing else has to be caught.
"""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from contact_sync.web import clients_page, rejected_page, run_page, syncs_page
from contact_sync.web.failures import show_failures
from contact_sync.web.rendering import FOLDER

PAGES = (syncs_page.router, run_page.router, clients_page.router, rejected_page.router)


@cache
def the_app() -> FastAPI:
    """The app, made once a process."""
    app = FastAPI(title="Contact sync", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    for router in PAGES:
        app.include_router(router)
    show_failures(app)
    return app
