"""How long the state database keeps what no run needs any more."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from contact_sync.base.numbers import count
from contact_sync.config.strict import Strict

Days = Annotated[int, Field(ge=31, le=36_500)] | None
"""At least as long as anything waits for SendGrid, for a person or for a full run (720 hours)."""
LATER = (("findings", "verifications"), ("reports", "batches"), ("batches", "runs"),
         ("changes", "runs"))  # fmt: skip
"""The second of each pair may not be kept for less time than the first: it is what that is of."""


class Retention(Strict):
    """For how many days things are kept that no run needs any more; null = for ever. What a later
    run, repair or alert builds on stays, however old it is. Deleted by `prune`, which the DAG of
    the verification does as well."""

    reports: Days = Field(
        365,
        description="What a run planned and did, its reason, who approved it, why it failed. The "
        "row of the run stays, with its times and how it ended.",
    )
    batches: Days = Field(
        365,
        description="The requests and files of a run, and SendGrid's jobs. Those by which a client "
        "was sent last stay.",
    )
    runs: Days = Field(
        1_095, description="The runs themselves; those of which a batch is kept stay."
    )
    findings: Days = Field(
        90,
        description="What a verification found, client by client. An older one isn't repaired any "
        "more.",
    )
    verifications: Days = Field(
        1_095, description="Certificates; the newest one, and the newest that succeeded, stay."
    )
    kept_removals: Days = Field(
        1_095,
        description="Hashes of addresses whose contact was left in the account without a client, "
        "by `keep` or `unlist`. Afterwards such a contact counts as one that the sync never had.",
    )
    lifted_suppressions: Days = Field(
        365, description="Addresses whose suppression was lifted at SendGrid, since then."
    )
    changes: Days = Field(
        90,
        description="Whom each run changed, how, and in which fields; with values, where these "
        "are kept.",
    )
    dropped_values: Days = Field(
        90, description="The list of values that don't fit, of a sync that has had no run so long."
    )

    @model_validator(mode="after")
    def _the_whole_isnt_kept_for_less_than_its_parts(self) -> Retention:
        for part, whole in LATER:
            days, least = getattr(self, whole), getattr(self, part)
            if days is not None and (least is None or days < least):
                raise ValueError(
                    f"{whole}: {count(days, 'day')} is less than {part} are kept "
                    f"({'for ever' if least is None else count(least, 'day')}); say as much or more"
                )
        return self
