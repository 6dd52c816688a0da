"""Who tries what again, how often, and what happens then; numbers are the code's own."""

from __future__ import annotations

import runpy
from datetime import timedelta

from contact_sync.airflow_edge import operators, triggers
from contact_sync.airflow_edge.handles import PAGE_LIMITS
from contact_sync.base import refusal_retries
from contact_sync.config.deadlines import Deadlines
from contact_sync.run import in_one_process, send_batch, settle_earlier_runs, watch_source
from contact_sync.run.sending import (
    cut_refused,
    excluded_contacts,
    new_fields,
    prepare,
    rejected_contacts,
    removal_targets,
    send_csv,
    send_json,
    settle_upsert,
    split,
    submit,
)
from contact_sync.sendgrid import retries
from contact_sync.state import clocks, ledger, rejections, removals, settling
from local.demo.sync import DAG_ID
from local.docs_generator.markdown import code, table
from local.stack.directory import ROOT


def retry_lines() -> list[str]:
    """The table, from the smallest loop to the largest."""
    return table(("Who", "What", "How often", "And then"), [*_calls(), *_tasks(), *_runs()])


def _calls() -> list[tuple[str, ...]]:
    return [
        (code("sendgrid.retries"),
         "a call to SendGrid that failed: a read always, a write only if the answer proves that it "
         "had no effect (429, connection refused)",
         f"{retries.MAX_TRIES} tries within {retries.RETRY_BUDGET_SECONDS} s, where a "
         f"person waits for a form or a check within {PAGE_LIMITS.retry_seconds} s; pauses grow at "
         f"random to 30 s, or are what SendGrid's headers say",
         "the task fails for now; a write without an answer is of unknown fate"),
        (code("run.sending.send_json"), "an upsert that SendGrid refused for contacts or values "
         "that it names", f"{send_json.MAX_REFUSAL_ROUNDS} rounds, each without those that were "
         f"named", "it is cut in two, and each half has as many rounds"),
        (code("run.sending.cut_refused"), "an upsert that SendGrid refused without a name, or as "
         "too large; a file that is too large",
         f"in halves, down to single contacts; up to {cut_refused.MAX_REFUSED} refused requests "
         f"for a planned batch, and {cut_refused.MAX_BEFORE_SUCCESS} and one more per halving "
         f"before the first that is taken",
         "its clients are pending; a single contact that is refused while others are taken is "
         "rejected"),
        (code("run.sending.settle_upsert"), "contacts of which a job refused a value that may be "
         "left out", f"at once without it, {settle_upsert.MAX_VALUE_ROUNDS} times for a planned "
         f"batch", "the next run sends them without it"),
        (code("run.sending.new_fields"), "a call with a field that SendGrid shows and refuses",
         f"{new_fields.MAX_WAITS} times, every {new_fields.PAUSE_SECONDS:.0f} s",
         "a person has to look"),
        (code("run.sending.send_csv"), "an upload that the storage refused",
         f"{send_csv.MAX_IMPORT_TRIES} imports", "a person has to look"),
        (code("run.sending.submit"), "a removal whose contact vanished meanwhile",
         f"{submit.MAX_LOOKUP_ROUNDS} searches", "the task fails for now"),
        (code("run.sending.poll_job"), "a look whether a removal shows, once its job is over",
         f"for {_words(timedelta(seconds=removal_targets.SHOWN_SECONDS))} since it was sent, "
         f"`job_hours` at most", "the next run looks again, and removes again what it finds"),
        (code("run.sending.split"), "a job that failed as a whole",
         f"once as it is, then in halves; up to {split.MAX_FAILURES} failures without a success, "
         f"and 4 jobs per halving and {split.EXTRA_JOBS} more",
         "its clients are pending; a single contact that fails while others succeed is rejected"),
    ]  # fmt: skip


