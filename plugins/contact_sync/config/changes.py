"""What is kept of the changes of a run, beside whom they concern."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contact_sync.config.strict import Strict


class Changes(Strict):
    """Each run notes whom it changes, how, and which fields, for `retention.changes` days."""

    values: Literal["none", "encrypted"] = Field(
        "none",
        description="encrypted: the values of changed fields before and after are kept, too, "
        "encrypted with the key of `connections.hash_key`, which then has to be there. none: no "
        "value is kept; while a plan waits for approval its page asks SendGrid for ten of them.",
    )
