"""Pre-signed addresses of the upload origin, as S3 makes them [A].

The signature is over the path and the moment of signing; how long it is valid is looked up in the
settings when it is used, so that a test can make an address expire.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

DATE_FORMAT = "%Y%m%dT%H%M%SZ"


def signed_url(origin: str, path: str, *, secret: bytes, now: float, lifetime: float) -> str:
    """Return the address of `path` on the upload origin with a signature in its query."""
    date = datetime.fromtimestamp(now, UTC).strftime(DATE_FORMAT)
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(int(lifetime)),
        "X-Amz-Signature": signature(path, date, secret),
    }
    return f"{origin}{path}?{urlencode(query)}"


def signature(path: str, date: str, secret: bytes) -> str:
    """Return the signature of a path at a date."""
    return hmac.new(secret, f"{path}\n{date}".encode(), sha256).hexdigest()


def signed_at(path: str, query: Mapping[str, str], secret: bytes) -> float | None:
    """Return when an address was signed, or None if the signature is not ours."""
    date = query.get("X-Amz-Date", "")
    if not hmac.compare_digest(query.get("X-Amz-Signature", ""), signature(path, date, secret)):
        return None
    return datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
