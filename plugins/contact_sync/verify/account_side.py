"""Load the account's side of a verification: each contact of the export, as hashes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, rows_of
from contact_sync.base.errors import FatalError, RequestRefused, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts import emails
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.meaning import as_text, bits, meant, packed
from contact_sync.contacts.text_columns import arrow, series
from contact_sync.contacts.transform import hashes
from contact_sync.sendgrid.export_calls import Export
from contact_sync.sendgrid.export_files import Contact, Fetched, chunks_of
from contact_sync.state import sides
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.context import open_verification
from contact_sync.verify.order_export import look_at

log = logging.getLogger(__name__)
EMAIL = pa.field("email", pa.string())
_TYPES = {FieldType.TEXT: pa.string(), FieldType.NUMBER: pa.float64(), FieldType.DATE: pa.string()}
_ISO = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"
TOLD_EACH = 100_000
EXPIRED = (401, 403, 404, 410)
"""How storages answer to a signed address that isn't valid any more."""


def load_account_side(sync: Sync, verification_id: int, holder: str | None = None) -> int:
    """Download the exports and store their contacts as hashes; returns how many there are.
    Repeating it replaces what an earlier try stored; once it is complete, nothing is done.

    Raises RetryableError when a file can't be read, FatalError when it can't be fetched any more.
    """
    found = open_verification(sync, verification_id, holder)
    if found.export_hash is not None:
        return found.counts["contacts"]
    if found.export_id is None:
        raise FatalError(f"Verification {verification_id} has ordered no export yet")
    mapping, fetched = found.destination.mapping, Fetched()
    listed = _listed(sync, found.list_export_id, fetched) if found.list_export_id else None
    known = sides.contact_hashes(sync.state, found.sync_id)
    side = _Side(found, mapping, listed, known)
    chunks = _chunks(sync, found.export_id, columns_of(mapping), fetched)
    stored = sides.add_contacts(sync.state, found, map(side.as_hashes, chunks))
    reach("contacts_stored")
    with writing(sync.state, found) as cursor:
        sides.contacts_loaded(cursor, found, fetched.sha256, stored)
    log.info("%d contacts of the account are read, %.1f MB", stored, fetched.size / 1e6)
    return stored


def _listed(sync: Sync, export_id: str, fetched: Fetched) -> Int64:
    """Hashes of the addresses on the list, ascending; 8 bytes of memory each."""
    chunks = _chunks(sync, export_id, pa.schema([EMAIL]), fetched)
    parts = [hashes(_addresses(_texts(chunk, "email"))) for chunk in chunks]
    return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))


def columns_of(mapping: Mapping) -> pa.Schema:
    """What is read of a contact, as SendGrid shows it (read_back.py)."""
    custom = [(f.name, _TYPES[f.type]) for f in mapping.fields if f.custom]
    own = [(f.name, pa.string()) for f in mapping.fields if not f.custom]
    return pa.schema(
        [EMAIL, ("updated_at", pa.string()), *own, ("custom_fields", pa.struct(custom))]
    )


class _Side:
    """Reduces contacts to rows of the account's side; `listed` None = the sync has no list."""

    def __init__(
        self, verification: Verification, mapping: Mapping, listed: Int64 | None, known: Int64
    ) -> None:
        self._id = verification.verification_id
        self._mapping = mapping
        self._listed = listed
        self._known = known
        self._read = 0

    def as_hashes(self, chunk: pa.Table | list[Contact]) -> pa.RecordBatch:
        """A chunk of contacts, without those that have no address: they are nobody's."""
        address = _addresses(_texts(chunk, "email"))
        email_hash = hashes(address)
        columns, unclear = [], []
        for field in self._mapping.fields:
            values = _texts(chunk, field.name, custom=field.custom)
            found, cant_be_read = meant(field, values)
            columns.append(found)
            unclear.append(cant_be_read)
        on_list = np.ones(len(address), bool)
        if self._listed is not None:
            on_list = rows_of(self._listed, email_hash)[1]
        ours = rows_of(self._known, email_hash)[1]
        told = pa.array(on_list & ~ours & (self._listed is not None))
        self._tell(len(address))
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(np.full(len(address), self._id)),
                pa.array(email_hash),
                pa.array(on_list),
                _moments(_texts(chunk, "updated_at")),
                packed(columns),
                pa.array(bits(unclear)),
                pc.if_else(told, address, None),
            ],
            schema=sides.CONTACTS,
        )
        return batch.filter(pa.array(email_hash != 0))

    def _tell(self, contacts: int) -> None:
        before, self._read = self._read, self._read + contacts
        if self._read // TOLD_EACH > before // TOLD_EACH:
            log.info("%d contacts of the export are read", self._read)


def _texts(chunk: pa.Table | list[Contact], name: str, *, custom: bool = False) -> pa.Array:
    """A field's values in a chunk of contacts; null or "" = none."""
    if isinstance(chunk, pa.Table):
        column = chunk.column("custom_fields" if custom else name).combine_chunks()
        return pc.struct_field(column, name) if custom else column
    if custom:
        chunk = [c["custom_fields"] if isinstance(c.get("custom_fields"), dict) else {}
                 for c in chunk]  # fmt: skip
    return pa.array([as_text(contact.get(name)) for contact in chunk], pa.string())


def _addresses(texts: pa.Array) -> pa.Array:
    """As the ledger has them."""
    return arrow(emails.normalised(series(texts)))


def _moments(texts: pa.Array) -> pa.Array:
    """ISO 8601 in UTC, whole seconds; what isn't is unknown."""
    whole = pc.utf8_slice_codeunits(texts, 0, 19)
    whole = pc.if_else(pc.match_substring_regex(whole, _ISO), whole, None)
    try:
        found = whole.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return pa.nulls(len(texts), pa.timestamp("us", "UTC"))
    return pc.assume_timezone(found, "UTC")


def _chunks(
    sync: Sync, export_id: str, schema: pa.Schema, fetched: Fetched
) -> Iterator[pa.Table | list[Contact]]:
    """The contacts in all files of an export, as they come.

    Raises RetryableError at the end when they are fewer than SendGrid says that they are.
    """
    look, read = look_at(sync, export_id), 0
    for number in range(len(look.urls)):
        for chunk in _file(sync, look, number, schema, fetched):
            yield chunk
            read += len(chunk)
    if read < look.contacts:
        raise RetryableError(
            f"SendGrid says that its export has {look.contacts} contacts, and its files have "
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
