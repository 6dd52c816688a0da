"""What the alerts of a verification say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from airflow.sdk.execution_time.xcom import XCom

from contact_sync.airflow_edge.alert_texts import alert_of
from contact_sync.airflow_edge.handles import open_state
from contact_sync.base.numbers import count
from contact_sync.base.verdicts import BREACHES, HARMLESS, Count, Verdict, told, unequal
from contact_sync.config.alerts import Alert, Event
from contact_sync.config.definition import SyncDefinition
from contact_sync.config.verify import Repair
from contact_sync.state import verifications
from contact_sync.state.verifications import Verification

BEGIN_TASK, PRUNE_TASK = "begin_verification", "prune"

ARENT = ("contact isn't", "contacts aren't")


def consent_breach(definition: SyncDefinition, context: Any) -> Alert | None:
    """Contacts are on the list although their clients are excluded, gone, or have other
    addresses."""
    found = _of(definition, context)
    counts = {str(code): n for code in BREACHES if (n := found.counts.get(code))}
    if not counts:
        return None
    return _alert(
        Event.CONSENT_BREACH, definition, context,
        f"{definition.name}: {count(sum(counts.values()), 'contact is', 'contacts are')} on "
        f"the list "
        f"without right",
        "; ".join(told(code, n) for code, n in counts.items()),
        f"See why somebody, or another tool, puts them there. {_fix(definition)}", counts,
    )  # fmt: skip


def not_equal(definition: SyncDefinition, context: Any) -> Alert | None:
    """More contacts aren't equal than the limit."""
    found, limit = _of(definition, context), definition.verify.unequal_limit
    n = unequal(found.counts)
    if definition.verify.repair is Repair.NONE or n <= limit:
        return None
    wrong = [code for code in Verdict if code not in HARMLESS and found.counts.get(code)]
    return _alert(
        Event.UNEQUAL, definition, context,
        f"{definition.name}: {count(n, *ARENT)} as B2CORE calls for",
        f"{told(Count.COMPARED, found.counts.get(Count.COMPARED, 0))}; the limit is {limit:,}: "
        f"{'; '.join(told(code, found.counts[code]) for code in wrong)}",
        _fix(definition), {str(code): found.counts[code] for code in wrong},
    )  # fmt: skip


def verify_failed(definition: SyncDefinition, context: Any) -> Alert:
    """A task of a verification has failed: nothing is proven, or nothing old is deleted."""
    task = str(context["ti"].task_id)
    if task == PRUNE_TASK:
        return _alert(
            Event.VERIFY_FAILED, definition, context,
            f"{definition.name}: old things weren't deleted from the state database",
            f"The log of the task {task} says why; the verification isn't concerned",
            f"Fix the cause, then `python -m contact_sync prune {definition.name}`, or wait for "
            f"the next verification", {},
        )  # fmt: skip
    return _alert(
        Event.VERIFY_FAILED, definition, context,
        f"{definition.name}: the verification failed",
        f"The log of the task {task} says why",
        "Fix the cause, then trigger the verification again: it continues what is under way", {},
    )  # fmt: skip


TELLERS: dict[Event, Callable[[SyncDefinition, Any], Alert | None]] = {
    Event.CONSENT_BREACH: consent_breach,
    Event.UNEQUAL: not_equal,
    Event.VERIFY_FAILED: verify_failed,
}


def _fix(definition: SyncDefinition) -> str:
    if definition.shadow:
        return "This sync is a shadow and changes nothing: docs/switch-over.md"
    if definition.verify.repair is Repair.CONTACTS:
        return "The next run puts it right, under its limits"
    return f"`python -m contact_sync repair {definition.name}` has the next run put it right"


def _of(definition: SyncDefinition, context: Any) -> Verification:
    number = XCom.get_one(
        key="return_value",
        dag_id=definition.verify_dag_id,
        task_id=BEGIN_TASK,
        run_id=str(context["run_id"]),
    )
    return verifications.load(open_state(definition), int(number))


def _alert(
    event: Event, definition: SyncDefinition, context: Any, title: str, cause: str, fix: str,
    counts: dict[str, int],
) -> Alert:  # fmt: skip
    found = alert_of(event, definition, str(context["run_id"]), title, cause, fix, counts)
    own, mine = f"/dags/{definition.dag_id}/", f"/dags/{definition.verify_dag_id}/"
    return replace(found, dag_id=definition.verify_dag_id, link=found.link.replace(own, mine))
