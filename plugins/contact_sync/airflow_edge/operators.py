"""The tasks that wait: for the lease, for what an earlier run left open, for a batch's job.

Waiting is deferred and takes no worker slot. Every five minutes at the latest a wait resumes to
renew the run's lease. Everything a resumed task needs is in the trigger's event.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import DownstreamTasksSkipped
from airflow.sdk.timezone import utcnow

from contact_sync.airflow_edge.small_runs import go_on
from contact_sync.airflow_edge.tasks import fail, run_number, start_run, working
from contact_sync.airflow_edge.triggers import POLL_SECONDS, JobTrigger, WaitTrigger

RESUME_SECONDS = 300.0
LEASE_POLL_SECONDS = 15.0
LONGEST_FIRST_SECONDS = 60.0
"""However long the account's jobs take, by its profile, the first look is not later."""
LOOK_AGAIN_SECONDS = 20.0
MAX_LEASE_WAIT = timedelta(hours=12)
GRACE = timedelta(minutes=10)  # for a triggerer that is down or slow


class StartRunOperator(BaseOperator):
    """Takes the sync's lease and creates the run; its result is the run's id.

    A run that a person triggered waits for a busy lease, at most 12 hours. Then it goes on with
    what is small of the run (run/small_run.py), and skips the tasks that it has done the work of:
    that costs no process.
    """

    def __init__(self, *, sync_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sync_name = sync_name

    def execute(self, context: Any, event: dict[str, Any] | None = None) -> int:
        """Begin, or look again after a while."""
        until = datetime.fromisoformat(event["until"]) if event else utcnow() + MAX_LEASE_WAIT
        run_id = start_run(self.sync_name)
        if run_id is None:
            self._wait(until)
        # Now: whatever becomes of the rest, release_lease has to know the run.
        context["ti"].xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=run_id)
        if done := [name for name in go_on(self.sync_name, run_id) if self.dag.has_task(name)]:
            raise DownstreamTasksSkipped(tasks=done)
        return run_id

    def _wait(self, until: datetime) -> NoReturn:
        if utcnow() > until:
            fail(self.sync_name, None, "Another run held this sync's lease for 12 hours")
        self.defer(
            trigger=WaitTrigger(LEASE_POLL_SECONDS, {"until": until.isoformat()}),
            method_name="execute",
            timeout=timedelta(seconds=LEASE_POLL_SECONDS) + GRACE,
        )


class SettleEarlierRunsOperator(BaseOperator):
    """Waits until nothing that an earlier run sent can still take effect."""

    template_fields = ("sync_run_id",)

    def __init__(self, *, sync_name: str, sync_run_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sync_name = sync_name
        self.sync_run_id = sync_run_id

    def execute(self, context: Any, event: dict[str, Any] | None = None) -> None:
        """Drain once; defer when something is still open. Bounded by the definition's deadlines."""
        del context
        from contact_sync.run.settle_earlier_runs import settle_earlier_runs

        run_id = run_number(self.sync_name, event["run_id"] if event else self.sync_run_id)
        with working(self.sync_name, run_id) as (sync, run):
            wait = settle_earlier_runs(sync, run)
        if wait is not None:
            self.log.info("An earlier run's work is still in flight; looking again in %.0f s", wait)
            seconds = max(5.0, min(wait, RESUME_SECONDS))
            self.defer(
                trigger=WaitTrigger(seconds, {"run_id": run_id}),
                method_name="execute",
                timeout=timedelta(seconds=seconds) + GRACE,
            )


class SendBatchOperator(BaseOperator):
    """Sends one planned batch, follows its job to the end, and settles it.

    After a failed job the batches that are split from it are worked off by the same task.
    """

    template_fields = ("sync_run_id", "batch_id")

    def __init__(self, *, sync_name: str, sync_run_id: Any, batch_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sync_name = sync_name
        self.sync_run_id = sync_run_id
        self.batch_id = batch_id

    def execute(self, context: Any) -> None:
        """Submit, unless an earlier try did, and wait for the job."""
        del context
        self._send_or_wait(run_number(self.sync_name, self.sync_run_id), int(self.batch_id))

    def resume(self, context: Any, event: dict[str, Any]) -> None:
        """Look at the job after a wait."""
        del context
        self._send_or_wait(int(event["run_id"]), int(event["batch_id"]), bool(event.get("over")))

    def _send_or_wait(self, run_id: int, batch_id: int, is_over: bool = False) -> None:
        """`is_over`: the job has ended. If there is something to wait for all the same, SendGrid
        doesn't show yet what the job did."""
        from contact_sync.airflow_edge.lineage import note_written
        from contact_sync.run.send_batch import send_and_look

        with working(self.sync_name, run_id) as (sync, run):
            note_written(sync.definition)
            job_id = send_and_look(sync, run.run_id, [batch_id]).get(batch_id)
            conn_id = sync.definition.connections.sendgrid
            hours = sync.definition.deadlines.job_hours
            usual = sync.profile.number("job_seconds") or 0
        if job_id is None:
            return
        first = min(max(POLL_SECONDS, usual), LONGEST_FIRST_SECONDS)
        self.log.info(
            "Batch %d waits for SendGrid's job %s: it is asked in %.0f s, then every %.0f s, for "
            "%g hours since it was sent at most", batch_id, job_id, first, POLL_SECONDS, hours,
        )  # fmt: skip
        payload = {"run_id": run_id, "batch_id": batch_id}
        seconds = LOOK_AGAIN_SECONDS if is_over else RESUME_SECONDS
        self.defer(
            trigger=WaitTrigger(seconds, payload)
            if is_over
            else JobTrigger(conn_id, job_id, seconds, payload, first),
            method_name="resume",
            timeout=timedelta(seconds=seconds) + GRACE,
        )
