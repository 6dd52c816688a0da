"""### Keep a SendGrid account equal to B2CORE's clients

**What it does.** Reads the clients that changed in B2CORE (their own row, a phone, an address, or a
status, type, level, jurisdiction or country they use), works out what each contact should look
like, sends only what differs from what SendGrid last confirmed, and follows every import job to its
end. Every client ends as *confirmed*, *pending* (sent again next time), *rejected* (with field and
reason) or *excluded*; the last task proves that the numbers add up.

**Trigger it by hand** for a backfill: *Trigger* > mode `full` reads every client and sends what
differs; mode `resend` sends every contact again. *Dry run* says what would be sent and changes
nothing; its `finish_run` ends as skipped. *Trial* looks at chosen clients only.

| task | what it does |
| --- | --- |
| start_run | takes the sync's lease: one run at a time; goes on with what is small (below) |
| settle_earlier_runs | settles jobs that an earlier run left open |
| check_setup | key, list, fields and SQL columns: names everything missing; goes on with erasures |
| read_suppressions | only with `suppressions` in the definition: who gets no mail from SendGrid |
| select_clients | decides who is looked at, in slices |
| stage_clients | reads, transforms, compares; one task per slice |
| plan_batches | adds up and cuts into batches |
| approve_plan | asks a person when the plan is above the definition's limits (*Required Actions*) |
| remove_excluded | before the rest: newly excluded clients, and what was found without right |
| send_batch | sends one batch and follows its job; one task per batch |
| find_removals, remove_batch | former addresses, deleted clients, members of a former list |
| finish_run | proves that the sum is right, moves the watermark, reports, emits the asset |
| release_lease | frees the lease of a run that didn't come to its end, and is red then |

**Skipped tasks** are done or have nothing to do: an incremental run that looks at few clients is
`start_run` and `finish_run`, which takes seconds; the log of `start_run` has a line for each step
that it did. What is large, fails or has to wait is left to the tasks.

**Safe to re-run?** Yes, always: trigger a new run. Clearing a task of a run that is over
sends nothing.

**If it fails:** the first red task's log says in its last lines what happened and how to fix it.
Nothing is lost: the next run continues from the same state. Numbers and rejections are in the log
of `finish_run`, and in `python -m contact_sync status NAME --rejected`; values that don't fit their
fields in `--dropped`.

**Backfill:** trigger a run of mode `full`. Airflow's own *Backfill* of past dates is refused: the
data interval means nothing here, every run reads *now*.
"""

from __future__ import annotations

# ruff: noqa: E402
from contact_sync.airflow_edge.installation import POOL, require_airflow  # isort: skip

require_airflow()  # an older one lacks something that is imported here

from datetime import timedelta
from typing import Any

from airflow.sdk import (  # type: ignore[attr-defined]  # its stub file lacks three of these
    DAG,
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
    task,
)

from contact_sync.airflow_edge import tasks
from contact_sync.airflow_edge.approval import ApprovePlanOperator
from contact_sync.airflow_edge.assets import contacts_asset, suppressions_alias
from contact_sync.airflow_edge.notify import AlertNotifier, tell_no_success
from contact_sync.airflow_edge.operators import (
    SendBatchOperator,
    SettleEarlierRunsOperator,
    StartRunOperator,
)
from contact_sync.airflow_edge.retry_policy import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    TellingRetryPolicy,
)
from contact_sync.airflow_edge.run_types import RUN_TYPES
from contact_sync.airflow_edge.schedules import schedule_of
from contact_sync.airflow_edge.trigger_form import params
from contact_sync.config.alerts import Event
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.files import read_definitions

UNLESS_BUSY = "none_failed_min_one_success"
"""A step whose predecessors are skipped, because `start_run` has done them, has to run; and not
when `start_run` itself, of which each step has the run's id, was skipped."""


