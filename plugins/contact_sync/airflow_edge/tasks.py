"""What the DAG's tasks do: open the sync, call one step, translate errors for Airflow.

A fatal error fails the task at once and becomes the run's cause; a retryable one is left to
Airflow's retries. The steps are imported inside the tasks, because the DAG processor imports this
module again and again, and pandas, Arrow and ADBC take a second. `sync_run_id` is the run's id in
the state database; Airflow keeps the name `run_id` for its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import get_current_context
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    DownstreamTasksSkipped,
)
from airflow.sdk.timezone import utcnow

from contact_sync.airflow_edge.failure_log import tell
from contact_sync.airflow_edge.failures import failure_of, red_tasks, tries_left
from contact_sync.airflow_edge.mark_variable import MarkVariable
from contact_sync.airflow_edge.trigger_form import named, refusal
from contact_sync.base.errors import (
    ConfigError,
    FatalError,
    LeaseBusy,
    SyncDisabled,
    SyncError,
    told_safely,
)
from contact_sync.base.run_life import NOT_STARTED_KEY, NotStarted
from contact_sync.base.vocabulary import RunKind
from contact_sync.reporting.failure import cause_of

if TYPE_CHECKING:
    from datetime import datetime

    from contact_sync.base.suppressed import SuppressionNews
    from contact_sync.state.runs import Run
    from contact_sync.sync import Sync

log = logging.getLogger(__name__)


@contextmanager
def working(name: str, sync_run_id: int | None) -> Iterator[tuple[Sync, Run]]:
    """An open sync and run; errors are translated. The first one that is fatal, or comes when no
    tries are left, becomes the run's cause. No id: `start_run` was marked by hand."""
    from contact_sync.airflow_edge.handles import open_sync
    from contact_sync.run.context import open_run
    from contact_sync.state.runs import note_cause

    sync_run_id = run_number(name, sync_run_id)
    with translated(name, sync_run_id), open_sync(name, MarkVariable(name)) as sync:
        try:
            yield sync, open_run(sync, sync_run_id)
        except AirflowException:  # a deferral, a skip
            raise
        except Exception as error:
            if isinstance(error, FatalError) or not tries_left():
                with suppress(SyncError):  # it may be the state database that fails
                    cause = cause_of(told_safely(error), sync.definition.connections)
                    note_cause(sync.state, sync_run_id, cause)
            raise


def run_number(name: str, found: int | None) -> int:
    """What `start_run` returned. Fails the task when that is nothing: it was marked by hand."""
    if found is None:
        fail(name, None, "No run was started: start_run was marked by hand, or what it returned is "
                         "gone")  # fmt: skip
    return int(found)


def fail(name: str, sync_run_id: int | None, why: str) -> NoReturn:
    """End the task as failed, for good."""
    with translated(name, sync_run_id):
        raise FatalError(why)


@contextmanager
def translated(name: str, sync_run_id: int | None = None) -> Iterator[None]:
    """Our errors as Airflow's: fatal ones aren't retried, retryable ones are. Before, the task's
    log says in words what happened, what was sent, what happens by itself and what to do."""
    try:
        yield
    except (LeaseBusy, SyncDisabled) as error:
        raise AirflowSkipException(str(error)) from None
    except FatalError as error:
        told = AirflowFailException(str(error))
        raise tell(failure_of(name, sync_run_id, error), error, told) from None
    except AirflowException:
        raise
    except Exception as error:  # noqa: BLE001 only translated
        safe = told_safely(error)
        raise tell(failure_of(name, sync_run_id, safe), error, safe) from None


