"""Faults on demand: what goes wrong with the nth call of a route.

A fault answers instead of the route (before or after its effect), resets the connection, cuts the
answer short, or only delays it. Faults of jobs are in `job_faults`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_FAULTS = 10_000


class Fault(BaseModel):
    """One order: for this method and route, on the nth matching call, do this."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(description="or * for any")
    route: str = Field(description="a path template such as /v3/marketing/contacts, or * for any")
    nth: int = Field(1, ge=1, description="which matching call, counted from now")
    times: int = Field(1, ge=1, description="for how many calls from the nth on")
    delay: float = Field(0.0, ge=0, description="seconds before anything else happens")
    when: Literal["before", "after"] = Field(
        "before", description="status and reset: instead of the effect, or after it"
    )
    status: int | None = Field(None, description="answer this status")
    body: str = Field("", description="with this body")
    headers: dict[str, str] = Field(default_factory=dict, description="and these headers")
    reset: bool = Field(default=False, description="reset the connection instead of answering")
    truncate: int | None = Field(
        None, ge=0, description="send only so many bytes of the real answer, then close"
    )
    seen: int = Field(0, description="matching calls so far")

    def matches(self, method: str, route: str) -> bool:
        """Return whether a call is meant."""
        return self.method in ("*", method) and self.route in ("*", route)


class FaultList:
    """The faults that are still to come."""

    def __init__(self) -> None:
        """Start without any."""
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault; raise ValueError when far too many wait."""
        if len(self.faults) >= MAX_FAULTS:
            raise ValueError(f"{MAX_FAULTS} faults wait already")
        self.faults.append(fault)

    def take(self, method: str, route: str) -> Fault | None:
        """Count a call and return the fault that hits it, if any; the oldest order wins."""
        hit: Fault | None = None
        for fault in self.faults:
            if fault.matches(method, route):
                fault.seen += 1
                if hit is None and fault.seen >= fault.nth:
                    hit = fault
        self.faults = [item for item in self.faults if item.seen < item.nth + item.times - 1]
        return hit
