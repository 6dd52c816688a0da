"""The verification that a step works for: opened again by each step."""

from __future__ import annotations

from contact_sync.base.errors import ConfigError, FatalError, Fenced
from contact_sync.base.verdicts import VerificationState
from contact_sync.run.context import definition_hash
from contact_sync.state import verifications
from contact_sync.state.verifications import Verification
from contact_sync.sync import Sync


def open_verification(sync: Sync, verification_id: int, holder: str | None = None) -> Verification:
    """Load the verification and prove that it may go on; `holder`: only for whom began or
    continued it last.

    Raises FatalError when it is over or too old, ConfigError when the definition was edited since,
    Fenced when somebody else continues it.
    """
    found = verifications.load(sync.state, verification_id)
    if found.state is not VerificationState.RUNNING:
        raise FatalError(f"Verification {verification_id} is over ({found.state}): begin another")
    if found.definition_hash != definition_hash(sync.definition):
        raise ConfigError(
            f"The definition of {sync.definition.name!r} was edited while verification "
            f"{verification_id} was at work: begin another"
        )
    if holder is not None and found.holder != holder:
        raise Fenced(f"Verification {verification_id} is continued by {found.holder}")
    hours = sync.definition.deadlines.run_hours
    if found.age_hours > hours:
        raise FatalError(
            f"Verification {verification_id} has taken longer than its definition allows "
            f"(`deadlines.run_hours`: {hours:g}): begin another"
        )
    return found
