"""What all parts of a sync definition share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,250}$")]


class Strict(BaseModel):
    """A part of a definition: an unknown key is a mistake, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
