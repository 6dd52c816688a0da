"""What each alert says: made from the run's report in the state database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from airflow.sdk.execution_time.xcom import XCom

from contact_sync.airflow_edge.failures import red_tasks
from contact_sync.airflow_edge.handles import open_state
from contact_sync.airflow_edge.urls import airflow_url
from contact_sync.base.degraded import Degraded
from contact_sync.base.errors import told_safely
from contact_sync.base.json_columns import Result
from contact_sync.base.moments import moment
from contact_sync.base.numbers import count
from contact_sync.base.run_life import kind_reason
from contact_sync.config.alerts import Alert, Event, rose_above
from contact_sync.config.definition import SyncDefinition
from contact_sync.reporting.run_report import RunReport, dropped_lines, reasons_in_words, run_report
from contact_sync.reporting.sending import TERMS
from contact_sync.reporting.shown_run import ShownRun
from contact_sync.state.for_people.jobs import jobs_of_run
from contact_sync.state.for_people.runs import latest_runs
from contact_sync.state.for_people.silence import Silence, silence

log = logging.getLogger(__name__)
START_TASK = "start_run"
RUNS_LOOKED_AT = 50
REASONS_SHOWN = 5
AGAIN = "Fix the cause, then trigger a new run: it continues from the same state"
SHOWN = ("read", "removed", "unlisted")


def run_failed(definition: SyncDefinition, context: Any) -> Alert:
    """A DAG run failed: its cause, and what it had sent by then. Asked for by the run's last task,
    which runs whatever happened, and fails with the run."""
    run_id, counts = str(context["run_id"]), {}
    red = [*red_tasks(context), str(context["ti"].task_id)]
    cause = f"The log of the task {red[0]} says why"
    try:
        if (sync_run_id := _sync_run_id(definition, run_id)) is not None:
            report = _reports(definition, sync_run_id)[0]
            counts = {name: report.counts[name] for name in SHOWN if name in report.counts}
            counts |= {name: getattr(report.sending, name) for name in ("to_send", *TERMS)}
            cause = report.cause or cause
    except Exception as error:  # noqa: BLE001 the failure itself must be told all the same
        cause = f"{cause}; its report can't be read. {told_safely(error)}"
    title = f"{definition.name}: the run failed"
    return alert_of(Event.RUN_FAILED, definition, run_id, title, cause, AGAIN, counts)


def rejections(definition: SyncDefinition, context: Any) -> Alert | None:
    """A run ended with more rejected clients than the limit, and than the run before."""
    limit, run_id = definition.alerts.rejected_limit, str(context["run_id"])
    report, *older = _reports(definition, _sync_run_id(definition, run_id))
    rejected = report.books.get("rejected", 0)
    before = next((other.books["rejected"] for other in older if other.books), 0)
    if not rose_above(limit, rejected, before):
        return None
    found = list(reasons_in_words(report)["rejections"].items())[:REASONS_SHOWN]
    return alert_of(
        Event.REJECTIONS, definition, run_id,
        f"{definition.name}: {count(rejected, 'client is', 'clients are')} rejected",
        f"{count(rejected, 'client')} can't be sent; {before:,} after the run before, the limit is "
        f"{limit:,}. This run found: {'; '.join(f'{n:,} x {reason}' for reason, n in found)}",
        "Correct them in B2CORE, or correct the mapping: what changes is sent again by itself. To "
        f"list them: python -m contact_sync status {definition.name} --rejected",
        report.books,
    )  # fmt: skip


def exclusions(definition: SyncDefinition, context: Any) -> Alert | None:
    """A run ended with more addresses of excluded clients that may still have a contact than the
    run before."""
    run_id = str(context["run_id"])
    open_now, before = (
        [(row.result or Result()).degraded.get(Degraded.EXCLUSIONS_OPEN, 0) for row in rows]
        for rows in _newest(_rows(definition, _sync_run_id(definition, run_id)))
    )
    n, known = sum(open_now), sum(before)
    if not rose_above(0, n, known):
        return None
    return alert_of(
        Event.EXCLUSIONS, definition, run_id,
        f"{definition.name}: exclusions aren't carried out",
        f"{count(n, 'address', 'addresses')} of excluded clients may still have a contact; "
        f"{known:,} after the run before",
        "Nothing, if the next runs have fewer: they look up the rest and remove what they find. If "
        "they don't, the run's page says which removals fail; remove those contacts in SendGrid's "
        "UI",
        {"addresses": n},
    )  # fmt: skip


def erasure_late(definition: SyncDefinition, context: Any) -> Alert | None:
    """After a run more erasures are older than their deadline than after the run before."""
    run_id = str(context["run_id"])
    late, before = (
        [(row.result or Result()).degraded.get(Degraded.ERASURES_LATE, 0) for row in rows]
        for rows in _newest(_rows(definition, _sync_run_id(definition, run_id)))
    )
    n = sum(late)
    if not rose_above(0, n, sum(before)):
        return None
    return alert_of(
        Event.ERASURE_LATE, definition, run_id,
        f"{definition.name}: erasures aren't finished",
        f"{count(n, 'erasure is', 'erasures are')} older than "
        f"{count(definition.deadlines.erasure_hours, 'hour')} and not finished. Nobody sends these "
        "people, but SendGrid may still have them",
        f"See why: python -m contact_sync erasures {definition.name}. Each run tries again",
        {"erasures": n},
    )  # fmt: skip


def _newest(rows: list[ShownRun]) -> tuple[list[ShownRun], list[ShownRun]]:
    """The first row, and the next one of a run that came to its end, each in a list of its own."""
    ended = [row for row in rows[1:] if row.result and row.result.books]
    return rows[:1], ended[:1]


def dropped(definition: SyncDefinition, context: Any) -> Alert | None:
    """After a run more values are left out, cut or rounded than the limit, and than before it."""
    limit, run_id = definition.alerts.dropped_limit, str(context["run_id"])
    report, *older = _reports(definition, _sync_run_id(definition, run_id))
    stocks = [one.dropped_now for one in older if one.dropped_now is not None]
    now, before = sum((report.dropped_now or {}).values()), sum((stocks or [{}])[0].values())
    if not rose_above(limit, now, before):
        return None
    found = dropped_lines(report.dropped_now, report.dropped_new)[1:][:REASONS_SHOWN]
    unfit = ("value of clients doesn't fit its field", "values of clients don't fit their fields")
    return alert_of(
        Event.DROPPED, definition, run_id,
        f"{definition.name}: {count(now, 'value is', 'values are')} dropped or cut",
        f"{count(now, *unfit)}; {before:,} after the run before, the "
        f"limit is {limit:,}: {'; '.join(line.strip() for line in found)}. The clients are sent, "
        f"without the value or with a shorter one",
        "Correct the values in B2CORE, or the mapping: what changes is sent again by itself. Whose "
        f"they are: python -m contact_sync status {definition.name} --dropped",
        {"values_dropped": now, "new": sum((report.dropped_new or {}).values())},
    )  # fmt: skip


def approval(definition: SyncDefinition, context: Any) -> Alert | None:
    """A plan above the limits waits for a person."""
    run_id = str(context["run_id"])
    report = _reports(definition, _sync_run_id(definition, run_id))[0]
    why = "; ".join(report.asks)
    return alert_of(
        Event.APPROVAL, definition, run_id,
        f"{definition.name}: a plan waits for approval",
        f"The plan is above the definition's limits: {why}. Nothing is sent before the answer",
        "Look at the counts and answer within "
        f"{count(definition.limits.approval_hours, 'hour')}; without an answer the plan is dropped",
        {name: n for name, n in report.counts.items() if n},
        page=f"/tasks/{context['ti'].task_id}/required_actions",
    )  # fmt: skip


def state_unproven(definition: SyncDefinition, context: Any) -> Alert | None:
    """A run has noticed that the state database isn't as the runs before left it, or one before it
    has, and none has succeeded since."""
    run_id = str(context["run_id"])
    row = _rows(definition, _sync_run_id(definition, run_id))[0]
    if row.unproven is None:
        return None
    return alert_of(
        Event.STATE_UNPROVEN, definition, run_id,
        f"{definition.name}: the state database may have gone back",
        f"{_sentence(kind_reason(row.unproven))}: this run sends every client again and looks up "
        f"every address that it knows",
        "Nothing, if the database was restored on purpose: docs/production.md says what is "
        "repaired and what isn't. Else find out what happened to it, and whether another "
        "deployment fills this account",
        {},
    )  # fmt: skip


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def no_success(definition: SyncDefinition, context: Any) -> Alert | None:
    """N hours after Airflow began a run, neither it nor any other run has succeeded."""
    limit, dag_run = definition.alerts.no_success_hours, context["dag_run"]
    if limit is None:
        return None
    try:
        queued_at = datetime.fromisoformat(dag_run["queued_at"])
        seen = silence(open_state(definition), definition.name, queued_at, limit)
    except Exception as error:  # noqa: BLE001 that nothing succeeds must be told all the same
        cause = f"The time of the last successful run can't be read. {told_safely(error)}"
    else:
        if seen.hours is not None and (seen.hours < limit or seen.told_before):
            log.info("No alert for sync %r: %s", definition.name, seen)
            return None
        cause = _silence_in_words(seen)
    return alert_of(
        Event.NO_SUCCESS, definition, dag_run["dag_run_id"],
        f"{definition.name}: no run has succeeded for {count(limit, 'hour')}",
        cause, f"See why the latest runs fail or hang. {AGAIN}", {},
    )  # fmt: skip


def _silence_in_words(seen: Silence) -> str:
    if seen.hours is None:
        return "No run has ever begun"
    ago = f"{seen.hours:.1f} hours ago"
    if seen.last_success is None:
        return f"No run has ever succeeded; the first one began {ago}"
    return f"The last successful run ended {moment(seen.last_success)}, {ago}"


TELLERS: dict[Event, Callable[[SyncDefinition, Any], Alert | None]] = {
    Event.RUN_FAILED: run_failed,
    Event.REJECTIONS: rejections,
    Event.EXCLUSIONS: exclusions,
    Event.DROPPED: dropped,
    Event.APPROVAL: approval,
    Event.NO_SUCCESS: no_success,
    Event.STATE_UNPROVEN: state_unproven,
    Event.ERASURE_LATE: erasure_late,
}


def _sync_run_id(definition: SyncDefinition, run_id: str) -> int | None:
    """The id in the state database; None when the DAG run's first task gave none."""
    found = XCom.get_one(
        key="return_value", dag_id=definition.dag_id, task_id=START_TASK, run_id=run_id
    )
    return None if found is None else int(found)


