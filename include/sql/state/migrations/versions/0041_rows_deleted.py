"""A run may be full because rows were deleted and nobody knows whose."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0041"
down_revision = "0038"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
