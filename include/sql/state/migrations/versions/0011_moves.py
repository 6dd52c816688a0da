"""An e-mail change moves the person; values that nobody knows at SendGrid are looked at."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
