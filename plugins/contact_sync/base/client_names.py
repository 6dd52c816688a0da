"""How people read a client. Pure."""

from __future__ import annotations


def called(client_id: int, key: str | None) -> str:
    """Its key in B2CORE with the id that is made of it; the id alone where there is no key."""
    return str(client_id) if key is None else f"{key} ({client_id})"
