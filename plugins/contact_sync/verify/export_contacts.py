"""The contacts of an export as a stream: its files, whose addresses may expire meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from contact_sync.base.errors import FatalError, RequestRefused, RetryableError
from contact_sync.base.numbers import count
from contact_sync.sendgrid.export_calls import Export
from contact_sync.sendgrid.export_files import Contact, Fetched, chunks_of
from contact_sync.sync import Sync
from contact_sync.verify.order_export import look_at

EXPIRED = (401, 403, 404, 410)
"""How storages answer to a signed address that isn't valid any more."""


def contact_chunks(
    sync: Sync, export_id: str, schema: pa.Schema, fetched: Fetched
) -> Iterator[pa.Table | list[Contact]]:
    """The contacts in all files of an export, as they come.

    Raises RetryableError at the end when they are fewer than SendGrid says that they are,
    FatalError when the files can't be fetched any more.
    """
    look, read = look_at(sync, export_id), 0
    for number in range(len(look.urls)):
        for chunk in _file(sync, look, number, schema, fetched):
            yield chunk
            read += len(chunk)
    if read < look.contacts:
        raise RetryableError(
            f"SendGrid says that its export has {count(look.contacts, 'contact')}, and its "
            f"files have "
            f"{read}. Nothing is concluded"
        )


def _file(
    sync: Sync, look: Export, number: int, schema: pa.Schema, fetched: Fetched
) -> Iterator[pa.Table | list[Contact]]:
    """The contacts of one file. Its address may have expired since the look: then it is looked
    once more."""
    try:
        yield from _fetch(sync, look.urls[number], schema, fetched)
    except RequestRefused as error:
        if error.status not in EXPIRED:
            raise RetryableError(str(error)) from None
        again = look_at(sync, look.export_id)
        if len(again.urls) != len(look.urls):
            changed = f"SendGrid's export {look.export_id} has other files now"
            raise RetryableError(changed) from None
        try:
            yield from _fetch(sync, again.urls[number], schema, fetched)
        except RequestRefused as expired:
            raise FatalError(
                f"{expired}: the files of SendGrid's export {look.export_id} can't be fetched any "
                f"more, they are kept for 12 hours. Verify again, which orders another one"
            ) from None


def _fetch(
    sync: Sync, url: str, schema: pa.Schema, fetched: Fetched
) -> Iterator[pa.Table | list[Contact]]:
    with sync.sendgrid.export_file(url) as pieces:
        yield from chunks_of(fetched.noted(pieces), schema)
