"""The end of a failed task's log: what happened, in words, and nothing behind it.

Airflow logs the exception that ends a task with its traceback, which for an error that we foresaw
says nothing and hides what matters. So what we have told ourselves Airflow doesn't tell again: its
entry is dropped, by structlog's own way of dropping one. Where a later Airflow logs otherwise, its
traceback comes back, and nothing else changes.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from contact_sync.base.errors import Unforeseen
from contact_sync.reporting.failure import Failure

log = logging.getLogger(__name__)
AIRFLOWS_ENTRY = "Task failed with exception"
"""airflow.sdk.execution_time.task_runner._run_task_and_map_outcome (Airflow 3.3)."""


def tell(failure: Failure, error: BaseException, told: BaseException) -> BaseException:
    """Log the failure, the last line last; of an unforeseen error its frames before, without its
    text. Returns `told`, which is what ends the task."""
    _drop_airflows_entry()
    if isinstance(told, Unforeseen):
        for entry in traceback.format_tb(error.__traceback__):
            for line in entry.rstrip().splitlines():
                log.error("%s", line)
    for line in failure.lines:
        log.error("%s", line)
    told.was_told = True  # type: ignore[attr-defined]
    return told


def _drop_airflows_entry() -> None:
    """Loggers that are bound already hold this very list."""
    processors = structlog.get_config()["processors"]
    if isinstance(processors, list) and _without_what_was_told not in processors:
        processors.insert(0, _without_what_was_told)


def _without_what_was_told(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    if entry.get("event") == AIRFLOWS_ENTRY and getattr(sys.exc_info()[1], "was_told", False):
        raise structlog.DropEvent
    return entry
