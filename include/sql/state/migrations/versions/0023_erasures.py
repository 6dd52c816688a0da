"""Erasures: whose data is gone for good, and what keeps them from coming back."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
