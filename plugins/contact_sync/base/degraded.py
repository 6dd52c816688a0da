"""What isn't as it should be after a run that came to its end, as codes and in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Degraded(StrEnum):
    """What isn't as it should be after a run that came to its end."""

    REJECTED = "rejected"
    PENDING = "pending"
    STALE = "stale"
    FIELDS_REFUSED = "fields_refused"
    ABSENCES_HELD = "absences_held"
    UNMOVED = "unmoved"
    UNMOVABLE = "unmovable"
    REMOVALS_OPEN = "removals_open"
    REMOVALS_IMPOSSIBLE = "removals_impossible"
    REMOVALS_IN_VAIN = "removals_in_vain"
    EXCLUSIONS_OPEN = "exclusions_open"
    OPT_OUTS_OPEN = "opt_outs_open"
    RETURNS_UNSEEN = "returns_unseen"
    RESTRAINED = "restrained"
    ERASURES_OPEN = "erasures_open"
    ERASURES_LATE = "erasures_late"
    PROFILE_CONTRADICTED = "profile_contradicted"


DEGRADED: Mapping[str, tuple[str, str]] = {
    Degraded.REJECTED: ("client is rejected", "clients are rejected"),
    Degraded.PENDING: (
        "client is pending, the next run sends it", "clients are pending, the next run sends them",
    ),
    Degraded.STALE: (
        "client has values that SendGrid can't clear",
        "clients have values that SendGrid can't clear",
    ),
    Degraded.FIELDS_REFUSED: (
        "field is left out everywhere, because SendGrid refused its value of every client: compare "
        "its type at SendGrid with the mapping",
        "fields are left out everywhere, because SendGrid refused their values of every client: "
        "compare their types at SendGrid with the mapping",
    ),
    Degraded.ABSENCES_HELD: (
        "client is absent from B2CORE: its contact stays until a person approves that number",
        "clients are absent from B2CORE: their contacts stay until a person approves that number",
    ),
    Degraded.UNMOVED: (
        "client's new contact doesn't show all that its former one holds: the former one stays, "
        "the next run tries again",
        "clients' new contacts don't show all that their former ones hold: the former ones stay, "
        "the next run tries again",
    ),
    Degraded.UNMOVABLE: (
        "client's former contact holds what can't be moved (alternate addresses, identifiers, or "
        "Number and Date values of the contact that had its new address before)",
        "clients' former contacts hold what can't be moved (alternate addresses, identifiers, or "
        "Number and Date values of the contacts that had their new addresses before)",
    ),
    Degraded.REMOVALS_OPEN: (
        "contact could not be removed, or may not have been; the next run tries again",
        "contacts could not be removed, or may not have been; the next run tries again",
    ),
    Degraded.REMOVALS_IMPOSSIBLE: (
        "contact can't be removed, because SendGrid doesn't search its address (over 100 "
        "characters, or not valid): remove it in SendGrid's UI",
        "contacts can't be removed, because SendGrid doesn't search their addresses (over 100 "
        "characters, or not valid): remove them in SendGrid's UI",
    ),
    Degraded.REMOVALS_IN_VAIN: (
        "contact is still shown although SendGrid accepted its removal several times: remove it in "
        "SendGrid's UI",
        "contacts are still shown although SendGrid accepted their removal several times: remove "
        "them in SendGrid's UI",
    ),
    Degraded.EXCLUSIONS_OPEN: (
        "address of excluded clients may still have a contact that has to go: it isn't looked up "
        "yet, or its removal isn't confirmed",
        "addresses of excluded clients may still have contacts that have to go: they aren't looked "
        "up yet, or their removal isn't confirmed",
    ),
    Degraded.OPT_OUTS_OPEN: (
        "address of excluded clients isn't unsubscribed at SendGrid yet",
        "addresses of excluded clients aren't unsubscribed at SendGrid yet",
    ),
    Degraded.RETURNS_UNSEEN: (
        "contact was sent without a look whether a person had removed it at SendGrid: the run was "
        "too large",
        "contacts were sent without a look whether a person had removed them at SendGrid: the run "
        "was too large",
    ),
    Degraded.RESTRAINED: (
        "contact should be removed and stays, because a sync without a definition has it",
        "contacts should be removed and stay, because syncs without a definition have them",
    ),
    Degraded.ERASURES_OPEN: ("erasure isn't finished", "erasures aren't finished"),
    Degraded.ERASURES_LATE: (
        "erasure is older than its deadline", "erasures are older than their deadline",
    ),
    Degraded.PROFILE_CONTRADICTED: (
        "answer of the account profile isn't what SendGrid did: run `probe` again",
        "answers of the account profile aren't what SendGrid did: run `probe` again",
    ),
}  # fmt: skip
"""What follows the number: for one, and for any other number."""
