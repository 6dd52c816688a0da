"""Where Airflow and the pages of the plugin are reached, for texts that leave Airflow's pages."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk.configuration import conf


def airflow_url() -> str:
    """Airflow's `api.base_url`, without a slash at its end."""
    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")


def plan_url(name: str, sync_run_id: int | None = None) -> str:
    """The page of a run's plan; without a run, of the newest one."""
    run = "" if sync_run_id is None else f"/runs/{sync_run_id}"
    return f"{airflow_url()}/contact-sync/syncs/{quote(name, safe='')}{run}/plan"
