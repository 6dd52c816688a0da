"""What a run or a verification has seen that its account's profile says otherwise: SendGrid has
changed since."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from contact_sync.base.json_columns import JobReport
from contact_sync.base.vocabulary import Lane, Outcome
from contact_sync.config.account_profile import AccountProfile
from contact_sync.contacts.known_account import by_csv
from contact_sync.contacts.mapping import Mapping
from contact_sync.postgres.cursor import Cursor
from contact_sync.state import runs
from contact_sync.state.runs import Run
from contact_sync.sync import Sync

log = logging.getLogger(__name__)


def contradicted(cursor: Cursor, sync: Sync, run: Run, jobs: Sequence[JobReport]) -> dict[str, str]:
    """Answers of the profile that this run's calls contradict, by question: what was seen."""
    profile, found = sync.profile, dict[str, str]()
    size = runs.learned_size(cursor, run.run_id, Lane.JSON)
    if profile.number("json_limit") is not None and size is not None:
        found["json_limit"] = "SendGrid refused an upsert that isn't larger"
    still = any(job.lane is Lane.UNLIST and job.outcome == Outcome.STILL_SHOWN for job in jobs)
    if profile["list_removal_effect"] == "removes" and still:
        found["list_removal_effect"] = "contacts that were taken off the list are still shown on it"
    return found


def is_uncleared(
    profile: AccountProfile, mapping: Mapping, values: Sequence[str], fields: Collection[str]
) -> bool:
    """Whether a contact has a text that an upload must have emptied by the profile: of these
    `fields`, which differ, B2CORE's value is empty. `values`: B2CORE's, of the mapped fields."""
    clears = by_csv(profile, mapping).clears
    return any(
        field.name in fields and not value and clears >> field.bit & 1
        for field, value in zip(mapping.fields, values, strict=True)
    )


def tell(sync: Sync, found: dict[str, str]) -> None:
    """Log each of them, and what to do."""
    for code, seen in found.items():
        log.warning(
            "The account profile %s, of %s, says %s: %s, but %s. Make it again: python -m "
            "contact_sync probe %s",
            sync.definition.account, sync.profile.seen_on, code, sync.profile[code], seen,
            sync.definition.connections.sendgrid,
        )  # fmt: skip
