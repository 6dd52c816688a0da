"""Templates into pages: all is escaped, nothing comes from elsewhere, no script is inline."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from contact_sync.airflow_edge.installation import time_zone
from contact_sync.base import verdicts, words
from contact_sync.reporting.run_story import dag_run_of
from contact_sync.web import formats
from contact_sync.web.links import Links

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Frames: Airflow's own pages only, which are of the same origin."""


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template of templates/ as an answer; `title` is among the values.

    Every template also has `links`, the URL paths of these pages and of Airflow's.
    """
    text = (
        _environment()
        .get_template(template)
        .render(links=links_of(request), **{"refresh": None, **values})
    )
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def rendered(template: str, **values: Any) -> str:
    """A template that is no page, such as a picture."""
    return _environment().get_template(template).render(**values)


def links_of(request: Request) -> Links:
    """The URL paths below the prefix by which the request came."""
    base = request.scope.get("root_path", "")
    return Links(base, base.removesuffix("/contact-sync"))


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: formats.NOTHING if value is None else value,  # rows of old versions
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": formats.number,
        "moment": formats.moment,
        "iso": formats.iso,
        "duration": formats.duration,
        "rate": formats.rate,
        "count": formats.count,
        "lane": words.LANES.__getitem__,
        "batch_state": words.BATCH_STATES.__getitem__,
        "reason": lambda row: words.reason(row.reason, getattr(row, "detail", None)),
        "verdict": lambda row: verdicts.VERDICTS[row.verdict][0],
        "dag_run_of": dag_run_of,
        "coded": coded,
        "outcome": lambda job: words.outcome(job.outcome, job.numbers),
    }
    found.globals |= {"version": _version(), "time_zone": time_zone()}
    return found


def coded(text: str) -> Markup:
    """A text with what is between two backquotes as code; all of it is escaped."""
    parts = text.split("`")
    said = [
        Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts)
    ]
    return Markup("").join(said)


def _version() -> str:
    """Changes with the static files: browsers may keep what they have, but nothing old."""
    files = sorted((FOLDER / "static").iterdir())
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
