"""Load the account's side of a verification: each contact of the export, as hashes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa

from contact_sync.base.arrays import Int64, rows_of
from contact_sync.base.errors import FatalError, RequestRefused, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.contacts import emails
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.meaning import bits, meant, packed
from contact_sync.contacts.text_columns import TEXT, arrow
from contact_sync.contacts.transform import hashes
from contact_sync.sendgrid.export_calls import Export
from contact_sync.sendgrid.export_files import Contact, Fetched, contacts_of
from contact_sync.state import sides
from contact_sync.state.ledger import known_clients
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.context import open_verification
from contact_sync.verify.order_export import look_at

log = logging.getLogger(__name__)
CHUNK = 10_000
"""Contacts that are in memory at once, and stored by one transaction."""
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
    known = np.sort(known_clients(sync.state, found.sync_id).contact_hash)
    side = _Side(found, mapping, listed, known)
    contacts = _contacts(sync, found.export_id, fetched)
    chunks = iter(lambda: list(islice(contacts, CHUNK)), [])
    stored = sides.add_contacts(sync.state, found, map(side.as_hashes, chunks))
    reach("contacts_stored")
    with writing(sync.state, found) as cursor:
        sides.contacts_loaded(cursor, found, fetched.sha256, stored)
    log.info("%d contacts of the account are read, %.1f MB", stored, fetched.size / 1e6)
    return stored


def _listed(sync: Sync, export_id: str, fetched: Fetched) -> Int64:
    """Hashes of the addresses on the list, ascending; 8 bytes of memory each."""
    contacts = _contacts(sync, export_id, fetched)
    chunks = iter(lambda: list(islice(contacts, CHUNK)), [])
    parts = [hashes(arrow(_addresses(chunk))) for chunk in chunks]
    return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))


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

    def as_hashes(self, contacts: list[Contact]) -> pa.RecordBatch:
        """A chunk of contacts; those without an address belong to nobody here."""
        contacts = [contact for contact in contacts if contact.get("email")]
        address = arrow(_addresses(contacts))
        email_hash = hashes(address)
        columns, unclear = [], []
        for field in self._mapping.fields:
            values = [value_in(contact, field.name, custom=field.custom) for contact in contacts]
            found, cant_be_read = meant(field, values)
            columns.append(found)
            unclear.append(cant_be_read)
        on_list = np.ones(len(contacts), bool)
        if self._listed is not None:
            on_list = rows_of(self._listed, email_hash)[1]
        ours = rows_of(self._known, email_hash)[1]
        told = pa.array(on_list & ~ours & (self._listed is not None))
        self._read += len(contacts)
        if self._read // TOLD_EACH > (self._read - len(contacts)) // TOLD_EACH:
            log.info("%d contacts of the export are read", self._read)
        return pa.RecordBatch.from_arrays(
            [
                pa.array(np.full(len(contacts), self._id)),
                pa.array(email_hash),
                pa.array(on_list),
                _moments([contact.get("updated_at") for contact in contacts]),
                packed(columns),
                pa.array(bits(unclear)),
                pa.compute.if_else(told, address, None),
            ],
            schema=sides.CONTACTS,
        )


def value_in(contact: Contact, name: str, *, custom: bool) -> object:
    """A field's value in a contact as SendGrid shows it; None or "" = none."""
    if not custom:
        return contact.get(name)
    values = contact.get("custom_fields")
    return values.get(name) if isinstance(values, dict) else None


def _addresses(contacts: list[Contact]) -> pd.Series[str]:
    """As the ledger has them."""
    found = [str(contact.get("email") or "") for contact in contacts]
    return emails.normalised(pd.Series(found, dtype=TEXT))


def _moments(texts: list[object]) -> pa.Array:
    """ISO 8601 in UTC, whole seconds; what isn't is unknown."""
    whole = [text[:19] if isinstance(text, str) and len(text) >= 19 else None for text in texts]
    try:
        found = pa.array(whole, pa.string()).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return pa.nulls(len(texts), pa.timestamp("us", "UTC"))
    return found.cast(pa.timestamp("us", "UTC"))


def _contacts(sync: Sync, export_id: str, fetched: Fetched) -> Iterator[Contact]:
    """The contacts in all files of an export, as they come.

    Raises RetryableError at the end when they are fewer than SendGrid says that they are.
    """
    look, read = look_at(sync, export_id), 0
    for number in range(len(look.urls)):
        for contact in _file(sync, look, number, fetched):
            yield contact
            read += 1
    if read < look.contacts:
        raise RetryableError(
            f"SendGrid says that its export has {look.contacts} contacts, and its files have "
            f"{read}. Nothing is concluded"
        )


def _file(sync: Sync, look: Export, number: int, fetched: Fetched) -> Iterator[Contact]:
    """The contacts of one file. Its address may have expired since the look: then it is looked
    once more."""
    try:
        yield from _fetch(sync, look.urls[number], fetched)
    except RequestRefused as error:
        if error.status not in EXPIRED:
            raise RetryableError(str(error)) from None
        again = look_at(sync, look.export_id)
        if len(again.urls) != len(look.urls):
            raise RetryableError(
                f"SendGrid's export {look.export_id} has other files now"
            ) from None
        try:
            yield from _fetch(sync, again.urls[number], fetched)
        except RequestRefused as expired:
            raise FatalError(
                f"{expired}: the files of SendGrid's export {look.export_id} can't be fetched any "
                f"more, they are kept for 12 hours. Verify again, which orders another one"
            ) from None


def _fetch(sync: Sync, url: str, fetched: Fetched) -> Iterator[Contact]:
    with sync.sendgrid.export_file(url) as pieces:
        yield from contacts_of(fetched.noted(pieces))
