"""Where Airflow and the pages of the plugin are reached, for texts that leave Airflow's pages."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from airflow.sdk.configuration import conf


def airflow_url() -> str:
    """Airflow's `api.base_url`, without a slash at its end."""
    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")


def plan_url(name: str, sync_run_id: int | None = None) -> str:
    """The page of a run's plan; without a run, of the newest one."""
    run = "" if sync_run_id is None else f"/runs/{sync_run_id}"
    return f"{airflow_url()}/contact-sync/syncs/{quote(name, safe='')}{run}/plan"


def full_run_url(name: str) -> str:
    """The page that says what a full run would send now."""
    return f"{airflow_url()}/contact-sync/syncs/{quote(name, safe='')}/full-run"


def full_run_picture(name: str) -> str:
    """The same as a picture: a path, so that whoever shows it asks the server that he has a login
    of, by whatever name he reaches it."""
    return f"{urlsplit(full_run_url(name)).path}.svg"
