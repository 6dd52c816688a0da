"""What the tasks of a verification's DAG do: open the sync, call one step, translate errors.

The steps are imported inside the tasks, as in tasks.py. `verification_id` is an id of the state
database. Killed anywhere, the next DAG run continues the verification.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, get_current_context
from airflow.sdk.timezone import utcnow

from contact_sync.airflow_edge.mark_variable import MarkVariable
from contact_sync.airflow_edge.tasks import translated
from contact_sync.airflow_edge.triggers import ExportTrigger
from contact_sync.base.errors import FatalError, Fenced, LeaseBusy, RetryableError, SyncError
from contact_sync.base.numbers import count

if TYPE_CHECKING:
    from contact_sync.sync import Sync

log = logging.getLogger(__name__)
RESUME_SECONDS = 600.0
GRACE = timedelta(minutes=10)  # for a triggerer that is down or slow


@contextmanager
def verifying(name: str, verification_id: int | None = None) -> Iterator[Sync]:
    """An open sync; errors are translated. One that is fatal ends the verification as failed; after
    any other one it stays under way."""
    from contact_sync.airflow_edge.handles import open_sync
    from contact_sync.verify.compare_sides import fail_verification

    with translated(name), open_sync(name, MarkVariable(name)) as sync:
        try:
            yield sync
        except FatalError as error:
            if verification_id is not None and not isinstance(error, Fenced):
                with suppress(SyncError):  # it may be the state database that fails
                    fail_verification(sync, verification_id, str(error))
            raise


def begin_verification(name: str) -> int:
    """Begin a verification, or continue the one that is under way; returns its id."""
    from contact_sync.verify import begin_verification as step
    from contact_sync.verify.rebuild import prepare

    context: dict[str, Any] = dict(get_current_context())
    reason, rebuild = context["params"].get("reason") or None, bool(context["params"]["rebuild"])
    with verifying(name) as sync:
        if rebuild and (left := prepare(sync)) > 0:
            raise RetryableError(
                f"Requests that the state database has forgotten may take effect for {left:.0f} s "
                f"more: waiting for that"
            )
        return step.begin_verification(sync, holder=holder(), reason=reason, rebuild=rebuild)


def holder() -> str:
    """Who works for the verification: this DAG run, as long as nobody else continues it."""
    context: dict[str, Any] = dict(get_current_context())
    dag_run = context["dag_run"]
    return f"DAG run {dag_run.dag_id} {dag_run.run_id}, started {dag_run.start_date}"


def order_export(name: str, verification_id: int) -> None:
    """Order SendGrid's export, unless an earlier try did."""
    from contact_sync.verify import order_export as step

    with verifying(name, verification_id) as sync:
        step.order_export(sync, verification_id, holder())


def load_account_side(name: str, verification_id: int) -> int:
    """Download the export; returns the number of contacts. If the state database has lost B2CORE's
    side, which is so when its server crashes, it is read again."""
    from contact_sync.verify.account_side import load_account_side as account_side
    from contact_sync.verify.b2core_side import load_b2core_side as b2core_side

    with verifying(name, verification_id) as sync:
        b2core_side(sync, verification_id, holder())
        return account_side(sync, verification_id, holder())


def load_b2core_side(name: str, verification_id: int) -> int:
    """Read B2CORE; returns the number of clients."""
    from contact_sync.airflow_edge.lineage import note_read
    from contact_sync.verify import b2core_side as step

    with verifying(name, verification_id) as sync:
        note_read(sync.definition, "scan", "clients")
        return step.load_b2core_side(sync, verification_id, holder())


def compare(name: str, verification_id: int) -> None:
    """Compare both sides, and look again at what differs. If the state database has lost a side,
    which is so when its server crashes, it is read again."""
    from contact_sync.verify.account_side import load_account_side as account_side
    from contact_sync.verify.b2core_side import load_b2core_side as b2core_side
    from contact_sync.verify.compare_sides import compare_sides

    with verifying(name, verification_id) as sync:
        for step in (b2core_side, account_side, compare_sides):
            step(sync, verification_id, holder())


def finish_verification(name: str, verification_id: int) -> dict[str, int]:
    """Write the certificate, tell metrics and the followers of its asset; returns the counts."""
    from contact_sync.airflow_edge.assets import verification_extra, verified_asset
    from contact_sync.airflow_edge.metrics import emit_verification
    from contact_sync.verify import compare_sides as step
    from contact_sync.verify.rebuild import rebuild_ledger

    with verifying(name, verification_id) as sync:
        rebuild_ledger(sync, verification_id, holder())
        found = step.finish_verification(sync, verification_id, holder())
    context: dict[str, Any] = dict(get_current_context())
    context["outlet_events"][verified_asset(name)].extra = verification_extra(found)
    emit_verification(name, found, utcnow() - context["dag_run"].start_date)
    return found.counts


def repair(name: str, verification_id: int) -> dict[str, int]:
    """Tell the next run what to put right, if the definition or the trigger form says so; returns
    how much. A run that is at work is waited for by Airflow's retries."""
    from dataclasses import asdict

    from contact_sync.config.verify import Repair
    from contact_sync.verify.repair import repair as step

    context: dict[str, Any] = dict(get_current_context())
    params = context["params"]
    with verifying(name) as sync:
        wanted = sync.definition.verify.repair is Repair.CONTACTS
        if not (wanted or params.get("repair") or params.get("approve_foreign")):
            log.info("Nothing is repaired: the definition says `verify.repair: %s`",
                     sync.definition.verify.repair)  # fmt: skip
            return {}
        try:
            done = step(sync, verification_id, approve_foreign=params.get("approve_foreign"))
        except LeaseBusy as busy:  # not skipped: the next verification is a week away
            raise RetryableError(str(busy)) from None
        return asdict(done)


def prune(name: str) -> dict[str, int]:
    """Delete what is older than the definition keeps it; returns how much."""
    from contact_sync.airflow_edge.handles import open_state
    from contact_sync.config.files import read_definition
    from contact_sync.verify import prune as step

    with translated(name):
        definition = read_definition(name)
        return step.prune(definition, open_state(definition))


class WaitForExportOperator(BaseOperator):
    """Waits until SendGrid has written the export, deferred: minutes to hours."""

    template_fields = ("verification_id",)

    def __init__(
        self, *, sync_name: str, verification_id: Any, hours: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sync_name = sync_name
        self.verification_id = verification_id
        self.hours = hours

    def execute(self, context: Any, event: dict[str, Any] | None = None) -> None:
        """Look once; defer while it is being written."""
        from contact_sync.state import verifications
        from contact_sync.verify.order_export import export_ids, poll_export

        del context
        number = int(event["verification_id"] if event else self.verification_id)
        with verifying(self.sync_name, number) as sync:
            if poll_export(sync, number, holder()):
                return
            found = verifications.load(sync.state, number)
            conn_id = sync.definition.connections.sendgrid
            waited = utcnow() - (found.ordered_at or found.started_at)
            if waited > timedelta(hours=self.hours):
                raise FatalError(
                    f"SendGrid hasn't written the export within {count(self.hours, 'hour')} "
                    f"(`verify.export_hours`). Verify again"
                )
        self.defer(
            trigger=ExportTrigger(
                conn_id, export_ids(found), RESUME_SECONDS, {"verification_id": number}
            ),
            method_name="execute",
            timeout=timedelta(seconds=RESUME_SECONDS) + GRACE,
        )
