"""Which keys the hashes of texts in this database were made with: their ids, never themselves."""

from __future__ import annotations

from contact_sync.base.errors import RetryableError
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.postgres.cursor import Cursor, many
from contact_sync.state import statements

SQL = statements.load("hash_keys")


def in_use(cursor: Cursor) -> tuple[str, ...]:
    """The ids of the keys, in the order in which they are applied; none = hashes are plain."""
    return tuple(row["key_id"] for row in many(cursor, SQL["in_use"]))


def hold(cursor: Cursor, hashing: Hashing) -> None:
    """Keep the keys as they are until the transaction ends, for whoever has no lease. Raises
    RetryableError when they aren't those of `hashing` any more."""
    many(cursor, SQL["hold"])
    if in_use(cursor) != hashing.key_ids:
        raise RetryableError(
            "The hashes in the state database got another key meanwhile: repeat this. Nothing was "
            "changed"
        )
