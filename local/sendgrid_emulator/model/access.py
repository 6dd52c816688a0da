"""What a key may do: its scopes, as GET scopes shows them, and the calls that they open.

No document maps scopes to calls. [K] `marketing.read` opens the reads of Marketing Campaigns, and
suppressions have scopes of their own (page "Scopes"); which scope a write needs is ours [I].
"""

from __future__ import annotations

from typing import Literal

Permission = Literal["full", "suppressions", "marketing", "sees_suppressions", "read", "none"]
READS_BY_POST = ("/search", "/batch")
SUPPRESSION_ROUTES = ("/v3/asm/", "/v3/suppression/")
ERASE = ["recipients.erasejob.create", "recipients.erasejob.read"]  # [K Erase recipients' data]
READ_MARKETING = ["marketing.automation.read", "marketing.read", "marketing_campaigns.read"]
MARKETING = [
    *READ_MARKETING,
    *(f"marketing_campaigns.{verb}" for verb in ("create", "delete", "update")),
]
READ_SUPPRESSIONS = [
    *("asm.groups.read", "asm.groups.suppressions.read"),
    *("suppression.read", "suppression.unsubscribes.read"),
    *("suppression.blocks.read", "suppression.bounces.read"),
    *("suppression.invalid_emails.read", "suppression.spam_reports.read"),
]
WRITE_SUPPRESSIONS = [
    *(f"asm.groups.suppressions.{verb}" for verb in ("create", "delete", "update")),
    *(f"suppression.{verb}" for verb in ("create", "delete", "update")),
    *(f"suppression.unsubscribes.{verb}" for verb in ("create", "delete", "update")),
]
SCOPES: dict[Permission, list[str]] = {
    "full": [*MARKETING, *READ_SUPPRESSIONS, *WRITE_SUPPRESSIONS, *ERASE],
    "suppressions": [*MARKETING, *READ_SUPPRESSIONS, *WRITE_SUPPRESSIONS],
    "marketing": MARKETING,
    "sees_suppressions": [*MARKETING, *READ_SUPPRESSIONS],
    "read": READ_MARKETING,
    "none": [],
}


def may_call(permission: Permission, extra: list[str], method: str, route: str) -> bool:
    """Return whether a key with this permission and these scopes besides may call a route; GET
    scopes is open to all.
    """
    if route == "/v3/scopes":
        return True
    reads = method == "GET" or any(part in route for part in READS_BY_POST)
    if route.startswith("/v3/recipients/"):
        needed = "recipients.erasejob.create"
    elif route.startswith("/v3/user/"):
        needed = "user.account.read"  # no permission has it: a sync has no need of it
    elif route.startswith(SUPPRESSION_ROUTES):
        needed = "suppression.read" if reads else "suppression.create"
    else:
        needed = "marketing.read" if reads else "marketing_campaigns.create"
    return needed in SCOPES[permission] or needed in extra
