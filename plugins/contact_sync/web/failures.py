"""What goes wrong, as a page: in words, with the fix and a proper status.

No traceback, no connection URL, no value of a row reaches the page or the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException

from contact_sync.base.errors import (
    ConfigError,
    ConnectionMissing,
    RetryableError,
    SyncError,
    told_safely,
)
from contact_sync.config.files import read_definitions
from contact_sync.reporting.failure import cause_of
from contact_sync.web.rendering import page

log = logging.getLogger(__name__)
WORDS = {
    401: ("Please log in", "Airflow doesn't know who you are, or your session is over. Log in to "
          "Airflow and open the page again."),
    403: ("Not permitted", "Airflow doesn't let you see this DAG's runs. Whoever administers "
          "Airflow can give you the permission to read it."),
    404: ("Nothing here", "There is no such page."),
    405: ("Not possible", "This page can only be read."),
    422: ("Not understood", "The address of the page, or what its form sent, makes no "
          "sense."),
}  # fmt: skip


class SafeRoute(APIRoute):
    """Turns errors of libraries into ours, which hold no personal data."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler, with its errors translated."""
        handler = super().get_route_handler()

        async def safe(request: Request) -> Response:
            try:
                return await handler(request)
            except (StarletteHTTPException, RequestValidationError):
                raise
            except Exception as error:  # noqa: BLE001 only translated
                raise told_safely(error) from None

        return safe


def make_router() -> APIRouter:
    """A router for a module of pages."""
    return APIRouter(route_class=SafeRoute)


def show_failures(app: FastAPI) -> None:
    """Make every error a page."""

    def refused(request: Request, error: Any) -> Response:
        title, message = WORDS.get(error.status_code, ("It didn't work", ""))
        own = error.detail if error.detail not in ("Not Found", "Forbidden", "Unauthorized") else ""
        own = own if error.status_code in (403, 404) else ""
        headers = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
        return _failure(request, error.status_code, title, own or message, headers)

    def invalid(request: Request, _error: Any) -> Response:
        return _failure(request, 422, *WORDS[422])

    def failed(request: Request, error: Any) -> Response:
        if isinstance(error, ConnectionMissing):
            title, status = "A connection is missing here", 503
        elif isinstance(error, ConfigError):
            title, status = "The setup isn't right", 503
        elif isinstance(error, RetryableError):
            title, status = "A database doesn't answer", 503
        else:
            title, status = "An unexpected error", 500
        log.warning("A page can't be shown (%d): %s", status, error)
        return _failure(request, status, title, _told(request, error))

    app.add_exception_handler(StarletteHTTPException, refused)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(SyncError, failed)


def _told(request: Request, error: SyncError) -> str:
    """With the connection of the sync that the page is about."""
    name = request.path_params.get("name", "")
    definition = read_definitions().by_name.get(name)
    return cause_of(error, definition.connections) if definition else str(error)


def _failure(
    request: Request, status: int, title: str, message: str, headers: dict[str, str] | None = None
) -> Response:
    answer = page(request, "failure.html", status=status, title=title, message=message)
    answer.headers.update(headers or {})
    return answer
