"""Clients with something to do: which run holds clients is looked up once for each sync."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0036"
down_revision = "0034"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
