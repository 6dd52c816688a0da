"""The whole checklist of a set-up: for the command line and for pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contact_sync.airflow_edge.installation import airflow_findings
from contact_sync.base.findings import Finding

if TYPE_CHECKING:
    from contact_sync.run.checklist import Setup


def set_up_findings(setup: Setup) -> Iterator[Finding]:
    """What is so about definition, databases, account and this Airflow, each as it is known."""
    from contact_sync.run.checklist import checklist  # Arrow takes a second

    yield from checklist(setup)
    yield from airflow_findings()
