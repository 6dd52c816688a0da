"""Refuse a form that another site has sent in the name of a viewer who is logged in (CSRF)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import HTTPException, Request


def require_same_origin(request: Request) -> None:
    """Answer 403 to a form that isn't of our own pages.

    Browsers say where a form comes from: `Sec-Fetch-Site` over https and on localhost, `Origin`
    everywhere. Without both it isn't a browser: then only a Bearer token proves who asks, which no
    other site can send. Airflow's cookie is SameSite=Lax besides.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        same = site == "same-origin"
    elif origin is not None:
        same = urlsplit(origin).netloc == request.headers.get("host")
    else:
        same = request.headers.get("authorization", "").lower().startswith("bearer ")
    if not same:
        raise HTTPException(403, "This form came from another site. Open the page in Airflow.")
