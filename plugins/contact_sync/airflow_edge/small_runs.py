"""What `start_run` does after it has begun a run: the steps that are small (run/small_run.py), with
what their tasks tell Airflow."""

from __future__ import annotations

from contact_sync.airflow_edge.tasks import tell_suppressions, working


def go_on(name: str, sync_run_id: int) -> list[str]:
    """Take what is small of the steps after `start_run`; returns the tasks that it stands for."""
    from contact_sync.airflow_edge.lineage import note_read, note_written
    from contact_sync.run import small_run
    from contact_sync.state.runs import load_run

    with working(name, sync_run_id) as (sync, begun):
        done = small_run.go_on(sync, begun.run_id)
        definition, run = sync.definition, load_run(sync.state, begun.run_id)
        if "read_suppressions" in done and definition.suppressions is not None:
            tell_suppressions(name, sync_run_id, small_run.news(sync, run))
    if "select_clients" in done:
        note_read(definition, "scan", f"changed_{definition.source.change_detection}", "clients")
    if "send_batch" in done and run.plan is not None and run.plan.counts.get("to_send"):
        note_written(definition)
    return done