def _tasks() -> list[tuple[str, ...]]:
    default = runpy.run_path(str(ROOT / "dags" / "contact_sync.py"))[DAG_ID].default_args
    first, most = default["retry_delay"], default["max_retry_delay"]
    reads, submits = in_one_process.MAX_READS, in_one_process.MAX_SUBMITS
    return [
        ("Airflow", "a task that failed for now, or whose worker died; never one that a person "
         "must look at",
         f"{default['retries']} more tries, after {_words(first)} and longer, up to "
         f"{_words(most)}, or when SendGrid's limit is reset if that is later",
         "the run has failed; the next one continues"),
        (code("run.in_one_process"), "on the command line, a step that reads B2CORE",
         f"{reads} tries, with pauses of {_pauses(reads, in_one_process.READ_PAUSE)}",
         "the run has failed; the next one continues"),
        (code("run.in_one_process"), "on the command line, a step that sends",
         f"{submits} tries, with pauses of {_pauses(submits, in_one_process.SUBMIT_PAUSE)}",
         "the run has failed; the next one continues"),
        (code("run.send_batch"), "a look at a job, before the task is deferred",
         f"for {send_batch.LOOK_SECONDS:g} s", "the task is deferred"),
        (code("airflow_edge.triggers"), "a look at a job, while the task is deferred",
         f"every {triggers.POLL_SECONDS:.0f} s; the task itself renews its lease every "
         f"{_words(timedelta(seconds=operators.RESUME_SECONDS))}",
         "after `job_hours` its clients are pending"),
        (code("run.watch_source"), "B2CORE or the state database, where `schedule: changes` looks",
         f"after 2 s, 4 s … {watch_source.MAX_PAUSE:.0f} s, for ever",
         "the sync page says so; runs come by the clock meanwhile"),
        (code("start_run"), "the lease, while another run holds it and a person waits",
         f"every {operators.LEASE_POLL_SECONDS:.0f} s, for {_words(operators.MAX_LEASE_WAIT)}",
         "the run has failed"),
        (code("start_run"), "a step of a run with little to do that failed", "never",
         "the step's own task does it again; what failed for good once it had begun to send ends "
         "the run"),
        (code("settle_earlier_runs"), "the jobs that earlier runs left open",
         f"every {settle_earlier_runs.POLL_SECONDS:.0f} s, until the two deadlines below have "
         f"passed", "its clients are pending, and this run sends them"),
        (code("send_batch"), "the reading of B2CORE, just before an old plan is sent",
         f"once, if the plan is older than "
         f"{_words(timedelta(seconds=prepare.MAX_AGE_SECONDS))}",
         "clients that changed meanwhile are pending"),
    ]  # fmt: skip


def _runs() -> list[tuple[str, ...]]:
    deadlines = Deadlines()
    return [
        ("`quarantine_minutes`", "nothing: a call without an answer may still take effect, so "
         "nothing newer is sent",
         f"{deadlines.quarantine_minutes:g} minutes by default", "its clients are pending"),
        ("`job_hours`", "nothing: a job, or an upload without an answer, may still take effect",
         f"{deadlines.job_hours:g} hours by default", "its clients are pending"),
        ("The next run", "every pending client", "each run",
         f"a contact that SendGrid looked at and that was not as sent {settling.ENOUGH_TRIES} "
         f"times in a row is rejected; what no job tells of is sent alone by then"),
        ("The next run", "the look-up of rejected clients",
         f"once after the rejection, then every `full_every_hours` and in mode full; "
         f"{rejected_contacts.MAX_LOOKED_UP:,} clients a run",
         "the rejection stands, unless the contact is right; one with other values is sent again "
         f"{rejections.MAX_RETAKEN} times"),
        ("The next run", "a rejected client", "when it has changed, in a run of mode resend, or "
         "when a person asks for *retry rejected*; one that SendGrid rejected also by itself: "
         "after `full_every_hours`, then each time after twice as long, at the latest after "
         f"{refusal_retries.MAX_RETRY_HOURS // 24} days; {refusal_retries.MAX_RETRIED} a run",
         "rejected again, or confirmed"),
        ("The next run", "a removal that failed, is in doubt, or whose contact isn't found yet",
         f"each run; not found counts as gone after "
         f"{_words(timedelta(seconds=removal_targets.SEARCH_LAG_SECONDS))}", "-"),
        ("The next run", "a removal that SendGrid accepted and that changed nothing",
         f"each run, {removals.ENOUGH_TRIES} times", f"once in {removals.REST_HOURS} hours"),
        ("The next run", "the look-up of excluded clients that no run has sent",
         f"{excluded_contacts.MAX_LOOKED_UP:,} clients a run", "each of them once"),
        ("The next run", "the look for clients that B2CORE doesn't have any more",
         f"{ledger.ENOUGH_ABSENCES} snapshots in a row", "their contacts are removed"),
        ("Any run", "the lease of a run that gives no sign of life",
         f"after {clocks.LEASE_MINUTES} minutes; at once if a person takes it over",
         "the older run is fenced off and writes nothing more"),
    ]  # fmt: skip


def _pauses(tries: int, first: float) -> str:
    """Each twice as long as the one before, as tenacity's wait_exponential has it."""
    return " and ".join(f"{first * 2**n:g} s" for n in range(tries - 1))


def _words(span: timedelta) -> str:
    """A span of time in its largest whole unit."""
    seconds = int(span.total_seconds())
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