def make_dag(definition: SyncDefinition) -> DAG:
    """The DAG of one sync."""
    name = definition.name
    told = {event: [AlertNotifier(name, event)] for event in definition.alerts.events}
    waits = {"execution_timeout": definition.longest_run}
    with DAG(
        definition.dag_id,
        dag_display_name=f"{definition.caption}: B2CORE to SendGrid",
        description=_description(definition),
        doc_md=__doc__,
        schedule=schedule_of(definition),
        catchup=False,
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        params=params(definition.name),
        tags=["b2core", "sendgrid"],
        deadline=no_success_alert(definition),
        default_args={
            "retries": 3,
            "retry_policy": TellingRetryPolicy(),
            "retry_delay": FIRST_PAUSE,  # these three where nobody asks the policy: a killed worker
            "retry_exponential_backoff": True,
            "max_retry_delay": LONGEST_PAUSE,
            "execution_timeout": definition.longest_step,
        },
    ) as dag:
        alias = [suppressions_alias(name)] if definition.suppressions is not None else []
        start = StartRunOperator(
            task_id="start_run", sync_name=name, pool=POOL, outlets=alias, **waits
        )
        sync_run: Any = start.output  # stands for the number that the task will have returned
        settled = SettleEarlierRunsOperator(
            task_id="settle_earlier_runs", sync_name=name, sync_run_id=sync_run, **waits
        )
        checked = task(task_id="check_setup", trigger_rule=UNLESS_BUSY, pool=POOL)(
            tasks.check_setup
        )(name, sync_run)
        slices = task(
            task_id="select_clients",
            trigger_rule=UNLESS_BUSY,
            pool=POOL,
            on_success_callback=told.get(Event.STATE_UNPROVEN),
        )(tasks.select_clients)(name, sync_run)
        if alias:
            read = task(
                task_id="read_suppressions", trigger_rule=UNLESS_BUSY, pool=POOL, outlets=alias
            )
            checked >> read(tasks.read_suppressions)(name, sync_run) >> slices
        staged = (
            task(
                task_id="stage_clients",
                map_index_template="slice {{ task.op_kwargs['slice_no'] }}",
            )(tasks.stage_clients)
            .partial(name=name, sync_run_id=sync_run)
            .expand(slice_no=slices)
        )
        batch_ids = task(
            task_id="plan_batches",
            trigger_rule=UNLESS_BUSY,
            pool=POOL,
        )(tasks.plan_batches)(name, sync_run)
        approved = ApprovePlanOperator(
            task_id="approve_plan",
            sync_name=name,
            start_task_id="start_run",
            hours=definition.limits.approval_hours,
            notifiers=told.get(Event.APPROVAL),
            **waits,
        )
        unlisted = SendBatchOperator.partial(
            task_id="remove_excluded",
            sync_name=name,
            sync_run_id=sync_run,
            pool=POOL,
            map_index_template="batch {{ task.batch_id }}",
            **waits,
        ).expand(batch_id=approved.output)
        sent = SendBatchOperator.partial(
            task_id="send_batch",
            trigger_rule=UNLESS_BUSY,
            sync_name=name,
            sync_run_id=sync_run,
            pool=POOL,
            map_index_template="batch {{ task.batch_id }}",
            **waits,
        ).expand(batch_id=batch_ids)
        former = task(
            task_id="find_removals",
            trigger_rule=UNLESS_BUSY,
        )(tasks.find_removals)(name, sync_run)
        removed = SendBatchOperator.partial(
            task_id="remove_batch",
            sync_name=name,
            sync_run_id=sync_run,
            pool=POOL,
            map_index_template="batch {{ task.batch_id }}",
            **waits,
        ).expand(batch_id=former)
        finished = task(
            task_id="finish_run",
            trigger_rule=UNLESS_BUSY,
            outlets=[contacts_asset(name)],
            on_success_callback=[
                notifier
                for event in (Event.REJECTIONS, Event.DROPPED, Event.EXCLUSIONS, Event.ERASURE_LATE)
                for notifier in told.get(event, [])
            ],
        )(tasks.finish_run)(name, sync_run)
        # Not the DAG's own callback: the DAG processor kills that after 50 seconds, alert and all.
        released = task(
            task_id="release_lease",
            on_failure_callback=told.get(Event.RUN_FAILED),
        )(tasks.release_lease)(name, sync_run)
        start >> settled >> checked >> slices >> staged >> batch_ids >> approved
        (
            approved
            >> unlisted
            >> sent
            >> former
            >> removed
            >> finished
            >> released.as_teardown(on_failure_fail_dagrun=True)
        )
    return dag


def _description(definition: SyncDefinition) -> str:
    if definition.sends:
        return __doc__.splitlines()[0].strip("# ")
    return "A shadow: sends nothing, is verified only" if definition.enabled else "Disabled"


def no_success_alert(definition: SyncDefinition) -> DeadlineAlert | None:
    """Airflow's deadline for each run; when it passes, the notifier looks whether any succeeded."""
    if Event.NO_SUCCESS not in definition.alerts.events:
        return None
    return DeadlineAlert(
        name="no successful run",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=definition.alerts.no_success_hours or 0),
        callback=AsyncCallback(tell_no_success, {"sync_name": definition.name}),
    )


for _definition in read_definitions().by_name.values():
    globals()[_definition.dag_id] = make_dag(_definition)
