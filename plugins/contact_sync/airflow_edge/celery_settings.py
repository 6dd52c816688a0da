"""Celery's settings for workers that import what tasks need before they fork them.

For Airflow's `[celery] celery_config_options`: the provider's own, and one more. The scheduler
reads them, too, and imports nothing by them.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

from contact_sync.airflow_edge.preload import MODULES

CELERY_SETTINGS: dict[str, Any] = {
    **DEFAULT_CELERY_CONFIG,
    "imports": MODULES,
}
