"""The mark of runs in Airflow: a Variable, which is in Airflow's own metadata database."""

from __future__ import annotations

from airflow.sdk import Variable


class MarkVariable:
    """The Variable `contact_sync_mark_<sync>`; only a task can reach it."""

    place = "airflow"

    def __init__(self, sync_name: str) -> None:
        self._key = f"contact_sync_mark_{sync_name}"

    def read(self) -> str | None:
        """Its text; None = there is none. Raises whatever Airflow raises."""
        found = Variable.get(self._key, default=None)
        return None if found is None else str(found)

    def write(self, text: str) -> None:
        """Replace it. Raises whatever Airflow raises."""
        Variable.set(self._key, text, description="Written by each run; see docs/production.md")
