"""A run in words: how it stands, why it failed, what has been sent, and what to do next. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from contact_sync.base import words
from contact_sync.base.degraded import Degraded
from contact_sync.base.json_columns import Plan, Result
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import UNPROVEN, UPSERTS, Answer, RunState
from contact_sync.reporting.run_report import RunReport
from contact_sync.reporting.sending import Sending
from contact_sync.reporting.shown_run import ShownRun, SliceProgress

OWN_STEPS = (Degraded.REJECTED, Degraded.PENDING, Degraded.ABSENCES_HELD)
"""What of a degraded run has a step that says more."""
NAMED = 3
"""Of a list of what is wrong, so many are named where there is little room."""
_DAG_RUN = re.compile(r"DAG run (\S+) (\S+), started ")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `link` names the page that helps, which the template knows."""

    text: str
    link: str = ""


def dag_run_of(holder: str) -> tuple[str, str] | None:
    """The DAG run (DAG id, run id) that a run belongs to; None for the command line."""
    found = _DAG_RUN.match(holder)
    return (found[1], found[2]) if found else None


def holder_of(dag_id: str, run_id: str) -> str:
    """How the holder of a DAG run's runs begins."""
    return f"DAG run {dag_id} {run_id}, started "


def phase(run: ShownRun, slices: SliceProgress, done: Sending, *, is_settling: bool = False) -> str:
    """What a running run is at. `is_settling`: an earlier run's jobs or requests are open."""
    if run.approval and run.approval.is_awaited:
        return "waits for a person's approval"
    if run.plan:
        if done.under_way:
            contacts = count(done.under_way, "contact")
            return f"waits for SendGrid, which has {contacts} not yet confirmed"
        return "sends" if done.waiting else "closes the books"
    if slices.slices:
        return f"reads B2CORE: {slices.read:,} of {count(slices.clients, 'client')}"
    if is_settling:
        return "finds out what became of what earlier runs sent"
    return "checks the setup and selects clients"


def cause(run: ShownRun) -> tuple[str, str]:
    """Why a run failed: the first sentence, and whatever more was said."""
    text = (run.cause or "").strip()
    if not text:
        return ("", "")
    first, _, rest = text.partition("\n")
    return first, rest


def cause_in_short(run: ShownRun) -> str:
    """Why a run failed, in a sentence that names what to touch: a list that the first one only
    announces is in it."""
    first, rest = cause(run)
    items = [line.strip().removeprefix("- ") for line in rest.splitlines() if line.strip()]
    if not first.endswith(":") or not items:
        return first
    more = f" (and {len(items) - NAMED:,} more)" if len(items) > NAMED else ""
    return f"{first} {'; '.join(items[:NAMED])}{more}"


def next_steps(run: ShownRun, report: RunReport, done: Sending) -> list[Step]:
    """What a person should do now, most important first; the last resort is "nothing"."""
    state = run.state
    if state == RunState.RUNNING:
        return _while_running(run)
    if state == RunState.SUPERSEDED:
        said = f"Ended by {report.ended_by_in_words}. " if report.ended_why else ""
        return [Step(f"{said}Look at the newer run: it continued from the same state.",
                     "sync")]  # fmt: skip
    if state == RunState.FAILED:
        return _after_failure(run, done)
    if run.dry_run:
        steps = [Step("Nothing was changed. To send this, trigger a run without dry run.", "dag")]
        if report.above_limits:
            steps.append(Step("It will ask for approval: " + "; ".join(report.above_limits)))
        return steps
    return _after_success(run, report) or [Step("Nothing. Every client's fate is known.")]


def _while_running(run: ShownRun) -> list[Step]:
    if run.approval and run.approval.is_awaited:
        why = "; ".join(map(words.above_limit, run.approval.why))
        return [Step(f"Approve or refuse the plan: {why}. Nothing is sent before.", "approval")]
    if not run.dry_run and not run.holds_lease:
        return [Step("The run has given no sign of life for 15 minutes. If its DAG run is over, "
                     "trigger a new run: it takes over and continues from the same state.",
                     "dag")]  # fmt: skip
    return [Step("Nothing: it is at work. This page follows it.")]


def _after_failure(run: ShownRun, done: Sending) -> list[Step]:
    approval = run.approval
    if approval and approval.decision in (Answer.REFUSED, Answer.EXPIRED):
        answered = f"{words.ANSWERS[approval.decision]} by {approval.by}"
        return [Step(f"The plan was {answered}, so nothing was sent. Correct B2CORE or the "
                     f"definition's limits, or trigger a new run and approve its plan.",
                     "dag")]  # fmt: skip
    steps = []
    if cause(run) == ("", ""):
        steps.append(Step("Read the last lines of the failed task's log.", "log"))
    else:
        details = "; the failed task's log has the details" if dag_run_of(run.holder) else ""
        steps.append(Step(f"Fix the cause above, unless it passes by itself{details}.", "log"))
    steps.append(Step("Trigger a new run. Nothing has to be cleaned up: it continues from "
                      "the same state.", "dag"))  # fmt: skip
    if done.under_way:
        contacts = count(done.under_way, "contact")
        steps.append(Step(f"Nothing to do for the {contacts} that SendGrid has or may have: "
                          f"the next run finds out first."))  # fmt: skip
    return steps


def _why(report: RunReport) -> str:
    """Why contacts of batches are pending of which nothing could be proven; "" = there are none."""
    why: Counter[str] = Counter()
    for job in report.jobs:
        if job.lane in UPSERTS and job.outcome in UNPROVEN:
            why[words.PENDING[job.outcome]] += job.rows
    said = "; ".join(f"of {n:,}, {reason}" for reason, n in why.most_common())
    return f" Why: {said}." if said else ""


def _after_success(run: ShownRun, report: RunReport) -> list[Step]:
    books, plan = report.books, run.plan or Plan()
    steps = []
    if held := plan.held_absences:
        steps.append(Step(f"Clients absent from B2CORE: {held:,}; none is removed. If they "
                          f"are really gone, trigger a run with approve removals = {held}.",
                          "plan"))  # fmt: skip
    if rejected := books.get("rejected", 0):
        steps.append(Step(f"Rejected clients: {rejected:,}. Correct them in B2CORE; each is sent "
                          f"as soon as its row changes, and whom SendGrid refused is tried again "
                          f"by itself, ever more rarely.", "rejected"))  # fmt: skip
    if pending := books.get("pending", 0):
        steps.append(Step(f"Pending clients: {pending:,}. The next run sends them.{_why(report)}"))
    if unfit := sum((report.dropped_new or {}).values()):
        steps.append(Step(f"New values that don't fit their fields: {unfit:,}. The clients are "
                          f"sent without them, or with shorter ones. Correct them in B2CORE.",
                          "dropped"))  # fmt: skip
    result = run.result or Result()
    found = {what: n for what, n in result.degraded.items() if what not in OWN_STEPS}
    others = words.degraded(found, result.restrained_by)
    return steps + [Step(f"{what[:1].upper()}{what[1:]}.") for what in others]
