"""Templates into pages: all is escaped, nothing comes from elsewhere, no script is inline."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contact_sync.reporting.run_story import LANES
from contact_sync.web import formats

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Frames: Airflow's own pages only, which are of the same origin."""


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template of templates/ as an answer; `title` is among the values.

    Every template also has `base` (the URL path of these pages) and `airflow` (that of Airflow).
    """
    base = request.scope.get("root_path", "")
    text = _environment().get_template(template).render(
        base=base, airflow=base.removesuffix("/contact-sync"), **{"refresh": None, **values}
    )  # fmt: skip
    return HTMLResponse(text, status_code=status, headers=HEADERS)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": formats.number,
        "moment": formats.moment,
        "iso": formats.iso,
        "duration": formats.duration,
        "count": formats.count,
        "lane": LANES.__getitem__,
        "in_url": lambda text: quote(str(text), safe=""),
    }
    found.globals["version"] = _version()
    return found


def _version() -> str:
    """Changes with the static files: browsers may keep what they have, but nothing old."""
    files = sorted((FOLDER / "static").iterdir())
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
