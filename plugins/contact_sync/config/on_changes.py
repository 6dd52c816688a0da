"""How often a sync runs whose `schedule` is `changes`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from contact_sync.config.strict import Strict

Channel = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class OnChanges(Strict):
    """When a run begins by itself with `schedule: changes`; says nothing with another schedule."""

    at_least_every_minutes: int = Field(
        15,
        ge=1,
        le=1440,
        description="A run begins so often even if nothing is seen to change: for what isn't seen, "
        "and for clients that wait for another try.",
    )
    at_most_every_seconds: int = Field(
        10,
        ge=1,
        le=3600,
        description="So long at least lies between two changes that begin a run. Changes while a "
        "run is at work make one further run.",
    )
    notify: Channel | None = Field(
        None,
        description="A channel of B2CORE's database on which a NOTIFY begins a run, too; null = "
        "none is listened to.",
    )

    @property
    def at_least_every(self) -> timedelta:
        """The longest time between two runs."""
        return timedelta(minutes=self.at_least_every_minutes)
