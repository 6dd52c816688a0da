"""What a verification found, for people and machines: a certificate once it succeeded. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contact_sync.base.json_columns import SourceSnapshot
from contact_sync.base.moments import moment
from contact_sync.base.verdicts import (
    Count,
    Verdict,
    VerificationState,
    is_equal,
    told,
    told_compared,
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A verification as it is shown; see docs/reference.md, table `verification`."""

    id: int
    sync: str
    state: VerificationState
    holder: str
    reason: str | None
    started_at: datetime
    ordered_at: datetime | None
    read_at: datetime | None
    finished_at: datetime | None
    snapshot: SourceSnapshot | None
    export_id: str | None
    list_export_id: str | None
    export_hash: str | None
    counts: Mapping[str, int]
    fields: Mapping[str, int]
    sendgrid_digest: str | None
    b2core_digest: str | None
    cause: str | None

    @property
    def is_equal(self) -> bool:
        """Whether it came to its end and found both sides equal."""
        return self.state is VerificationState.SUCCEEDED and is_equal(self.counts)

    @property
    def compared(self) -> int:
        """How many contacts were compared."""
        return self.counts.get(Count.COMPARED, 0)

    def headline(self) -> str:
        """In one line: `equal as of …, N contacts compared`, and how many wait for a run."""
        if self.state is VerificationState.RUNNING:
            return f"under way since {moment(self.started_at)}"
        if self.state is VerificationState.FAILED:
            return f"failed: {self.cause}"
        word = "equal" if self.is_equal else "not equal"
        as_of = moment(self.read_at) if self.read_at else "?"
        return f"{word} as of {as_of}, {told_compared(self.counts)}"

    def to_json(self) -> dict[str, Any]:
        """For machines; times in ISO 8601."""
        snapshot = self.snapshot.to_json() if self.snapshot else {}
        names = ("read_at", "horizon", "system_identifier", "timeline", "database", "selected")
        return {
            "verification": self.id,
            "sync": self.sync,
            "state": str(self.state),
            "equal": self.is_equal,
            "compared": self.compared,
            "started_by": self.holder,
            "reason": self.reason,
            "started_at": _iso(self.started_at),
            "ordered_at": _iso(self.ordered_at),
            "read_at": _iso(self.read_at),
            "finished_at": _iso(self.finished_at),
            "b2core_snapshot": {name: snapshot[name] for name in names if name in snapshot},
            "export_id": self.export_id,
            "list_export_id": self.list_export_id,
            "export_sha256": self.export_hash,
            "sendgrid_digest": self.sendgrid_digest,
            "b2core_digest": self.b2core_digest,
            "counts": dict(self.counts),
            "fields": dict(self.fields),
            "cause": self.cause,
        }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def text_certificate(found: Certificate) -> str:
    """For people, line by line."""
    lines = [f"{found.sync}: verification {found.id:,}: {found.headline()}"]
    lines.append(f"  started by {found.holder}" + (f": {found.reason}" if found.reason else ""))
    if found.snapshot is not None and found.read_at is not None:
        lines.append(
            f"  B2CORE read at {moment(found.read_at)}: "
            f"{told(Count.CLIENTS, found.counts.get(Count.CLIENTS, 0))}"
        )
    if found.export_hash is not None and found.ordered_at is not None:
        lines.append(
            f"  SendGrid's export {found.export_id} ordered at {moment(found.ordered_at)}: "
            f"{told(Count.CONTACTS, found.counts.get(Count.CONTACTS, 0))}"
        )
        lines.append(f"  SHA-256 of its files: {found.export_hash}")
    if found.b2core_digest is not None:
        lines.append(f"  digests: B2CORE {found.b2core_digest}, SendGrid {found.sendgrid_digest}")
    shown = (code for code in (*Verdict, *Count) if found.counts.get(code))
    without = (Count.COMPARED, Count.CLIENTS, Count.CONTACTS)
    lines += [f"  {told(code, found.counts[code])}" for code in shown if code not in without]
    lines += [f"  {field} differs in {n:,}" for field, n in sorted(found.fields.items())]
    return "\n".join(lines)
