"""A small account, definition and source for the unit tests."""

from __future__ import annotations

from collections.abc import Mapping as Read
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.config.definition import SyncDefinition
from contact_sync.contacts.json_bodies import json_body
from contact_sync.contacts.mapping import Mapping, field_positions, resolve
from contact_sync.contacts.payloads import csv_payloads
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.runs import with_objects

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)

RESERVED = [
    "first_name", "last_name", "email", "alternate_emails", "address_line_1", "address_line_2",
    "city", "state_province_region", "postal_code", "country", "phone_number",
]  # fmt: skip
ACCOUNT = [
    *(SendGridField(name, f"_rf{n}_T", FieldType.TEXT, False) for n, name in enumerate(RESERVED)),
    SendGridField("created_at", "_rf21_D", FieldType.DATE, False, read_only=True),
    SendGridField("external_id", "_rf25_T", FieldType.TEXT, False),
    SendGridField("Status", "e1_T", FieldType.TEXT, True),
    SendGridField("Score", "e2_N", FieldType.NUMBER, True),
    SendGridField("Born", "e3_D", FieldType.DATE, True),
]
TEXTS = [
    "email", "first_name", "last_name", "phone", "city", "country", "country_code", "status",
    "score", "born", "exclusion",
]  # fmt: skip
COLUMNS = pa.schema([("client_id", pa.int64()), *((name, pa.string()) for name in TEXTS)])
FIELDS = {
    "city": "city", "phone_number": "phone", "Status": "status", "Score": "score", "Born": "born",
}  # fmt: skip


def define(**changes: Any) -> SyncDefinition:
    """A definition with one field of each kind."""
    data = {"name": "sample", "caption": "Sample", "fields": FIELDS} | changes
    return SyncDefinition.model_validate(data)


@cache
def mapping() -> Mapping:
    """The definition resolved against the account."""
    definition = define()
    positions = field_positions([], definition)
    found, problems = resolve(definition, ACCOUNT, COLUMNS, positions, "L1")
    assert found is not None, problems
    return found


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    """Source rows; columns that aren't given are null."""
    full = [dict.fromkeys(COLUMNS.names) | row for row in rows]
    return pa.RecordBatch.from_pylist(full, COLUMNS)


def payload(email: str, **filled: str) -> str:
    """A payload with some values."""
    values = [pa.array([filled.get(field.name)], pa.string()) for field in mapping().fields]
    return str(csv_payloads(pa.array([email]), values, mapping())[0])


def body_of(contacts: Sequence[Read[str, Any]], using: Mapping) -> bytes:
    """The JSON request for contacts of which each has a `payload` and `clears`."""
    payloads = "".join(contact["payload"] for contact in contacts).encode()
    clears = np.array([contact["clears"] for contact in contacts], np.int64)
    return json_body(payloads, clears, using)


def shown_run(**changes: Any) -> ShownRun:
    """A run as people are shown it; JSON columns as the database has them."""
    row = {
        "id": 7, "sync_id": 1, "sync": "demo", "kind": "incremental", "kind_reason": None,
        "kind_detail": None, "dry_run": False, "state": "succeeded", "reason": None,
        "plan": {"counts": {}}, "result": {}, "cause": None, "approval": None,
        "holder": "command line box:1", "retry_rejected": False, "approve_removals": None,
        "started_at": NOW, "finished_at": NOW, "snapshot": {"read_at": NOW.isoformat()},
        "seconds": 3.0, "holds_lease": True, "ended_by": None, "ended_why": None, "ended": None,
        **changes,
    }  # fmt: skip
    return ShownRun(**with_objects(row))
