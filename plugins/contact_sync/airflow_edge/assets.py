"""The Airflow asset of a sync: an event for every run that came to its end, so that other DAGs can
follow. A run that had nothing to send emits one too: the contacts are equal to B2CORE as of then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

from contact_sync.base.json_columns import Plan, Result
from contact_sync.reporting.run_report import run_counts
from contact_sync.reporting.sending import Sending

if TYPE_CHECKING:
    from contact_sync.state.runs import Run
    from contact_sync.state.verifications import Verification


def contacts_asset(name: str) -> Asset:
    """The contacts that the sync keeps at SendGrid."""
    return Asset(name=f"sendgrid_contacts_{name}", uri=f"x-contact-sync://{name}/contacts")


def suppressions_asset(name: str) -> Asset:
    """Who gets no mail from SendGrid; an event for each run that found something new."""
    return Asset(name=f"sendgrid_suppressions_{name}", uri=f"x-contact-sync://{name}/suppressions")


def suppressions_alias(name: str) -> AssetAlias:
    """What a task has as outlet that emits an event of that asset only sometimes."""
    return AssetAlias(name=f"sendgrid_suppressions_{name}_alias")


def event_extra(run: Run, result: Result) -> dict[str, Any]:
    """What the event says of the run: ids and numbers of clients; no personal data."""
    sending = Sending.of(result.sending)
    counts = run_counts(run.plan or Plan(), result, sending)
    moved = {name: counts.get(name, 0) for name in ("read", "sent", "removed", "unlisted")}
    return {
        "sync": run.sync_name,
        "sync_run_id": run.run_id,
        "kind": str(run.kind),
        "list": run.destination.list_name if run.destination else None,
        "list_id": run.destination.mapping.list_id if run.destination else None,
        "read_at": run.snapshot.read_at if run.snapshot else None,
        **moved,
        "sending": sending.to_json(),
        **result.books,
    }


def verified_asset(name: str) -> Asset:
    """The certificates of the sync's verifications."""
    return Asset(name=f"sendgrid_contacts_{name}_verified", uri=f"x-contact-sync://{name}/verified")


def verification_extra(found: Verification) -> dict[str, Any]:
    """What the event says of a verification: ids and numbers; no personal data."""
    return {
        "sync": found.sync_name,
        "verification_id": found.verification_id,
        "is_equal": found.is_equal,
        "read_at": found.snapshot.read_at if found.snapshot else None,
        "export_id": found.export_id,
        "export_hash": found.export_hash,
        **found.counts,
    }
