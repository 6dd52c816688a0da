"""How the API says no: a JSON body with `errors`, and how it says yes.

Every item of `errors` has `message` and `field`, the latter null where no field is to blame [K API
description and recording 2021].
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


class Refusal(Exception):  # it is an answer, not a fault of the emulator
    """An answer with an error status; raise it anywhere below a route."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        """Refuse with one error."""
        super().__init__(message)
        self.status = status
        self.errors: list[dict[str, Any]] = [{"field": field, "message": message}]
        self.page: Response | None = None

    @classmethod
    def as_page(cls, status: int, text: str, media_type: str) -> Refusal:
        """Refuse without JSON."""
        refusal = cls(status, "")
        refusal.page = Response(text, status, media_type=media_type)
        return refusal

    @classmethod
    def several(cls, status: int, errors: list[tuple[str | None, str]]) -> Refusal:
        """Refuse with several (field, message) errors."""
        refusal = cls(status, "")
        refusal.errors = [{"field": field, "message": message} for field, message in errors]
        return refusal

    def response(self) -> Response:
        """Return the answer to send."""
        if self.page is not None:
            return self.page
        return answer({"errors": self.errors}, self.status)


def answer(content: object, status: int = 200) -> Response:
    """Return a JSON answer, with the bare content type that SendGrid sends."""
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")


async def refuse(_: Request, refusal: Exception) -> Response:
    """Turn a Refusal that left a route into its answer."""
    if not isinstance(refusal, Refusal):
        raise refusal
    return refusal.response()
