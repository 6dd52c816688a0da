"""The plugin that brings the pages into Airflow's UI: one app, and where its pages show up.

Every Airflow process loads plugins, also each worker. So the app is made by the first request;
only the API server ever imports it. The package itself stays hidden from Airflow's plugin manager
by .airflowignore, because it would execute every file as a module of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/contact-sync"
RUN = "dag_id={DAG_ID}&run_id={RUN_ID}"  # Airflow's UI fills the placeholders in
Message = MutableMapping[str, Any]


async def pages(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """The ASGI app of all pages."""
    from contact_sync.web.app import the_app

    await the_app()(scope, receive, send)


def _view(name: str, destination: str, route: str, page: str, icon: str) -> dict[str, str]:
    base = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PREFIX
    return {
        "name": name,
        "destination": destination,
        "url_route": route,
        "href": f"{base}{page}",
        "icon": f"{base}/static/{icon}-light.svg",
        "icon_dark_mode": f"{base}/static/{icon}-dark.svg",
    }


class ContactSyncPlugin(AirflowPlugin):
    """The sync page in the navigation, the report on each DAG run and its tasks."""

    name = "contact_sync"

    @classmethod
    def on_load(cls, *_arguments: Any, **_options: Any) -> None:
        """Import what tasks need, where they are forked from this process."""
        from contact_sync.airflow_edge.preload import forks_tasks, preload

        if forks_tasks():
            preload()

    fastapi_apps = [{"name": "Contact sync", "app": pages, "url_prefix": PREFIX}]  # noqa: RUF012
    external_views = [  # noqa: RUF012 Airflow's own way
        _view("Syncs", "nav", "contact-sync", "/syncs", "sync"),
        _view("Sync report", "dag_run", "sync-report", f"/report?{RUN}", "report"),
        _view(
            "Sync report", "task_instance", "sync-report-of-task",
            f"/report?{RUN}&task_id={{TASK_ID}}&map_index={{MAP_INDEX}}", "report",
        ),
    ]  # fmt: skip
