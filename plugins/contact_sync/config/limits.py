"""The limits above which a run asks a person; `run/approve_plan.py` applies them."""

from __future__ import annotations

from pydantic import Field

from contact_sync.config.strict import Strict


class Limit(Strict):
    """A number of clients: the larger of a count and a share of those in the ledger."""

    contacts: int = Field(50, ge=0, description="The limit is at least this many clients.")
    share: float = Field(0.05, ge=0, le=1, description="Share of all clients, 0.05 = 5 %.")

    def of(self, clients: int) -> int:
        """The limit for a sync of so many clients."""
        return max(self.contacts, int(self.share * clients))


class Limits(Strict):
    """Above these a run waits for a person's approval before it sends anything."""

    removals: Limit = Field(
        Limit(contacts=50, share=0.05),
        description="Contacts to be removed. Clients that are absent from B2CORE in larger numbers "
        "are not removed at all until a person approves their exact number. If more contacts than "
        "this are found to be gone from SendGrid before they are changed, the run stops.",
    )
    changes: Limit = Field(
        Limit(contacts=1_000, share=0.5),
        description="Contacts to be changed; new ones don't count, nor does mode resend.",
    )
    clears: Limit = Field(
        Limit(contacts=50, share=0.1),
        description="Contacts in which one field is emptied; the share is of those that have it "
        "filled. Counted for each field by itself.",
    )
    approval_hours: float = Field(
        24, gt=0, le=168, description="A plan that isn't approved by then is dropped."
    )
