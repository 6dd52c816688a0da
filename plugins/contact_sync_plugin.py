"""What Airflow's plugin manager sees: the pages in Airflow's UI. The package itself stays hidden
from it by .airflowignore, because it would execute every file as a module of its own.
"""

from __future__ import annotations

from contact_sync.airflow_edge.plugin import ContactSyncPlugin

__all__ = ["ContactSyncPlugin"]
