"""A mark that is kept in memory, as Airflow keeps one in its metadata database."""

from __future__ import annotations


class KeptMark:
    """A place that never fails."""

    place = "airflow"

    def __init__(self) -> None:
        self.text: str | None = None

    def read(self) -> str | None:
        """What was written last."""
        return self.text

    def write(self, text: str) -> None:
        """Replace it."""
        self.text = text
