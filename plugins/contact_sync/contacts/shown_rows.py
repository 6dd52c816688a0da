"""Contacts that SendGrid shows, as the rows that would be sent for them. Pure.

Nearly all contacts hold exactly what was sent. Written as a payload, such a contact has the row
hash of its client (transform.py), and nothing else of it has to be looked at. One that is shown in
another form has another hash, although it may mean the same: `meaning` tells.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contact_sync.base.arrays import Int64, Mask
from contact_sync.base.vocabulary import FieldType
from contact_sync.contacts.arrow_columns import mask_of, null_if_empty
from contact_sync.contacts.hash_keys import Hashing
from contact_sync.contacts.mapping import MappedField, Mapping
from contact_sync.contacts.payloads import csv_payloads

_MOMENT = r"^\d{4}-\d\d-\d\d[T ]"
_BREAK = r"[\r\n]"


def row_hashes(
    addresses: pa.Array, values: list[pa.Array], mapping: Mapping, hashing: Hashing
) -> Int64:
    """The row hash of each contact, 0 = no client's. `values` are in mapping order, as `shown`
    gives them: texts, or numbers."""
    columns = [_as_sent(f, column) for f, column in zip(mapping.fields, values, strict=True)]
    try:
        payloads = csv_payloads(addresses, columns, mapping)
    except ValueError:  # somebody has typed a line break: no client's value has one
        broken = _with_breaks([addresses, *columns])
        whole = [_without_breaks(column) for column in (addresses, *columns)]
        payloads = csv_payloads(whole[0], whole[1:], mapping)
        return np.where(broken, 0, hashing.texts(payloads, mapping.seed))
    return hashing.texts(payloads, mapping.seed)


def _as_sent(field: MappedField, values: pa.Array) -> pa.Array:
    texts = values if pa.types.is_string(values.type) else values.cast(pa.string())
    texts = null_if_empty(texts)
    if field.type is FieldType.DATE:
        moment = pc.match_substring_regex(texts, _MOMENT)
        texts = pc.if_else(moment, pc.utf8_slice_codeunits(texts, 0, 10), texts)
    return texts


def _with_breaks(columns: list[pa.Array]) -> Mask:
    found = np.zeros(len(columns[0]), bool)
    for column in columns:
        found |= mask_of(pc.match_substring_regex(column, _BREAK))
    return found


def _without_breaks(column: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(column, _BREAK, " ")