def _reports(definition: SyncDefinition, sync_run_id: int | None) -> list[RunReport]:
    """The report of a run with its jobs so far, and those of the older real runs, newest first."""
    return [run_report(row) for row in _rows(definition, sync_run_id)]


def _rows(definition: SyncDefinition, sync_run_id: int | None) -> list[ShownRun]:
    """Their rows."""
    with open_state(definition).transaction() as cursor:
        rows = latest_runs(cursor, [definition.name], RUNS_LOOKED_AT)
        mine = next(row for row in rows if row.id == sync_run_id)
        jobs = tuple(job.report() for job in jobs_of_run(cursor, mine.id))
    mine = replace(mine, result=replace(mine.result or Result(), jobs=jobs))
    older = [row for row in rows if row.id < mine.id and not row.dry_run]
    return [mine, *older]


def alert_of(
    event: Event, definition: SyncDefinition, run_id: str, title: str, cause: str, fix: str,
    counts: dict[str, int], page: str = "",
) -> Alert:  # fmt: skip
    """With the link to the run, or to a page of it."""
    link = f"{airflow_url()}/dags/{definition.dag_id}/runs/{quote(run_id, safe='')}{page}"
    return Alert(event, definition.name, definition.dag_id, run_id, title, cause, fix, link, counts)
