"""The task that asks a person: Airflow's *Required Actions* show the plan's counts.

It waits in Airflow's state `awaiting_input`: no worker slot, no trigger. The decision is stored in
the state database, where every later step checks it; this task only asks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.providers.standard.operators.hitl import HITLOperator

from contact_sync.airflow_edge.tasks import run_number, working
from contact_sync.airflow_edge.urls import plan_url
from contact_sync.base.errors import FatalError
from contact_sync.base.numbers import count
from contact_sync.base.vocabulary import Answer
from contact_sync.base.words import above_limit, counts_in_order

if TYPE_CHECKING:
    from contact_sync.base.json_columns import Plan
    from contact_sync.state.runs import Run

APPROVE, REFUSE = "Approve", "Refuse"  # the buttons


class ApprovePlanOperator(HITLOperator):
    """Asks for approval when the run's plan is above the definition's limits.

    Its result are the batches of what has to leave SendGrid before anything is sent: one task less
    for every run in which there is nothing to ask. Exclusions within the limit don't wait for the
    answer: while it asks, they are carried out already.
    """

    def __init__(self, *, sync_name: str, start_task_id: str, hours: float, **kwargs: Any) -> None:
        super().__init__(
            subject=f"{sync_name}: may this plan be sent?",
            options=[APPROVE, REFUSE],
            response_timeout=timedelta(hours=hours),
            **kwargs,
        )
        self.sync_name = sync_name
        self.start_task_id = start_task_id
        self.hours = hours

    def execute(self, context: Any) -> Any:
        """Ask, unless nothing is above a limit or somebody has decided already."""
        from contact_sync.run.approve_plan import exclusions_go_unasked
        from contact_sync.run.in_one_process import send_batches
        from contact_sync.run.remove_excluded import remove_excluded

        with working(self.sync_name, self._sync_run_id(context)) as (sync, run):
            if run.dry_run or run.approval is None or run.approval.decision:
                self.log.info("There is nothing to ask, or it was answered")
                return remove_excluded(sync, run)
            self.body = question(run, plan_url(self.sync_name, run.run_id))
            if exclusions_go_unasked(sync.definition, run):
                send_batches(sync, run.run_id, remove_excluded(sync, run))
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Store the decision; a refusal or silence ends the run."""
        try:
            answer = super().execute_complete(context, event)
        except HITLTimeoutError:
            self._decide(
                context, Answer.REFUSED, f"nobody within {count(self.hours, 'hour')}",
                f"Nobody approved the plan within {count(self.hours, 'hour')}; nothing was sent",
            )  # fmt: skip
        else:
            who = str((answer["responded_by_user"] or {}).get("name") or "an unknown user")
            if answer["chosen_options"] == [APPROVE]:
                self._decide(context, Answer.APPROVED, who)
            else:
                self._decide(
                    context, Answer.REFUSED, who, f"The plan was refused by {who}; nothing was sent"
                )
        return self.execute(context)

    def _decide(self, context: Any, decision: Answer, who: str, cause: str | None = None) -> None:
        """Store the decision. A `cause` ends the run and is kept as such."""
        from contact_sync.run.approve_plan import decide

        with working(self.sync_name, self._sync_run_id(context)) as (sync, run):
            decide(sync, run, decision, who)
            if cause is not None:
                raise FatalError(cause)

    def _sync_run_id(self, context: Any) -> int:
        return run_number(self.sync_name, context["ti"].xcom_pull(task_ids=self.start_task_id))


def question(run: Run, plan_page: str) -> str:
    """What the person sees: why, the plan's counts, and where its clients are shown; Markdown
    without personal data."""
    counts = run.plan.counts if run.plan else {}
    lines = [f"* {above_limit(above)}" for above in (run.approval.why if run.approval else ())]
    rows = [f"| {word} | {n:,} |" for word, n in counts_in_order(counts) if n]
    return "\n".join(
        [
            f"Run {run.run_id:,} is above the limits of its definition:", "", *lines, "",
            f"[Whom it changes, how, and the runs before]({plan_page})", "",
            *_by_field(run.plan), "",
            "| clients | number |", "| --- | ---: |", *rows, "",
            f"**{APPROVE}** sends exactly this plan. **{REFUSE}** ends the run; nothing is sent. "
            f"Exclusions within the limit of removals don't wait for the answer.",
        ]
    )  # fmt: skip


def _by_field(plan: Plan | None) -> list[str]:
    """How many of the compared clients change which field, as a list."""
    if plan is None or not plan.compared:
        return []
    found = [f"* {name}: {n:,}" for name, n in plan.changed_fields.items()]
    return [
        f"Changed, by field, of {plan.compared:,} that were compared with SendGrid:",
        "",
        *found,
    ]
