"""Verifications as people see them."""

from __future__ import annotations

from contact_sync.postgres.cursor import Cursor
from contact_sync.reporting.certificate import Certificate
from contact_sync.state import verifications
from contact_sync.state.verifications import Verification


def newest_certificate(cursor: Cursor, sync_id: int) -> Certificate | None:
    """The sync's newest verification that succeeded; None = there is none."""
    found = verifications.newest(cursor, sync_id, only_succeeded=True)
    return certificate_of(found) if found else None


def certificate_of(found: Verification) -> Certificate:
    """A verification as it is shown."""
    return Certificate(
        id=found.verification_id,
        sync=found.sync_name,
        state=found.state,
        holder=found.holder,
        reason=found.reason,
        started_at=found.started_at,
        ordered_at=found.ordered_at,
        read_at=found.read_at,
        finished_at=found.finished_at,
        snapshot=found.snapshot,
        export_id=found.export_id,
        list_export_id=found.list_export_id,
        export_hash=found.export_hash,
        counts=found.counts,
        fields=found.fields,
        sendgrid_digest=found.sendgrid_digest,
        b2core_digest=found.b2core_digest,
        cause=found.cause,
    )
