"""What SendGrid refuses is remembered: values, the size of requests, and its words."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
