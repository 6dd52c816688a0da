"""How a run's clients are cut up and sent. The defaults fit almost everyone: tests, benchmarks and
very large syncs set these keys."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from contact_sync.config.strict import Strict


class LaneChoice(StrEnum):
    """Which of SendGrid's two bulk endpoints to use."""

    AUTO = "auto"
    JSON = "json"
    CSV = "csv"


class Tuning(Strict):
    """By which lane contacts go and how many together; none of it changes what is in a contact."""

    lane: LaneChoice = Field(LaneChoice.AUTO, description="auto = JSON for small runs, else CSV.")
    csv_from_contacts: int = Field(
        30_000,
        ge=1,
        le=1_000_000,
        description="lane auto: runs that send more than this use CSV import. SendGrid mails the "
        "account's admins after each CSV import.",
    )
    csv_batch_contacts: int = Field(
        250_000, ge=1, le=1_000_000, description="Contacts in one CSV file, at most."
    )
    slice_clients: int = Field(250_000, ge=1, le=1_000_000, description="Clients read per task.")
