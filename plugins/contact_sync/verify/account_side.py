"""Load the account's side of a verification: compare each contact of the export, as it comes, with
what its client calls for. Only of the others more than that is kept, as hashes."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask, rows_of
from contact_sync.base.errors import FatalError, RetryableError
from contact_sync.base.failpoints import reach
from contact_sync.base.numbers import count
from contact_sync.base.verdicts import Count
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts import emails
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.mapping import Mapping
from contact_sync.contacts.meaning import as_text, bits, meant, packed
from contact_sync.contacts.shown_rows import row_hashes
from contact_sync.contacts.text_columns import arrow, series
from contact_sync.postgres.arrow_reader import ahead, give_memory_back
from contact_sync.sendgrid.export_files import Contact, Fetched
from contact_sync.state import sides
from contact_sync.state.verifications import Verification, writing
from contact_sync.sync import Sync
from contact_sync.verify.called_for import LISTED, SEEN, SEVERAL, CalledFor
from contact_sync.verify.context import open_verification
from contact_sync.verify.export_contacts import contact_chunks
from contact_sync.verify.unequal_clients import unequal_clients

log = logging.getLogger(__name__)
EMAIL = pa.field("email", pa.string())
_TYPES = {FieldType.TEXT: pa.string(), FieldType.NUMBER: pa.float64(), FieldType.DATE: pa.string()}
_ISO = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"
TOLD_EACH = 100_000


def load_account_side(sync: Sync, verification_id: int, holder: str | None = None) -> int:
    """Download the exports and store what isn't equal; returns how many contacts there are.
    Repeating it replaces what an earlier try stored; once it is complete, nothing is done.

    Raises RetryableError when a file can't be read, or B2CORE's side isn't there (any more);
    FatalError when a file can't be fetched any more.
    """
    found = open_verification(sync, verification_id, holder)
    if found.export_hash is not None:
        return found.counts["contacts"]
    if found.export_id is None:
        raise FatalError(f"Verification {verification_id} has ordered no export yet")
    if found.snapshot is None or not sides.has_clients(sync.state, found):
        raise RetryableError("B2CORE's side has to be read first")
    clients = partial(sides.called_for, sync.state, found)
    called, fetched = CalledFor(clients(), found.counts[Count.CLIENTS]), Fetched()
    give_memory_back()
    hashing = sync.hashing()
    with ThreadPoolExecutor(1) as pool:  # the database works while files are downloaded
        asked = sync.state, found.sync_id, called.email_hash
        known = pool.submit(sides.other_contacts, *asked)
        listed = _listed(sync, found, called, (fetched, hashing))
    side = _Side(found, called, (listed, known.result()), hashing)
    schema = columns_of(found.destination.mapping)
    give_memory_back()
    sides.begin_contacts(sync.state, found)
    for chunk in ahead(contact_chunks(sync, found.export_id, schema, fetched)):
        sides.add_contacts(sync.state, found, side.unequal(chunk))
    sides.add_contacts(sync.state, found, side.several())
    give_memory_back()
    for batch in unequal_clients(sync, found, called, clients):
        sides.add_unequal(sync.state, found, batch)
    reach("contacts_stored")
    with writing(sync.state, found) as cursor:
        seen = int(called.has(SEEN).sum())
        stored = sides.contacts_loaded(cursor, found, fetched.sha256, seen)
    log.info("Read of the account: %s, %.1f MB", count(stored, "contact"), fetched.size / 1e6)
    return stored


def _listed(
    sync: Sync, found: Verification, called: CalledFor, how: tuple[Fetched, Hashing]
) -> Int64 | None:
    """Note which of the clients' contacts are on the list; returns the hashes of all other
    addresses on it, ascending, None = the sync has no list."""
    if found.list_export_id is None:
        called.mark(slice(None), LISTED)
        return None
    (fetched, hashing), others = how, [np.empty(0, np.int64)]
    chunks = contact_chunks(sync, found.list_export_id, pa.schema([EMAIL]), fetched)
    for chunk in ahead(chunks):
        email_hash = hashing.texts(_addresses(_texts(chunk, "email")))
        rows, is_called_for = called.rows_of(email_hash)
        called.mark(rows[is_called_for], LISTED)
        others.append(email_hash[~is_called_for])
    return np.unique(np.concatenate(others))


def columns_of(mapping: Mapping) -> pa.Schema:
    """What is read of a contact, as SendGrid shows it (read_back.py)."""
    custom = [(f.name, _TYPES[f.type]) for f in mapping.fields if f.custom]
    own = [(f.name, pa.string()) for f in mapping.fields if not f.custom]
    return pa.schema(
        [EMAIL, ("updated_at", pa.string()), *own, ("custom_fields", pa.struct(custom))]
    )


class _Side:
    """Finds the contacts that aren't exactly what a client calls for, and reduces them to rows of
    the account's side. `others`: see `_listed`; and other contacts that the ledger has."""

    def __init__(
        self,
        verification: Verification,
        called: CalledFor,
        others: tuple[Int64 | None, Int64],
        hashing: Hashing,
    ) -> None:
        self._id = verification.verification_id
        self._mapping = verification.destination.mapping
        self._called, (self._listed, self._known) = called, others
        self._hashing = hashing
        self._read = 0

    def unequal(self, chunk: pa.Table | list[Contact]) -> pa.RecordBatch:
        """Those of a chunk of contacts. Whoever has no address is nobody's."""
        address = _addresses(_texts(chunk, "email"))
        email_hash, called = self._hashing.texts(address), self._called
        values = [_texts(chunk, field.name, custom=field.custom) for field in self._mapping.fields]
        row_hash = row_hashes(address, values, self._mapping, self._hashing)
        rows, is_called_for = called.rows_of(email_hash)
        equal = called.are_equal(rows, row_hash, is_called_for)
        called.note(rows[is_called_for], equal[is_called_for])
        self._tell(len(rows))
        left = np.flatnonzero(~equal & (email_hash != 0))
        at = pa.array(left)
        fields, unclear = self._fields([column.take(at) for column in values])
        on_list, told = self._is_listed(rows[left], email_hash[left], is_called_for[left])
        return self._batch(
            email_hash[left],
            is_called_for[left],
            on_list,
            _moments(_texts(chunk, "updated_at").take(at)),
            row_hash[left],
            fields,
            unclear,
            pc.if_else(pa.array(told), address.take(at), None),
        )

    def several(self) -> pa.RecordBatch:
        """A row that is equal to nothing for each client with several contacts."""
        rows = np.flatnonzero(self._called.has(SEVERAL))
        n, zeros = len(rows), np.zeros(len(rows), np.int64)
        return self._batch(
            self._called.email_hash[rows],
            np.ones(n, bool),
            self._called.are_listed(rows, np.ones(n, bool)),
            pa.nulls(n, pa.timestamp("us", "UTC")),
            zeros,
            pa.array([b""] * n, pa.binary()),
            zeros,
            pa.nulls(n, pa.string()),
        )

    def _fields(self, values: list[pa.Array]) -> tuple[pa.Array, Int64]:
        found = [meant(f, column) for f, column in zip(self._mapping.fields, values, strict=True)]
        return packed([hashed for hashed, _ in found]), bits([unclear for _, unclear in found])

    def _is_listed(self, rows: Int64, email_hash: Int64, is_called_for: Mask) -> tuple[Mask, Mask]:
        """Which contacts are on the list (of which everybody is, if there is none), and of which
        the address has to be told: the ledger doesn't know that they are there."""
        if self._listed is None:
            return np.ones(len(rows), bool), np.zeros(len(rows), bool)
        other = rows_of(self._listed, email_hash)[1]
        on_list = self._called.are_listed(rows, is_called_for) | (other & ~is_called_for)
        return on_list, on_list & ~is_called_for & ~rows_of(self._known, email_hash)[1]

    def _batch(self, email_hash: Int64, *columns: pa.Array | Int64 | Mask) -> pa.RecordBatch:
        same = np.full(len(email_hash), self._id)
        every = (same, email_hash, *columns)
        arrays = [column if isinstance(column, pa.Array) else pa.array(column) for column in every]
        return pa.RecordBatch.from_arrays(arrays, schema=sides.CONTACTS)

    def _tell(self, contacts: int) -> None:
        before, self._read = self._read, self._read + contacts
        if self._read // TOLD_EACH > before // TOLD_EACH:
            log.info("Read of the export so far: %s", count(self._read, "contact"))


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