def start_run(name: str) -> int | None:
    """Take the lease and create the run from the trigger form's values; returns the run's id.

    While another run holds the lease, a scheduled run is skipped; a run that a person asked for
    has to wait: None. A try that was killed once it had begun to send is continued.
    """
    from contact_sync.airflow_edge.handles import open_sync
    from contact_sync.lookup.chosen_clients import chosen_clients
    from contact_sync.run import start_run as step
    from contact_sync.state.runs import Options

    context: dict[str, Any] = dict(get_current_context())
    params, dag_run = context["params"], context["dag_run"]
    with translated(name):
        if problem := refusal(params):
            raise ConfigError(f"This run can't be started. {problem}")
    # The moment tells DAG runs of the same name in two Airflows apart, whose lease isn't ours.
    holder = f"DAG run {dag_run.dag_id} {dag_run.run_id}, started {dag_run.start_date}"
    names, sample, dry_run = named(params["clients"]), params["sample"], bool(params["dry_run"])
    with translated(name), open_sync(name, MarkVariable(name)) as sync:
        try:
            if (begun := step.begun_by(sync, holder)) is not None:
                log.info("Run %d has begun to send and goes on", begun)
                return begun
            if (names or sample) and not dry_run:  # nobody is looked for again and again
                step.refuse_busy(sync, holder)
            return step.start_run(
                sync,
                RunKind(params["mode"]),
                holder=holder,
                options=Options(
                    reason=params.get("reason") or None,
                    dry_run=dry_run,
                    retry_rejected=bool(params["retry_rejected"]),
                    approve_removals=params["approve_removals"],
                    approve=bool(params["approve_plan"]),
                    only=chosen_clients(sync, names, sample),
                ),
            )
        except LeaseBusy as error:
            if str(dag_run.run_type) in ("scheduled", "asset_triggered"):
                context["ti"].xcom_push(key=NOT_STARTED_KEY, value=str(NotStarted.BUSY))
                raise
            log.info("%s. This run waits for it", error)
            return None
        except SyncDisabled:
            is_on = sync.definition.enabled
            why = NotStarted.SHADOW if is_on else NotStarted.DISABLED
            context["ti"].xcom_push(key=NOT_STARTED_KEY, value=str(why))
            raise


def check_setup(name: str, sync_run_id: int) -> None:
    """Preflight of both sides; before it, what is left of erasures."""
    from contact_sync.run import check_setup as step
    from contact_sync.run.continue_erasures import continue_erasures

    with working(name, sync_run_id) as (sync, run):
        continue_erasures(sync, run)
        step.check_setup(sync, run)


def read_suppressions(name: str, sync_run_id: int) -> dict[str, int]:
    """Read who gets no mail; tells the followers of its asset if there is anything new. Returns how
    many are new of each kind."""
    from contact_sync.run import read_suppressions as step

    with working(name, sync_run_id) as (sync, run):
        news = step.read_suppressions(sync, run)
    tell_suppressions(name, sync_run_id, news)
    return news.come


def tell_suppressions(name: str, sync_run_id: int, news: SuppressionNews) -> None:
    """An event for the followers of that asset, which the task has as an alias, if there is any."""
    from contact_sync.airflow_edge.assets import suppressions_alias, suppressions_asset

    if news:
        context: dict[str, Any] = dict(get_current_context())
        extra = {"sync": name, "sync_run_id": sync_run_id, "new": news.come, "lifted": news.lifted}
        events = context["outlet_events"][suppressions_alias(name)]
        events.add(suppressions_asset(name), extra=extra)


def select_clients(name: str, sync_run_id: int) -> list[int]:
    """Choose clients, unless `start_run` has; returns the slice numbers for the mapped stage
    tasks."""
    from contact_sync.airflow_edge.lineage import note_read
    from contact_sync.run import select_clients as step
    from contact_sync.run.small_run import selected_slices

    with working(name, sync_run_id) as (sync, run):
        detection = sync.definition.source.change_detection
        note_read(sync.definition, "scan", f"changed_{detection}")
        slices = selected_slices(sync, run)
        return list(range(step.select_clients(sync, run) if slices is None else slices))


