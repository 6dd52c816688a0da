"""What people did to a DAG run in Airflow: its audit log (*Browse > Audit Log*).

Airflow's API notes each request that changes something, with who made it, as an event of the
function's name (airflow/api_fastapi/logging/decorators.py, `action_logging`).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from airflow.models.log import Log
from airflow.utils.session import create_session
from sqlalchemy import select

from contact_sync.reporting.both_sides import ByHand, Deed
from contact_sync.reporting.waiting import Said

EVENTS = {
    "patch_dag_run": Deed.MARKED_RUN,
    "patch_task_instance": Deed.MARKED,
    "patch_task_group_instances": Deed.MARKED,
    "bulk_task_instances": Deed.CHANGED,
    "clear_dag_run": Deed.CLEARED_RUN,
    "post_clear_task_instances": Deed.CLEARED,
}
LISTED = 20
SOMEBODY = "somebody"


def deeds(dag_id: str, run_id: str, since: datetime, *, names: bool) -> list[ByHand]:
    """What people did to the DAG run since then, oldest first; the last LISTED ones. `names`: who
    it was may be told."""
    with create_session(scoped=False) as session:
        rows = session.execute(
            select(
                Log.event, Log.dttm, Log.owner, Log.owner_display_name, Log.task_id, Log.extra
            ).where(Log.dag_id == dag_id, Log.run_id == run_id, Log.event.in_(EVENTS),
                    Log.dttm >= since)
            .order_by(Log.dttm.desc()).limit(LISTED)
        ).all()  # fmt: skip
    found = [_deed(row, names=names) for row in reversed(rows)]
    return [deed for deed in found if deed is not None]


def paused_by(session: Any, dag_id: str, *, names: bool) -> Said:
    """Who paused the DAG, and when, as the end of a sentence; () = the log doesn't know."""
    row = session.execute(
        select(Log.dttm, Log.owner, Log.owner_display_name, Log.extra)
        .where(Log.dag_id == dag_id, Log.event == "patch_dag")
        .order_by(Log.dttm.desc())
        .limit(1)
    ).one_or_none()
    if row is None or not _extra(row).get("is_paused"):
        return ()
    return (f", by {_who(row, names=names)} at ", row.dttm)


def _deed(row: Any, *, names: bool) -> ByHand | None:
    """None = it changed no state: only a note was written, or it isn't known what."""
    deed, extra = EVENTS[row.event], _extra(row)
    state = str(extra.get("new_state") or extra.get("state") or "")
    if deed in (Deed.MARKED, Deed.MARKED_RUN) and not state:
        return None
    tasks = extra.get("task_ids")
    listed = [str(one[0] if isinstance(one, list) else one) for one in tasks or []]
    task = row.task_id or ", ".join(dict.fromkeys(listed))
    return ByHand(deed, _who(row, names=names), row.dttm, task, state)


def _who(row: Any, *, names: bool) -> str:
    return str(row.owner_display_name or row.owner or SOMEBODY) if names else SOMEBODY


def _extra(row: Any) -> dict[str, Any]:
    try:
        found = json.loads(row.extra or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
