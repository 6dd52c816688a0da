"""Who gets no mail, by lower-cased address: globally, and by unsubscribe group.

Contacts know nothing of it: deleting a contact lifts no suppression, and upserting one neither [K].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from local.sendgrid_emulator.model.refusal import Refusal

Undelivered = Literal["blocks", "bounces", "invalid_emails", "spam_reports"]
"""What keeps mail from an address without anybody having unsubscribed it."""
DETAILS: dict[Undelivered, dict[str, str]] = {
    "blocks": {"reason": "unable to resolve MX record: servfail", "status": "4.0.0"},
    "bounces": {"reason": "550 5.1.1 The email account does not exist", "status": "5.1.1"},
    "invalid_emails": {"reason": "Mail domain mentioned in email address is unknown"},
    "spam_reports": {"ip": "192.0.2.1"},
}
"""What each says besides the address and the time [K API description]."""


@dataclass(slots=True)
class Suppressions:
    """Addresses with the epoch second of their suppression."""

    everywhere: dict[str, int] = field(default_factory=dict)
    groups: dict[int, dict[str, int]] = field(default_factory=dict)
    undelivered: dict[Undelivered, dict[str, int]] = field(
        default_factory=lambda: {kind: {} for kind in get_args(Undelivered)}
    )

    def create_group(self) -> int:
        """Add an unsubscribe group and return its number."""
        number = len(self.groups) + 1
        self.groups[number] = {}
        return number

    def forget(self, emails: Iterable[str]) -> None:
        """Lift every suppression of these addresses."""
        for kept in (self.everywhere, *self.groups.values(), *self.undelivered.values()):
            for email in emails:
                kept.pop(email, None)

    def has_group(self, number: str) -> bool:
        """Return whether there is such a group."""
        return number.isdecimal() and int(number) in self.groups

    def in_force(self) -> dict[str, frozenset[str]]:
        """Return the addresses by what keeps mail from them: unsubscribes, groups, blocks, …"""
        groups = frozenset(email for group in self.groups.values() for email in group)
        found = {"unsubscribes": frozenset(self.everywhere), "groups": groups}
        return found | {str(kind): frozenset(of) for kind, of in self.undelivered.items()}

    def group(self, number: str) -> dict[str, int]:
        """Return a group's addresses or answer 404."""
        if not self.has_group(number):
            raise Refusal(404, "group not found")
        return self.groups[int(number)]


def suppress(into: dict[str, int], emails: Iterable[str], created: float) -> None:
    """Add addresses; one that is there already keeps its time [I]."""
    for email in emails:
        into.setdefault(email.lower(), int(created))


def described(kind: Undelivered, email: str, created: int) -> dict[str, Any]:
    """Return what answers say of an undelivered address [K API description]."""
    return {"created": created, "email": email} | DETAILS[kind]