def stage_clients(name: str, sync_run_id: int, slice_no: int) -> dict[str, int]:
    """Stage one slice; returns its counts."""
    from contact_sync.airflow_edge.lineage import note_read
    from contact_sync.run import stage_clients as step

    with working(name, sync_run_id) as (sync, run):
        note_read(sync.definition, "clients")
        return step.stage_clients(sync, run, slice_no).counts


def plan_batches(name: str, sync_run_id: int) -> list[int]:
    """Add up and cut; returns the batch ids for the mapped send tasks."""
    from contact_sync.run import plan_batches as step

    with working(name, sync_run_id) as (sync, run):
        return step.plan_batches(sync, run)


def find_removals(name: str, sync_run_id: int) -> list[int]:
    """Batch what nobody needs any more; returns the batch ids for the mapped remove tasks."""
    from contact_sync.run import find_removals as step

    with working(name, sync_run_id) as (sync, run):
        return step.find_removals(sync, run)


def finish_run(name: str, sync_run_id: int) -> NoReturn:
    """Close the run, tell metrics and the followers of its asset; its result are its books.

    A dry run ends as skipped: it changed nothing, so there is nothing to tell. Otherwise the lease
    is free now, and `release_lease` is skipped, which costs no process.
    """
    from contact_sync.airflow_edge.assets import contacts_asset, event_extra
    from contact_sync.airflow_edge.metrics import emit_freshness, emit_run
    from contact_sync.base.json_columns import Plan
    from contact_sync.run import finish_run as step

    with working(name, sync_run_id) as (sync, run):
        result = step.finish_run(sync, run)
        read_at = _read_at(sync, name)
    if run.dry_run:
        raise AirflowSkipException("A dry run: the plan is above; nothing was changed")
    context: dict[str, Any] = dict(get_current_context())
    context["outlet_events"][contacts_asset(name)].extra = event_extra(run, result)
    emit_run(name, run.plan or Plan(), result, utcnow() - context["dag_run"].start_date)
    emit_freshness(name, read_at)
    context["ti"].xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=result.books)
    raise DownstreamTasksSkipped(tasks=["release_lease"])


def _read_at(sync: Sync, name: str) -> datetime | None:
    from contact_sync.state.for_people.syncs import sync_row

    with sync.state.transaction() as cursor:
        row = sync_row(cursor, name)
    return row.read_at if row else None


def release_lease(name: str, sync_run_id: int | None) -> None:
    """Free the lease whatever happened; a run that didn't finish is marked as failed.

    Fails then, too, because Airflow takes the DAG run's state from this task: a run that a person
    marked as failed, whose other tasks are skipped, would end as a success there.
    """
    from contact_sync.airflow_edge.handles import open_sync
    from contact_sync.airflow_edge.metrics import emit_freshness
    from contact_sync.base.vocabulary import RunState
    from contact_sync.base.words import ENDED_BY_HAND, NO_CAUSE
    from contact_sync.run import release_lease as step
    from contact_sync.state.for_people.runs import run_of_id
    from contact_sync.state.runs import load_run

    if sync_run_id is None:
        log.info("No run was started: there is no lease to free")
        if red := red_tasks(get_current_context()):
            fail(name, None, f"No run was started; the log of {red[0]} says why")
        return
    with translated(name), open_sync(name, MarkVariable(name)) as sync:
        cause = None
        if load_run(sync.state, sync_run_id).state is RunState.RUNNING:
            cause = None if red_tasks(get_current_context()) else ENDED_BY_HAND
        step.release_lease(sync, sync_run_id, cause)
        read_at = _read_at(sync, name)
        with sync.state.transaction() as cursor:
            ended = run_of_id(cursor, name, sync_run_id)
    emit_freshness(name, read_at)
    if ended is None or ended.state != RunState.SUCCEEDED:
        state = ended.state if ended else "gone"
        why = (ended.cause if ended else "") or NO_CAUSE
        end = f"Run {sync_run_id:,} of {name!r} ended as {state}; its lease is free"
        fail(name, sync_run_id, f"{end}. {why}")
